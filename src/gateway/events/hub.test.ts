import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../client/admin.ts'
import { Cluster, type TopicMetadata } from '../../client/cluster.ts'
import type { Connection } from '../../client/connection.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { silent } from '../../world/logger.ts'
import { nodeWorld } from '../../world/node.ts'
import { eventsOf } from './encode.ts'
import { Hub } from './hub.ts'

let broker: RunningBroker

before(async () => {
  broker = await startBroker()
})

after(() => broker.stop())

/** A cluster whose logs were cut, and which can then not be asked any more. */
class Cut extends Cluster {
  cut = false

  override async broker(nodeId: number): Promise<Connection> {
    const connection = await super.broker(nodeId)
    if (!this.cut) return connection
    const topicId = this.knownTopic('t')!.topicId
    const currentLeader = { leaderId: -1, leaderEpoch: -1 }
    const cut = { partitionIndex: 0, errorCode: 1, currentLeader, highWatermark: -1, records: null }
    const responses = [{ topic: '', topicId, partitions: [cut] }]
    const request = async () => ({ errorCode: 0, responses, nodeEndpoints: [] })
    return { request } as unknown as Connection
  }

  override topic(name: string, create?: boolean): Promise<TopicMetadata> {
    return this.cut ? Promise.reject(new KafkaError('NETWORK_EXCEPTION')) : super.topic(name, create)
  }
}

test('readers of a hub that cannot begin anew are told', async () => {
  const cluster = new Cut(nodeWorld, { bootstrap: [broker], retryBackoffMs: 1 })
  await new Admin(cluster).createTopics([{ name: 't', partitions: 1 }])
  const hub = await Hub.open({
    topic: 't',
    codec: eventsOf('json'),
    cluster,
    closeCluster: () => cluster.close(),
    logger: silent,
    batchBytes: 1000,
    ringBytes: () => 1000,
  })
  const ended = new Promise(resolve => hub.attach({ pump: () => {}, hubEnded: resolve }))
  cluster.cut = true
  assert.match(String(await ended), /NETWORK_EXCEPTION/)
  assert.equal(hub.closed, true)
})
