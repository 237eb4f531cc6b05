// "Use the push API to publish a message with a provided key … use the pull API to pull single message from the queue."
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from '../gateway/kit.ts'

test('push with a key, then pull: a single message each time, in order, until the queue is empty', async () => {
  const { url } = await start()
  for (const value of ['first', 'second'])
    assert.equal((await ask(`${url}/topics/queue/records`, { body: { key: 'k', value } })).status, 200)
  const pulled: unknown[] = []
  for (;;) {
    const { status, json } = await ask(`${url}/topics/queue/pull`, { method: 'POST' })
    assert.equal(status, 200)
    if (json.records.length === 0) break
    const [{ key, value, leaseId }] = json.records
    pulled.push([json.records.length, key, value])
    assert.equal((await ask(`${url}/topics/queue/leases/${leaseId}/ack`, { method: 'POST' })).status, 200)
  }
  assert.deepEqual(pulled, [
    [1, 'k', 'first'],
    [1, 'k', 'second'],
  ])
})

test('several services pull from one queue: no message goes to two of them', async () => {
  const { url } = await start()
  const records = Array.from({ length: 40 }, (_, value) => ({ value }))
  await ask(`${url}/topics/queue/records`, { body: { records } })
  const got: number[] = []
  const service = async () => {
    for (;;) {
      const { json } = await ask(`${url}/topics/queue/pull?autoAck=true`, { method: 'POST' })
      if (json.records.length === 0) return
      got.push(json.records[0].value)
    }
  }
  await Promise.all([service(), service(), service(), service()])
  assert.deepEqual(
    got.sort((one, other) => one - other),
    records.map(({ value }) => value),
  )
})
