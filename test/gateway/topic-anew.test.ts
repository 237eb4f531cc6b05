// A topic is deleted and made anew under the eyes of its readers: what was known of the former one is of no use.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Subscriber } from './event-source.ts'
import { ask, start } from './kit.ts'

const { url } = await start({ config: { 'num.partitions': 1 } })

const push = async (topic: string, ...values: unknown[]) => {
  const { status, text } = await ask(`${url}/topics/${topic}/records`, {
    body: { records: values.map(value => ({ value })) },
  })
  assert.equal(status, 200, text)
}

async function anew(topic: string): Promise<void> {
  assert.equal((await ask(`${url}/topics/${topic}`, { method: 'DELETE' })).status, 204)
  assert.equal((await ask(`${url}/topics`, { body: { name: topic } })).status, 201)
}

test('workers get records of the topic that is there', async () => {
  const post = (query: string) => ask(`${url}/topics/jobs/pull?${query}`, { method: 'POST' })
  const pull = async (query = '') => {
    const { status, json, text } = await post(query)
    assert.equal(status, 200, text)
    return json.records as { value: unknown; leaseId: string }[]
  }
  await push('jobs', 'a', 'b', 'c')
  const [former] = await pull()
  assert.equal(former!.value, 'a')
  assert.equal((await pull('max=5&group=others')).length, 3)
  const waiting = post('max=5&waitMs=10000&group=others')
  // It waits by now.
  await pull('group=others')
  await anew('jobs')
  assert.equal((await waiting).status, 404)
  await push('jobs', 'd', 'e')
  const settled = await ask(`${url}/topics/jobs/leases/${former!.leaseId}/ack`, { method: 'POST' })
  assert.equal(settled.status, 409)
  assert.deepEqual((await pull('max=5')).map(({ value }) => value), ['d', 'e']) // biome-ignore format: one line
  assert.deepEqual((await pull('max=5&group=others')).map(({ value }) => value), ['d', 'e']) // biome-ignore format: one line
})

test('subscribers do not go on in the middle of another topic', async () => {
  await push('news', 1, 2, 3)
  const before = await Subscriber.open(`${url}/topics/news/events?from=earliest`)
  await before.got(3)
  await anew('news')
  // As long as the former one was, and longer.
  await push('news', 4, 5, 6, 7, 8)
  await before.until(() => before.ended, 20_000)
  const seen = before.records.map(({ value }) => value)
  assert.deepEqual(seen, [1, 2, 3])
  const after = await Subscriber.open(`${url}/topics/news/events`, before.lastEventId)
  await after.got(5)
  assert.deepEqual(after.records.map(({ value }) => value), [4, 5, 6, 7, 8]) // biome-ignore format: one line
  after.close()
})
