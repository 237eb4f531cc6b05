// "use the push API to publish a message with a provided key to the message broker", as the first seed has it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from '../gateway/kit.ts'

test('push: a message with a key; messages of one key stay in order', async () => {
  const { url } = await start({ config: { 'num.partitions': 4 } })
  const partitions = new Set<number>()
  for (let n = 0; n < 10; n++) {
    const { status, json } = await ask(`${url}/topics/messages/records`, {
      body: { key: 'some-key', value: `message ${n}` },
    })
    assert.equal(status, 200)
    assert.equal(json.offset, n)
    partitions.add(json.partition)
  }
  assert.equal(partitions.size, 1)
  const [partition] = partitions
  const { json } = await ask(`${url}/topics/messages/records?partition=${partition}`)
  assert.deepEqual(
    json.records.map(({ key, value }: { key: string; value: string }) => `${key}: ${value}`),
    Array.from({ length: 10 }, (_, n) => `some-key: message ${n}`),
  )
})
