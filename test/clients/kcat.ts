import assert from 'node:assert/strict'
import { type CommandScenario, lines, type Place, run } from './command.ts'

const kcat = ({ bootstrap }: Place, args: string[], input?: string) =>
  run('kcat', ['-b', bootstrap, '-m', '15', ...args], { ...(input === undefined ? {} : { input }) })

/** kcat makes no topics: it lives on auto-creation, so its topics have the broker's default number of partitions. */
const metadata: CommandScenario = async place => {
  const topic = place.name('metadata')
  await kcat(place, ['-P', '-t', topic, '-l'], 'first\n')
  const { out } = await kcat(place, ['-L', '-J'])
  const answer = JSON.parse(out) as { brokers: { name: string }[]; topics: { topic: string; partitions: unknown[] }[] }
  assert.ok(answer.brokers.length > 0)
  const found = answer.topics.find(t => t.topic === topic)
  assert.equal(found?.partitions.length, 1, 'the topic was created by asking for it')
  return undefined
}

const records: CommandScenario = async place => {
  const topic = place.name('records')
  await kcat(place, ['-P', '-t', topic, '-K', ':', '-H', 'a=1', '-H', 'b=2', '-Z'], 'k1:v1\nk2:\n:v3\n')
  const { out } = await kcat(place, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J'])
  const got = lines(out).map(
    line => JSON.parse(line) as { key: string | null; payload: string | null; headers: string[] },
  )
  assert.deepEqual(
    got.map(r => [r.key, r.payload, r.headers]),
    [
      ['k1', 'v1', ['a', '1', 'b', '2']],
      ['k2', null, ['a', '1', 'b', '2']],
      [null, 'v3', ['a', '1', 'b', '2']],
    ],
  )
  return undefined
}

const compression: CommandScenario = async place => {
  const sent = Array.from({ length: 2000 }, (_, i) => `line ${i} ${'.'.repeat(50)}`)
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = place.name(codec)
    await kcat(place, ['-P', '-t', topic, '-z', codec], sent.join('\n'))
    const { out } = await kcat(place, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])
    assert.deepEqual(lines(out), sent, codec)
  }
  return undefined
}

const offsets: CommandScenario = async place => {
  const topic = place.name('offsets')
  await kcat(place, ['-P', '-t', topic], 'a\nb\nc\nd\n')
  const read = async (from: string) => lines((await kcat(place, ['-C', '-t', topic, '-o', from, '-e', '-q'])).out)
  assert.deepEqual(await read('beginning'), ['a', 'b', 'c', 'd'])
  assert.deepEqual(await read('2'), ['c', 'd'])
  assert.deepEqual(await read('-1'), ['d'])
  assert.deepEqual(await read('s@1'), ['a', 'b', 'c', 'd'])
  const { out } = await kcat(place, ['-Q', '-t', `${topic}:0:-1`, '-t', `${topic}:0:-2`])
  assert.match(out, new RegExp(`${topic} \\[0\\] offset [04]`))
  return undefined
}

const group: CommandScenario = async place => {
  const topic = place.name('group')
  await kcat(place, ['-P', '-t', topic], 'a\nb\n')
  // -c ends it after that many records: it leaves and has committed.
  const read = async (count: string) => {
    const args = [
      '-G',
      topic,
      '-c',
      count,
      '-q',
      '-X',
      'auto.offset.reset=earliest',
      '-X',
      'session.timeout.ms=6000',
      topic,
    ]
    return lines((await kcat(place, args)).out)
  }
  assert.deepEqual(await read('2'), ['a', 'b'])
  await kcat(place, ['-P', '-t', topic], 'c\nd\n')
  assert.deepEqual(await read('2'), ['c', 'd'])
  return undefined
}

const bulk: CommandScenario = async place => {
  const topic = place.name('bulk')
  const count = 100_000
  const sent = Array.from({ length: count }, (_, i) => String(i))
  await kcat(place, ['-P', '-t', topic, '-X', 'enable.idempotence=true'], sent.join('\n'))
  const { out } = await kcat(place, ['-C', '-t', topic, '-o', 'beginning', '-e', '-q'])
  const got = lines(out)
  assert.equal(got.length, count)
  assert.ok(
    got.every((line, i) => line === sent[i]),
    'the order of sending',
  )
  return undefined
}

export const kcatScenarios: Record<string, CommandScenario> = { metadata, records, compression, offsets, group, bulk }
