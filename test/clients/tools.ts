import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandScenario, lines, type Place, run, withFile } from './command.ts'
import { cache, toolScript } from './programs.ts'

/** The JVM keeps the tools' classes here after the first run: halves the time of each later start. */
const archive = join(cache, 'clients/kafka-tools.jsa')

interface Extra {
  input?: string
  ms?: number
  fails?: boolean
  /** The tool wants its sub-command before the address. */
  verb?: boolean
}

/** One of Kafka's own tools, by the name of its script, against the broker. */
export async function tool({ bootstrap }: Place, name: string, args: string[], extra: Extra = {}): Promise<string> {
  const kept = existsSync(archive)
  const share = kept ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${archive}`
  const env = {
    KAFKA_JVM_PERFORMANCE_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xlog:disable -Xlog:all=error:stderr',
    KAFKA_OPTS: `${process.env.KAFKA_OPTS ?? ''} ${share} -Xshare:auto`,
  }
  const where = ['--bootstrap-server', bootstrap]
  const words = extra.verb ? [...args, ...where] : [...where, ...args]
  const { out, err } = await run(toolScript, [name, ...words], { env, ...extra })
  return extra.fails ? out + err : out
}

async function create(place: Place, topic: string, partitions: number, ...more: string[]): Promise<string> {
  const words = ['--create', '--topic', topic, '--partitions', String(partitions), ...more]
  return tool(place, 'kafka-topics', words).catch(error => {
    // Asked again by the tool itself, since the node that had made it went before it said so.
    if (place.cluster !== undefined && /already exists/.test(String(error))) return ''
    throw error
  })
}

const topics: CommandScenario = async place => {
  const topic = place.name('topics')
  await create(place, topic, 3, '--config', 'retention.ms=3600000', '--config', 'cleanup.policy=compact,delete')
  assert.match(await create(place, topic, 3, '--if-not-exists'), /^$/)
  const again = await tool(place, 'kafka-topics', ['--create', '--topic', topic], { fails: true })
  assert.match(again, /already exists/)
  assert.ok(lines(await tool(place, 'kafka-topics', ['--list'])).includes(topic))
  await tool(place, 'kafka-topics', ['--alter', '--topic', topic, '--partitions', '5'])
  const described = await tool(place, 'kafka-topics', ['--describe', '--topic', topic])
  assert.match(described, /PartitionCount: 5\s+ReplicationFactor: \d\s+Configs: .*retention\.ms=3600000/)
  assert.match(described, /cleanup\.policy=compact,delete/)
  assert.match(
    described,
    new RegExp(`Topic: ${topic}\\s+Partition: 4\\s+Leader: \\d+\\s+Replicas: [\\d,]+\\s+Isr: [\\d,]+`),
  )
  await tool(place, 'kafka-topics', ['--delete', '--topic', topic])
  assert.ok(!lines(await tool(place, 'kafka-topics', ['--list'])).includes(topic))
  return undefined
}

const configs: CommandScenario = async place => {
  const topic = place.name('configs')
  await create(place, topic, 1)
  const entity = ['--entity-type', 'topics', '--entity-name', topic]
  const describe = (...more: string[]) => tool(place, 'kafka-configs', ['--describe', ...entity, ...more])
  await tool(place, 'kafka-configs', ['--alter', ...entity, '--add-config', 'max.message.bytes=12345,retention.ms=777'])
  const changed = await describe()
  assert.match(changed, /max\.message\.bytes=12345/)
  assert.match(changed, /retention\.ms=777/)
  await tool(place, 'kafka-configs', ['--alter', ...entity, '--delete-config', 'retention.ms'])
  const all = await describe('--all')
  assert.match(all, /max\.message\.bytes=12345 .*DYNAMIC_TOPIC_CONFIG:max\.message\.bytes=12345/)
  assert.match(all, /retention\.ms=604800000/)
  assert.match(all, /cleanup\.policy=delete/)
  const bad = await tool(place, 'kafka-configs', ['--alter', ...entity, '--add-config', 'retention.ms=often'], {
    fails: true,
  })
  assert.match(bad, /InvalidConfigurationException|InvalidRequestException/)
  const broker = await tool(place, 'kafka-configs', ['--describe', '--entity-type', 'brokers', '--all'])
  assert.match(broker, /log\.segment\.bytes=/)
  return undefined
}

const consoles: CommandScenario = async place => {
  const topic = place.name('console')
  await create(place, topic, 1)
  const reader = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL'].flatMap(p => ['--reader-property', p])
  const input = 'h1:v1,h2:v2\tk1\tvalue one\nh1:x\tk2\tNULL\nh:y\tNULL\tno key\n'
  await tool(place, 'kafka-console-producer', ['--topic', topic, ...reader], { input })
  const shown = [
    'print.key=true',
    'print.headers=true',
    'print.offset=true',
    'print.partition=true',
    'null.literal=NULL',
  ]
  const format = shown.flatMap(p => ['--formatter-property', p])
  const args = ['--topic', topic, '--from-beginning', '--max-messages', '3', '--timeout-ms', '20000', ...format]
  assert.deepEqual(lines(await tool(place, 'kafka-console-consumer', args)), [
    'Partition:0\tOffset:0\th1:v1,h2:v2\tk1\tvalue one',
    'Partition:0\tOffset:1\th1:x\tk2\tNULL',
    'Partition:0\tOffset:2\th:y\tNULL\tno key',
  ])
  return undefined
}

const groups: CommandScenario = async place => {
  const topic = place.name('groups')
  const group = place.name('group')
  await create(place, topic, 1)
  await tool(place, 'kafka-console-producer', ['--topic', topic], { input: 'a\nb\nc\nd\ne\n' })
  const read = ['--topic', topic, '--group', group, '--from-beginning', '--max-messages', '2', '--timeout-ms', '20000']
  assert.deepEqual(lines(await tool(place, 'kafka-console-consumer', read)), ['a', 'b'])
  const ask = (...args: string[]) => tool(place, 'kafka-consumer-groups', args)
  assert.ok(lines(await ask('--list')).includes(group))
  const row = (offset: number, end: number) =>
    new RegExp(`${group} +${topic} +0 +${offset} +${end} +${end - offset}\\b`)
  assert.match(await ask('--describe', '--group', group), row(2, 5))
  assert.match(await ask('--describe', '--group', group, '--state'), new RegExp(`${group} .*Empty +0`))
  const reset = ['--reset-offsets', '--group', group, '--topic', topic]
  assert.match(await ask(...reset, '--to-earliest', '--dry-run'), new RegExp(`${group} +${topic} +0 +0`))
  await ask(...reset, '--shift-by', '2', '--execute')
  assert.match(await ask('--describe', '--group', group), row(4, 5))
  await ask('--delete-offsets', '--group', group, '--topic', topic)
  await ask('--delete', '--group', group)
  assert.ok(!lines(await ask('--list')).includes(group))
  return undefined
}

const offsets: CommandScenario = async place => {
  const topic = place.name('offsets')
  await create(place, topic, 1)
  await tool(place, 'kafka-console-producer', ['--topic', topic], { input: 'a\nb\nc\nd\ne\n' })
  const at = async (time: string) => lines(await tool(place, 'kafka-get-offsets', ['--topic', topic, '--time', time]))
  assert.deepEqual(await at('latest'), [`${topic}:0:5`])
  assert.deepEqual(await at('earliest'), [`${topic}:0:0`])
  assert.match((await at('max-timestamp')).join(), new RegExp(`^${topic}:0:[0-4]$`))
  assert.deepEqual(await at('1'), [`${topic}:0:0`])
  const wish = join(tmpdir(), `${topic}.json`)
  writeFileSync(wish, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset: 3 }] }))
  const deleted = await tool(place, 'kafka-delete-records', ['--offset-json-file', wish]).finally(() => rmSync(wish))
  assert.match(deleted, new RegExp(`partition: ${topic}-0\\s+low_watermark: 3`))
  assert.deepEqual(await at('earliest'), [`${topic}:0:3`])
  const read = ['--topic', topic, '--from-beginning', '--max-messages', '2', '--timeout-ms', '20000']
  assert.deepEqual(lines(await tool(place, 'kafka-console-consumer', read)), ['d', 'e'])
  return undefined
}

const cluster: CommandScenario = async place => {
  const topic = place.name('cluster')
  await create(place, topic, 2)
  const logs = lines(await tool(place, 'kafka-log-dirs', ['--describe', '--topic-list', topic])).at(-1)!
  const { brokers } = JSON.parse(logs) as {
    brokers: {
      logDirs: { error: string | null; partitions: { partition: string; size: number; offsetLag: number }[] }[]
    }[]
  }
  const partitions = new Set(brokers.flatMap(b => b.logDirs).flatMap(d => d.partitions.map(p => p.partition)))
  assert.deepEqual([...partitions].sort(), [`${topic}-0`, `${topic}-1`])
  assert.match(await tool(place, 'kafka-cluster', ['cluster-id'], { verb: true }), /Cluster ID: [\w-]{22}/)
  const versions = await tool(place, 'kafka-broker-api-versions', [])
  assert.match(versions, /Produce\(0\): \d+ to \d+ \[usable: \d+\]/)
  assert.match(versions, /Fetch\(1\): \d+ to \d+ \[usable: \d+\]/)
  return undefined
}

const verifiable: CommandScenario = async place => {
  const topic = place.name('verifiable')
  await create(place, topic, 3)
  const json = (out: string) => lines(out).map(line => JSON.parse(line) as Record<string, unknown>)
  const max = ['--max-messages', '5000']
  const produce = (...more: string[]) => tool(place, 'kafka-verifiable-producer', ['--topic', topic, ...max, ...more])
  // It does not retry unless it is told to.
  const patience = 'retries=2147483647\nenable.idempotence=true\n'
  const sent = json(
    place.cluster === undefined ? await produce() : await withFile(patience, path => produce('--command-config', path)),
  )
  assert.equal(sent.filter(e => e.name === 'producer_send_success').length, 5000)
  assert.equal(sent.filter(e => e.name === 'producer_send_error').length, 0)
  const args = [
    '--topic',
    topic,
    '--group-id',
    topic,
    '--reset-policy',
    'earliest',
    '--session-timeout',
    '6000',
    ...max,
  ]
  const got = json(await tool(place, 'kafka-verifiable-consumer', args))
  const consumed = got.filter(e => e.name === 'records_consumed')
  assert.equal(consumed.reduce((sum, e) => sum + Number(e.count), 0), 5000) // biome-ignore format: one line reads better
  assert.ok(got.some(e => e.name === 'offsets_committed' && e.success === true))
  assert.ok(got.some(e => e.name === 'partitions_assigned'))
  return undefined
}

const perf: CommandScenario = async place => {
  const topic = place.name('perf')
  await create(place, topic, 1)
  const out = await tool(place, 'kafka-producer-perf-test', [
    ...['--topic', topic, '--num-records', '100000', '--record-size', '100', '--throughput', '-1'],
    ...['--command-property', 'acks=all', 'compression.type=lz4'],
  ])
  assert.match(out, /100000 records sent, [\d.]+ records\/sec/)
  const read = await tool(place, 'kafka-consumer-perf-test', [
    '--topic',
    topic,
    '--num-records',
    '100000',
    '--timeout',
    '20000',
  ])
  const columns = lines(read).at(-1)!.split(/, */)
  assert.ok(Number(columns[4]) >= 100_000, `read ${columns[4]} records`)
  return `${out.match(/([\d.]+) records\/sec/)![1]} records/s`
}

export const toolScenarios: Record<string, CommandScenario> = {
  topics,
  configs,
  consoles,
  groups,
  offsets,
  cluster,
  verifiable,
  perf,
}
