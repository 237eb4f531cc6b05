import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

const broker = await start()
const { url } = broker

test('the port of Kafka clients answers HTTP, too', async () => {
  const { status, json, headers } = await ask(`${url}/health`)
  assert.equal(status, 200)
  assert.equal(json.status, 'healthy')
  assert.equal(json.isLeader, true)
  assert.equal(json.leader, json.broker)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('access-control-allow-origin'), null)
})
