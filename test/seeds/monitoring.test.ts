// "Prometheus is responsible for collecting and storing metrics", of the second and the third seed: throughput, latency and
// health of the system.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMetrics } from '../../src/gateway/metrics/parse.test.kit.ts'
import { ask, start } from '../gateway/kit.ts'

test('Prometheus can see throughput, latency and health', async () => {
  const { url } = await start()
  await ask(`${url}/topics/orders/records`, { body: { value: 'one' } })
  const families = parseMetrics((await ask(`${url}/metrics`)).text, 'prometheus')
  const value = (name: string, label = '', is = '') =>
    families.get(name)?.samples.find(({ labels }) => label === '' || labels[label] === is)?.value
  // Throughput: the rate at which messages are produced and consumed.
  assert.equal(value('kafka_server_brokertopicmetrics_messagesin_total', 'topic', 'orders'), 1)
  assert.equal(value('kafka_topic_partition_current_offset', 'topic', 'orders'), 1)
  assert.equal(value('kafka_server_brokertopicmetrics_bytesout_total'), 0)
  // Latency: the time taken to process.
  const durations = families.get('ottla_request_duration_seconds')?.samples ?? []
  assert.ok(
    durations.some(({ name, labels, value }) => name.endsWith('_count') && labels.api === 'Produce' && value === 1),
  )
  // Health: brokers and the gateway.
  assert.equal(value('kafka_brokers'), 1)
  assert.equal(value('kafka_controller_kafkacontroller_offlinepartitionscount'), 0)
  assert.equal(value('kafka_server_replicamanager_underreplicatedpartitions'), 0)
  assert.equal(value('ottla_door_requests_total', 'operation', 'POST /topics/{topic}/records'), 1)
})
