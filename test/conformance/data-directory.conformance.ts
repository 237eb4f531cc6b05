// One data directory, opened by ottla and by Apache Kafka in turn: what one has written, the other serves and continues.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseAddresses } from '../../src/client/address.ts'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { startBroker } from '../../src/index.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { missing } from './kafka-jars.ts'

const skip = missing() ?? false
const scripts = fileURLToPath(new URL('../../../test/peers/kafka/', import.meta.url))
const peerPort = Number(process.env.OTTLA_PEER_PORT ?? 29796)
const heap = { ...process.env, KAFKA_HEAP_OPTS: '-Xmx512M -Xms128M' }

interface Running {
  readonly bootstrap: string
  stop(): Promise<void>
}

/** Keeps its state where Kafka's start script keeps that of its first node. */
const dataOf = (directory: string) => join(directory, 'node1', 'data')

async function startOurs(directory: string): Promise<Running> {
  return startBroker({ data: dataOf(directory) })
}

async function startKafka(directory: string): Promise<Running> {
  execFileSync(join(scripts, 'start.sh'), ['--port', String(peerPort), '--dir', directory], {
    stdio: 'ignore',
    env: heap,
  })
  return {
    bootstrap: `127.0.0.1:${peerPort}`,
    stop: async () => void execFileSync(join(scripts, 'stop.sh'), [directory], { stdio: 'ignore' }),
  }
}

function tool(...args: string[]): string {
  return execFileSync(join(scripts, 'tool.sh'), args, {
    encoding: 'utf8',
    env: heap,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

async function withCluster<T>(broker: Running, run: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster(nodeWorld, { bootstrap: parseAddresses(broker.bootstrap) })
  try {
    return await run(cluster)
  } finally {
    cluster.close()
  }
}

/** Writes `count` records, numbered from `from` on, to both partitions. */
async function produce(cluster: Cluster, topic: string, from: number, count: number): Promise<void> {
  const producer = new Producer(cluster)
  const sent = Array.from({ length: count }, (_, index) =>
    producer.send({ topic, partition: index % 2, value: Buffer.from(String(from + index)) }),
  )
  await producer.close()
  await Promise.all(sent)
}

/** All numbers in a topic, sorted; each once, and in each partition in order. */
async function consume(cluster: Cluster, topic: string, count: number): Promise<number[]> {
  const consumer = new Consumer(cluster)
  await consumer.assign([0, 1].map(partition => ({ topic, partition, start: 'earliest' as const })))
  const numbers: number[] = []
  const last = [-1, -1]
  for (let idle = 0; numbers.length < count && idle < 20; ) {
    const records = await consumer.poll(500)
    idle = records.length === 0 ? idle + 1 : 0
    for (const { partition, value } of records) {
      const number = Number(Buffer.from(value!).toString())
      assert.ok(number > last[partition]!, `${number} after ${last[partition]} in partition ${partition}`)
      last[partition] = number
      numbers.push(number)
    }
  }
  await consumer.close()
  return numbers.sort((a, b) => a - b)
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

async function retention(cluster: Cluster, topic: string): Promise<string | null | undefined> {
  const configs = await new Admin(cluster).describeConfigs({ type: 'topic', name: topic }, ['retention.ms'])
  return configs[0]?.value
}

/** Kafka's own reader finds nothing wrong with any file of the metadata, nor with a partition's log. */
function dump(directory: string, ...partitions: string[]): void {
  for (const partition of ['__cluster_metadata-0', ...partitions]) {
    const folder = join(dataOf(directory), partition)
    const files = readdirSync(folder).filter(name => /\.(log|checkpoint|index|timeindex)$/.test(name))
    assert.ok(
      files.some(name => name.endsWith('.log')),
      `no log in ${folder}`,
    )
    const decoder = partition.startsWith('__cluster') ? ['--cluster-metadata-decoder'] : ['--deep-iteration']
    const paths = files.map(name => join(folder, name)).join(',')
    const text = tool('kafka-dump-log', ...decoder, '--files', paths)
    assert.match(text, /isvalid: true/)
    assert.doesNotMatch(text, /isvalid: false|Mismatches in|Could not/)
  }
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ottla-directory-'))
  try {
    await run(directory)
  } finally {
    if (existsSync(join(directory, 'pids'))) execFileSync(join(scripts, 'stop.sh'), [directory], { stdio: 'ignore' })
    rmSync(directory, { recursive: true, force: true })
  }
}

// A broker that stops in an otherwise idle process does not keep it alive.
const alive = setInterval(() => {}, 1000)
test.after(() => clearInterval(alive))

async function turn(broker: Running, run: (cluster: Cluster) => Promise<void>): Promise<void> {
  try {
    await withCluster(broker, run)
  } finally {
    await broker.stop()
  }
}

test('Kafka continues what ottla has begun, and ottla what Kafka has continued', { skip, timeout: 180_000 }, () =>
  inDirectory(async directory => {
    await turn(await startOurs(directory), async cluster => {
      const admin = new Admin(cluster)
      await admin.createTopics([
        { name: 'numbers', partitions: 2, configs: { 'retention.ms': '86400001' } },
        { name: 'gone', partitions: 3 },
      ])
      await admin.deleteTopics(['gone'])
      await produce(cluster, 'numbers', 0, 1000)
    })
    dump(directory, 'numbers-0', 'numbers-1')
    // Once more, so that there is a second leader epoch.
    await turn(await startOurs(directory), async cluster => produce(cluster, 'numbers', 1000, 100))

    await turn(await startKafka(directory), async cluster => {
      const described = tool('kafka-topics', '--bootstrap-server', `127.0.0.1:${peerPort}`, '--describe')
      assert.match(described, /Topic: numbers.*PartitionCount: 2.*retention\.ms=86400001/)
      assert.doesNotMatch(described, /Topic: gone/)
      assert.deepEqual(await consume(cluster, 'numbers', 1100), upTo(1100))
      await produce(cluster, 'numbers', 1100, 500)
      await new Admin(cluster).createTopics([{ name: 'kafkas', partitions: 2 }])
      await produce(cluster, 'kafkas', 0, 10)
    })

    await turn(await startOurs(directory), async cluster => {
      assert.equal(await retention(cluster, 'numbers'), '86400001')
      assert.deepEqual(await consume(cluster, 'numbers', 1600), upTo(1600))
      assert.deepEqual(await consume(cluster, 'kafkas', 10), upTo(10))
      await produce(cluster, 'numbers', 1600, 10)
      assert.deepEqual(await consume(cluster, 'numbers', 1610), upTo(1610))
    })
    dump(directory, 'numbers-0', 'numbers-1', 'kafkas-0')
  }),
)

test('ottla continues what Kafka has begun, and Kafka what ottla has continued', { skip, timeout: 180_000 }, () =>
  inDirectory(async directory => {
    await turn(await startKafka(directory), async cluster => {
      await new Admin(cluster).createTopics([
        { name: 'numbers', partitions: 2, configs: { 'retention.ms': '86400001' } },
      ])
      await produce(cluster, 'numbers', 0, 1000)
    })
    const meta = readFileSync(join(dataOf(directory), 'meta.properties'), 'utf8')

    await turn(await startOurs(directory), async cluster => {
      assert.equal(await retention(cluster, 'numbers'), '86400001')
      assert.deepEqual(await consume(cluster, 'numbers', 1000), upTo(1000))
      await produce(cluster, 'numbers', 1000, 500)
      await new Admin(cluster).createTopics([{ name: 'ours', partitions: 2 }])
      await produce(cluster, 'ours', 0, 10)
    })
    assert.equal(readFileSync(join(dataOf(directory), 'meta.properties'), 'utf8'), meta)
    dump(directory, 'numbers-0', 'ours-1')

    await turn(await startKafka(directory), async cluster => {
      assert.deepEqual(await consume(cluster, 'numbers', 1500), upTo(1500))
      assert.deepEqual(await consume(cluster, 'ours', 10), upTo(10))
    })
  }),
)
