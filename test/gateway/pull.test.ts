// Lease groups over HTTP: single messages for workers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, sleep, start } from './kit.ts'

interface Leased {
  readonly partition: number
  readonly offset: number
  readonly value: unknown
  readonly key: unknown
  readonly leaseId: string
  readonly deliveryCount: number
}

const broker = await start({ config: { 'group.share.delivery.count.limit': 2, 'num.partitions': 1 } })
const { url } = broker

const push = (topic: string, ...values: unknown[]) =>
  ask(`${url}/topics/${topic}/records`, { body: { records: values.map(value => ({ value })) } })

async function pull(topic: string, query = '', at = url): Promise<Leased[]> {
  const answer = await ask(`${at}/topics/${topic}/pull?group=workers${query}`, { method: 'POST' })
  assert.equal(answer.status, 200, answer.text)
  return answer.json.records
}

const say = (topic: string, { leaseId }: Leased, action: string, query = '') =>
  ask(`${url}/topics/${topic}/leases/${leaseId}/${action}${query}`, { method: 'POST' })

const values = (records: readonly Leased[]) => records.map(({ value }) => value)

test('each message goes to one worker of a group, and is done when it is acknowledged', async () => {
  await push('jobs', 'one', { two: 2 }, 'three')
  const [one] = await pull('jobs')
  assert.equal(one!.value, 'one')
  assert.deepEqual([one!.partition, one!.offset, one!.deliveryCount], [0, 0, 1])
  assert.deepEqual(values(await pull('jobs', '&max=5')), [{ two: 2 }, 'three'])
  assert.deepEqual(await pull('jobs'), [])
  const done = await say('jobs', one!, 'ack')
  assert.deepEqual([done.status, done.json], [200, { leaseId: one!.leaseId, action: 'ack' }])
  // A lost answer is asked for again.
  assert.equal((await say('jobs', one!, 'ack')).status, 200)
  const other = await ask(`${url}/topics/jobs/pull?group=others&max=10`, { method: 'POST' })
  assert.equal(other.json.records.length, 3)
})

test('who settles a lease that is over hears that it is', async () => {
  await push('brief', 'x')
  const [first] = await pull('brief', '&leaseMs=100')
  const [second] = await pull('brief', '&waitMs=5000')
  assert.deepEqual([second!.value, second!.deliveryCount], ['x', 2])
  for (const action of ['ack', 'release', 'reject', 'renew']) {
    const answer = await say('brief', first!, action)
    assert.equal(answer.status, 409)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
    assert.equal(answer.json.type, 'urn:ottla:problem:lease-over')
  }
  assert.equal((await say('brief', second!, 'ack')).status, 200)
})

test('a worker that waits gets the next message as soon as it is there', async () => {
  await push('soon', 'first')
  await say('soon', (await pull('soon'))[0]!, 'ack')
  const waiting = pull('soon', '&waitMs=10000')
  await sleep(50)
  const before = performance.now()
  await push('soon', 'second')
  assert.deepEqual(values(await waiting), ['second'])
  assert.ok(performance.now() - before < 2000)
  const late = performance.now()
  assert.deepEqual(await pull('soon', '&waitMs=100'), [])
  assert.ok(performance.now() - late >= 99)
})

test('a worker may be there before its topic', async () => {
  const waiting = pull('later', '&waitMs=10000')
  await sleep(50)
  await push('later', 'x')
  assert.deepEqual(values(await waiting), ['x'])
})

test('a released message goes to the next worker, who may be waiting, or after a rest', async () => {
  await push('released', 'x')
  const [first] = await pull('released')
  const waiting = pull('released', '&waitMs=10000')
  await sleep(20)
  assert.equal((await say('released', first!, 'release', '?delayMs=150')).status, 200)
  const released = performance.now()
  const [second] = await waiting
  assert.ok(performance.now() - released >= 100)
  assert.equal(second!.deliveryCount, 2)
})

test('a renewed lease is longer', async () => {
  await push('renewed', 'x')
  const [first] = await pull('renewed', '&leaseMs=300')
  assert.equal((await say('renewed', first!, 'renew', '?leaseMs=60000')).status, 200)
  assert.deepEqual(await pull('renewed', '&waitMs=500'), [])
  assert.equal((await say('renewed', first!, 'ack')).status, 200)
})

async function deadLetters(
  topic: string,
  count: number,
): Promise<{ value: unknown; headers: Record<string, string> }[]> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(`${url}/topics/${topic}.dlq/records?partition=0`)
    if (answer.status === 200 && answer.json.records.length >= count) return answer.json.records
    assert.ok(attempt < 200, `dead letters: ${answer.text}`)
    await sleep(50)
  }
}

test('what was rejected, or handed out too often, is a dead letter that says why', async () => {
  await ask(`${url}/topics/sick/records`, { body: { key: 'k', value: 'bad', headers: { trace: 'abc' } } })
  await push('sick', 'tired')
  const [bad, tired] = await pull('sick', '&max=2')
  assert.equal((await say('sick', bad!, 'reject', '?reason=not%20Latin')).status, 200)
  await say('sick', tired!, 'release')
  const [again] = await pull('sick')
  await say('sick', again!, 'release')
  assert.deepEqual(await pull('sick', '&max=5'), [])
  const letters = await deadLetters('sick', 2)
  const about = (offset: number, count: number, message: string) => ({
    '__dlq.errors.topic': 'sick',
    '__dlq.errors.partition': '0',
    '__dlq.errors.offset': String(offset),
    '__dlq.errors.group': 'workers',
    '__dlq.errors.delivery.count': String(count),
    '__dlq.errors.message': message,
  })
  const found = new Map(letters.map(({ value, headers }) => [value, headers]))
  assert.deepEqual(found.get('bad'), { trace: 'abc', ...about(0, 1, 'not Latin') })
  assert.deepEqual(found.get('tired'), about(1, 2, 'delivery limit reached'))
  const groups = await ask(`${url}/topics/sick/pull?group=workers&max=5`, { method: 'POST' })
  assert.deepEqual(groups.json.records, [])
})

test('many leases at once', async () => {
  await push('many', 1, 2, 3, 4)
  const [a, b, c, d] = await pull('many', '&max=4')
  const answer = await ask(`${url}/topics/many/leases`, {
    body: {
      leases: [
        { leaseId: a!.leaseId, action: 'ack' },
        { leaseId: b!.leaseId, action: 'release' },
        { leaseId: c!.leaseId, action: 'reject', reason: 'no' },
        { leaseId: d!.leaseId, action: 'renew', leaseMs: 1000 },
        { leaseId: a!.leaseId, action: 'renew' },
      ],
    },
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.json.over, 1)
  assert.deepEqual(
    answer.json.leases.map(({ action, done }: { action: string; done: boolean }) => `${action} ${done}`),
    ['ack true', 'release true', 'reject true', 'renew true', 'renew false'],
  )
  assert.deepEqual(values(await pull('many', '&max=4')), [2])
})

test('large messages come some at a time, and none of them is counted as delivered before', async () => {
  const { url } = await start({ config: { 'num.partitions': 1 } })
  const count = 30
  for (let i = 0; i < count; i++) {
    const headers = { 'content-type': 'application/octet-stream' }
    await ask(`${url}/topics/large/records`, { body: Buffer.alloc(300_000, 'x'), headers })
  }
  const offsets: number[] = []
  for (let pulls = 0; offsets.length < count; pulls++) {
    assert.ok(pulls < 10, `${offsets}`)
    const records = await pull('large', '&max=1000&waitMs=2000', url)
    assert.ok(records.length <= 6, `${records.length}`)
    assert.ok(records.every(({ deliveryCount }) => deliveryCount === 1))
    offsets.push(...records.map(({ offset }) => offset))
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: count }, (_, i) => i),
  )
  // What is acknowledged unseen is what came.
  const auto = await ask(`${url}/topics/large/pull?group=auto&max=1000&autoAck=true`, { method: 'POST' })
  const rest = await ask(`${url}/topics/large/pull?group=auto&max=1000`, { method: 'POST' })
  assert.deepEqual([auto.json.records.length, rest.json.records[0].offset], [6, 6])
})

test('autoAck hands out once and for all', async () => {
  await push('once', 'x')
  const [only] = await pull('once', '&autoAck=true')
  assert.deepEqual([only!.value, only!.leaseId], ['x', null])
  assert.deepEqual(await pull('once', '&waitMs=100'), [])
})

test('a group that begins at the latest gets what comes after its first pull', async () => {
  await push('news', 'old')
  assert.deepEqual(await pull('news', '&from=latest'), [])
  await push('news', 'new')
  assert.deepEqual(values(await pull('news', '&from=latest&waitMs=1000')), ['new'])
})

test('what has expired is not handed out', async () => {
  const expires = { 'ottla-expires-at': String(Date.now() - 1) }
  await ask(`${url}/topics/short/records`, { body: { value: 'gone', headers: expires } })
  await push('short', 'here')
  assert.deepEqual(values(await pull('short', '&max=5&waitMs=1000')), ['here'])
})

test('a worker that has gone gets nothing: the message is there for the next one', async () => {
  await push('left', 'first')
  await say('left', (await pull('left'))[0]!, 'ack')
  const gone = new AbortController()
  const waiting = ask(`${url}/topics/left/pull?group=workers&waitMs=10000`, { method: 'POST', signal: gone.signal })
  await sleep(50)
  gone.abort()
  await assert.rejects(waiting)
  await sleep(50)
  await push('left', 'second')
  assert.deepEqual(values(await pull('left', '&waitMs=5000')), ['second'])
})

test('requests that make no sense are refused with what is wrong', async () => {
  const wrong: [string, unknown, number][] = [
    ['/topics/jobs/pull?max=0', undefined, 400],
    ['/topics/jobs/pull?leaseMs=1', undefined, 400],
    ['/topics/jobs/pull?from=yesterday', undefined, 400],
    ['/topics/jobs/leases/nonsense/ack', undefined, 400],
    ['/topics/jobs/leases', { leases: [{ leaseId: 'nonsense', action: 'ack' }] }, 400],
    ['/topics/jobs/leases', { leases: [{ leaseId: '0-0-1-Zw', action: 'eat' }] }, 400],
    ['/topics/nowhere/leases/0-0-1-Zw/ack', undefined, 404],
    ['/topics/jobs/leases/0-0-1-Zw/ack', undefined, 409],
  ]
  for (const [path, body, status] of wrong) {
    const answer = await ask(`${url}${path}`, { method: 'POST', body })
    assert.equal(answer.status, status, `${path}: ${answer.text}`)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  }
})

test('thirty workers and three hundred messages: each is done once', async () => {
  const count = 300
  await push('crowd', ...Array.from({ length: count }, (_, i) => i))
  const done: number[] = []
  const worker = async () => {
    while (done.length < count) {
      const [record] = await pull('crowd', '&waitMs=200')
      if (record === undefined) continue
      if ((await say('crowd', record, 'ack')).status === 200) done.push(record.value as number)
    }
  }
  await Promise.all(Array.from({ length: 30 }, worker))
  assert.deepEqual(
    done.sort((one, other) => one - other),
    Array.from({ length: count }, (_, i) => i),
  )
})

test('lease groups are listed, described, reset and forgotten', async () => {
  await push('watched', 1, 2, 3, 4)
  const post = (path: string, body?: unknown) => ask(`${url}${path}`, { method: 'POST', body })
  const { json } = await post('/topics/watched/pull?group=watchers&max=3')
  const [one, two] = json.records as Leased[]
  await say('watched', one!, 'ack')
  await say('watched', two!, 'release')
  const described = await ask(`${url}/lease-groups/watchers`)
  assert.equal(described.status, 200, described.text)
  const [partition] = described.json.partitions
  assert.ok(partition.oldestLeaseEnds > Date.now())
  const sums = { lag: 3, acquired: 1, waiting: 1, dying: 0 }
  assert.deepEqual(described.json, {
    group: 'watchers',
    ...sums,
    partitions: [
      {
        topic: 'watched',
        partition: 0,
        startOffset: 1,
        endOffset: 3,
        ...sums,
        oldestLeaseEnds: partition.oldestLeaseEnds,
      },
    ],
  })
  const listed = await ask(`${url}/lease-groups`)
  const found = listed.json.groups.find(({ group }: { group: string }) => group === 'watchers')
  assert.deepEqual(found, { group: 'watchers', topics: ['watched'], ...sums })
  assert.equal((await ask(`${url}/lease-groups/watchers`, { method: 'DELETE' })).status, 409)
  const reset = { topic: 'watched', to: { offset: 3 } }
  assert.equal((await post('/lease-groups/watchers/reset', reset)).status, 409)
  await say('watched', (json.records as Leased[])[2]!, 'ack')
  const far = await post('/lease-groups/watchers/reset', { topic: 'watched', to: { offset: 1e9 }, partitions: [0] })
  assert.deepEqual(far.json.offsets, [{ partition: 0, offset: 4 }])
  const moved = await post('/lease-groups/watchers/reset', reset)
  assert.deepEqual(moved.json, { group: 'watchers', topic: 'watched', offsets: [{ partition: 0, offset: 3 }] })
  assert.deepEqual(values((await post('/topics/watched/pull?group=watchers&max=5&autoAck=true')).json.records), [4])
  assert.equal((await ask(`${url}/lease-groups/watchers`, { method: 'DELETE' })).status, 204)
  assert.equal((await ask(`${url}/lease-groups/watchers`)).status, 404)
})

test('metrics tell of leases', async () => {
  const { text } = await ask(`${url}/metrics`)
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  assert.ok(value('ottla_lease_groups') > 1)
  assert.ok(value('ottla_leases_given_total') > 300)
  assert.ok(value('ottla_dead_letters_total') >= 3)
  assert.equal(value('ottla_pulls'), 0)
  assert.ok(value('ottla_pull_cache_hits_total') > 10 * value('ottla_pull_cache_reads_total'))
})
