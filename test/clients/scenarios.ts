import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Agent, type Hello, type Program, type Row, type Sent } from './agent.ts'

/** One client against one broker. Scenarios share the agent; a scenario that throws has failed. */
export interface Bench {
  hello: Hello
  agent: Agent
  program: Program
  bootstrap: string
  /** A name that nobody used before. */
  name(what: string): string
  /** Creates a topic and gives the broker its time to settle (none, unless the run was told otherwise). */
  create(topic: string, partitions: number): Promise<void>
  /** Messages of the bulk scenario. */
  count: number
  /** Nodes are restarted meanwhile: a group reads again what it had not committed, retries without idempotence write again. */
  restarts: boolean
}

/** Resolves to a note for the table, or to `{ skipped }` with the reason. */
export type Scenario = (bench: Bench) => Promise<string | { skipped: string } | undefined>

async function until(what: string, ms: number, holds: () => boolean): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`)
    await sleep(20)
  }
}

const values = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Without what was read twice, and written twice by a retry: the first of each stays. */
function firsts(rows: Row[]): Row[] {
  const seen = new Set<number>()
  return rows.filter(([, , n]) => !seen.has(n) && seen.add(n))
}

/** Every number of [0, count) once, and per partition in the order of sending. */
export function checkRows(all: Row[], count: number, partitions: number, restarts = false): void {
  const rows = restarts ? firsts(all) : all
  assert.equal(rows.length, count, `received ${rows.length} of ${count}`)
  const next = values(0, partitions)
  const offset = next.map(() => -1)
  for (const [p, o, n] of rows) {
    assert.equal(n, next[p], `partition ${p} offset ${o}: expected ${next[p]}, got ${n}`)
    assert.ok(o > offset[p]!, `partition ${p}: offset ${o} after ${offset[p]}`)
    next[p] = n + partitions
    offset[p] = o
  }
}

/**
 * Does again what failed while nodes are restarted: most clients tell their user that a node is away when he makes or deletes
 * a topic. What is `done` already was done, and only its answer lost.
 */
export async function persistent<T>(restarts: boolean, done: RegExp, ask: () => Promise<T>): Promise<T | null> {
  for (let i = 0; ; i++) {
    try {
      return await ask()
    } catch (error) {
      if (i > 0 && done.test(String(error))) return null
      if (!restarts || i === 30) throw error
      await sleep(200)
    }
  }
}

const topics: Scenario = async ({ agent, name, restarts }) => {
  const topic = name('topics')
  const create = () => agent.do('create', { topic, partitions: 5 })
  const { partitions } = (await persistent(restarts, /exist/i, create)) ?? { partitions: 5 }
  assert.equal(partitions, 5)
  await assert.rejects(create, 'a topic that exists cannot be created again')
  const ask = () => agent.do('delete', { topic })
  const { gone } = (await persistent(restarts, /unknown.?topic|does not (exist|host)/i, ask)) ?? { gone: true }
  assert.ok(gone, 'the deleted topic is still listed')
  return undefined
}

const records: Scenario = async ({ agent, create, hello, name, restarts }) => {
  const topic = name('records')
  await create(topic, 1)
  const headers: [string, string][] = [
    ['trace', 'abc-123'],
    ['empty', ''],
    ['naïve', 'ünïcödé ☃'],
  ]
  if (hello.duplicateHeaders) headers.push(['trace', 'again'])
  const older = hello.olderTimestamps === false ? 1_700_000_000_123 : 1_600_000_000_000
  const sent: Sent[] = [
    { partition: 0, key: 'key', value: 'value', headers, timestamp: 1_700_000_000_123 },
    { partition: 0, key: null, value: 'no key', headers: [], timestamp: older },
    { partition: 0, key: 'tombstone', value: null, headers: [], timestamp: 1_700_000_000_124 },
    { partition: 0, key: '', value: 'empty key', headers: [], timestamp: 1_700_000_000_125 },
    { partition: 0, key: 'ключ', value: 'värde 値 🦦', headers: [], timestamp: 1_700_000_000_126 },
    { partition: 0, key: 'large', value: 'x'.repeat(300_000), headers: [], timestamp: 1_700_000_000_127 },
  ]
  // What is sent again must not be written twice here.
  const idempotent = restarts && hello.idempotent
  const { offsets } = await agent.do('produce', { topic, records: sent, idempotent })
  assert.equal(offsets['0'], 0, 'base offset of the first batch')
  const got = (await agent.do('consume', { topic, group: topic, count: sent.length })).records
  const none = (s: string | null) => (hello.emptyIsNull && s === '' ? null : s)
  const plain = sent.map(r => ({ ...r, key: none(r.key), value: none(r.value) }))
  for (const [i, { offset, ...r }] of got.entries()) {
    const shortened = { ...r, value: r.value && r.value.length > 1000 ? r.value.length : r.value }
    assert.ok(isDeepStrictEqual(r, plain[i]), `record ${i} came back as ${JSON.stringify(shortened)}`)
  }
  assert.deepEqual(
    got.map(r => r.offset),
    values(0, sent.length),
  )
  return undefined
}

const compression =
  (codec: string): Scenario =>
  async ({ agent, create, hello, name, restarts }) => {
    if (!hello.compressions.includes(codec)) return { skipped: `${hello.client} here has no ${codec}` }
    const topic = name(codec)
    await create(topic, 3)
    await agent.do('bulk', { topic, partitions: 3, count: 3000, size: 400, compression: codec, idempotent: false })
    const { rows } = await agent.do('consume', { topic, group: topic, count: 3000, slim: true })
    // Without idempotence what is sent again may be overtaken by what was under way, by Kafka's own rules.
    checkRows(
      restarts
        ? firsts(rows)
            .sort((a, b) => a[2] - b[2])
            .map(([p, , n]) => [p, n, n])
        : rows,
      3000,
      3,
    )
    return undefined
  }

/** Without a group's committed offset a reader starts at its reset policy; with one it goes on from there. */
const offsets: Scenario = async ({ agent, create, name, program, bootstrap, restarts }) => {
  const topic = name('offsets')
  await create(topic, 2)
  const consume = (group: string, count: number) => agent.do('consume', { topic, group, count, slim: true })
  await agent.do('bulk', { topic, partitions: 2, count: 100, size: 10 })
  checkRows((await consume(`${topic}-a`, 100)).rows, 100, 2, restarts)
  await agent.do('bulk', { topic, partitions: 2, from: 100, count: 50, size: 10 })
  const resumed = (await consume(`${topic}-a`, 50)).rows.map(r => r[2]).sort((a, b) => a - b)
  // The last commit may have met a coordinator that was going.
  const fresh = restarts ? [...new Set(resumed.filter(n => n >= 100))] : resumed
  assert.deepEqual(fresh, values(100, 150), 'a restarted consumer goes on where it committed')
  checkRows((await consume(`${topic}-b`, 150)).rows, 150, 2, restarts)

  const member = new Agent(program, bootstrap)
  try {
    await member.do('join', { topic, group: `${topic}-latest`, sessionMs: 6000, reset: 'latest' })
    await until('an assignment', restarts ? 60_000 : 20_000, () => member.assigned?.length === 2)
    let next = 150
    for (; member.rows.length === 0 && next < 190; next += 2) {
      await agent.do('bulk', { topic, partitions: 2, from: next, count: 2, size: 10 })
      await sleep(250)
    }
    assert.ok(member.rows.length > 0, 'a reader from the latest offset sees new records')
    const first = Math.min(...member.rows.map(r => r[2]))
    assert.ok(first >= 150, `a reader from the latest offset saw the old record ${first}`)
    await member.do('leave', {})
  } finally {
    await member.close()
  }
  return resumed.length > 50 ? `${resumed.length - 50} of the first 100 read again: not committed` : undefined
}

const idempotent: Scenario = async ({ agent, create, hello, name, restarts }) => {
  if (!hello.idempotent) return { skipped: `${hello.client} has no idempotent producer` }
  const topic = name('idempotent')
  await create(topic, 3)
  // Two producers one after the other: each has an id of its own and numbers from 0.
  await agent.do('bulk', { topic, partitions: 3, count: 6000, size: 50, idempotent: true })
  await agent.do('bulk', {
    topic,
    partitions: 3,
    from: 6000,
    count: 6000,
    size: 50,
    idempotent: true,
    compression: 'gzip',
  })
  const { rows } = await agent.do('consume', { topic, group: topic, count: 12_000, slim: true })
  // An idempotent producer writes nothing twice, whatever happens: one number has one offset.
  assert.equal(new Set(rows.map(([p, o]) => `${p} ${o}`)).size, new Set(rows.map(row => row[2])).size)
  checkRows(rows, 12_000, 3, restarts)
  return undefined
}

const bulk: Scenario = async ({ agent, create, hello, name, count, restarts }) => {
  const topic = name('bulk')
  const partitions = 4
  await create(topic, partitions)
  const begun = Date.now()
  await agent.do('bulk', { topic, partitions, count, size: 100, idempotent: hello.idempotent }, 120_000)
  const sent = Date.now()
  const { rows } = await agent.do('consume', { topic, group: topic, count, slim: true, timeoutMs: 90_000 }, 120_000)
  checkRows(rows, count, partitions, restarts)
  return `${count} sent in ${sent - begun} ms, read in ${Date.now() - sent} ms`
}

/** Three members come one after the other, one leaves, one dies, and nothing that was sent stays unread. */
const group: Scenario = async ({ agent, create, hello, name, program, bootstrap, restarts }) => {
  const topic = name('group')
  const partitions = 6
  await create(topic, partitions)
  const members: Agent[] = []
  let sent = 0
  const more = async () => {
    await agent.do('bulk', { topic, partitions, from: sent, count: 60, size: 10 })
    sent += 60
  }
  const join = async () => {
    const member = new Agent(program, bootstrap)
    members.push(member)
    await member.do('join', { topic, group: topic, sessionMs: 6000, reset: 'earliest' })
  }
  const shared = (alive: Agent[]) => {
    const all = alive.flatMap(m => m.assigned ?? []).sort((a, b) => a - b)
    const even = alive.every(m => (m.assigned?.length ?? 0) === partitions / alive.length)
    return even && all.join() === values(0, partitions).join()
  }
  const stable = async (alive: Agent[], step: string) => {
    try {
      await until(step, restarts ? 90_000 : 40_000, () => shared(alive))
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(members.map(m => [m.assigned, ...m.errors]))}`)
    }
  }
  const begun = Date.now()
  const times: number[] = []
  try {
    for (const many of ['one member with all partitions', 'two members with half each', 'three with a third each']) {
      await join()
      await more()
      await stable(members, many)
      times.push(Date.now() - begun)
    }
    await more()
    const [first, second, third] = members as [Agent, Agent, Agent]
    await first.do('leave', {})
    await stable([second, third], 'two members after one left')
    times.push(Date.now() - begun)
    await more()
    second.kill()
    await stable([third], 'one member after one crashed')
    times.push(Date.now() - begun)
    await more()
    const seen = () => new Set(members.flatMap(m => m.rows.map(r => r[2])))
    await until('all records', restarts ? 60_000 : 20_000, () => seen().size === sent)
    await third.do('leave', {})
    await more()
    const { rows } = await agent.do('consume', { topic, group: topic, count: 60, slim: true })
    const after = rows.map(r => r[2]).sort((a, b) => a - b)
    assert.deepEqual(after, values(sent - 60, sent), `${hello.client}: the next owner reads only what is new`)
  } finally {
    await Promise.all(members.map(m => m.close()))
  }
  return `settled after ${times.join(', ')} ms`
}

export const scenarios: Record<string, Scenario> = {
  topics,
  records,
  'compression-none': compression('none'),
  'compression-gzip': compression('gzip'),
  'compression-snappy': compression('snappy'),
  'compression-lz4': compression('lz4'),
  'compression-zstd': compression('zstd'),
  idempotent,
  offsets,
  group,
  bulk,
}
