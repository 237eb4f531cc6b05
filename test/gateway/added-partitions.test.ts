// Partitions that are added while doors know the topic.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

const { url } = await start({ config: { 'num.partitions': 1 } })

test('a partition that was added a moment ago can be written to', async () => {
  const ways: [string, unknown, Record<string, string>][] = [
    ['one', { value: 1 }, {}],
    ['many', { records: [{ value: 1 }, { value: 2 }] }, {}],
    ['once', { value: 1 }, { 'idempotency-key': 'a' }],
  ]
  for (const [topic, body, headers] of ways) {
    const push = (partition: number) => ask(`${url}/topics/${topic}/records?partition=${partition}`, { body, headers })
    assert.equal((await push(0)).status, 200)
    assert.equal((await push(2)).status, 404)
    assert.equal((await ask(`${url}/topics/${topic}`, { method: 'PATCH', body: { partitions: 3 } })).status, 200)
    const { status, json, text } = await push(2)
    assert.equal(status, 200, `${topic}: ${text}`)
    assert.equal((json.records?.[0] ?? json).partition, 2)
  }
})
