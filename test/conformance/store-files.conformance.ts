// Apache Kafka's own reader of segments looks at what the file store writes, and the store at what Kafka has written.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { validateBatch } from '../../src/protocol/batches/iterate.ts'
import { append, batch, defaults, everything, offsets, topicId } from '../../src/store/contract.ts'
import { FileVolume } from '../../src/store/file/file-volume.ts'
import type { Store } from '../../src/store/store.ts'
import type { Logger } from '../../src/world/logger.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { missing } from './kafka-jars.ts'

const skip = missing() ?? false
const scripts = fileURLToPath(new URL('../../../test/peers/kafka/', import.meta.url))
const port = Number(process.env.OTTLA_STORE_PEER_PORT ?? 29492)
const env = { ...process.env, KAFKA_HEAP_OPTS: '-Xmx512M -Xms128M' }

function tool(input: string, ...args: string[]): string {
  return execFileSync(join(scripts, 'tool.sh'), args, {
    encoding: 'utf8',
    env,
    input,
    stdio: 'pipe',
    maxBuffer: 1 << 28,
  })
}

/** What Kafka says about every segment and index of a folder. */
function dump(directory: string, ...options: string[]): string {
  const files = readdirSync(directory).filter(name => /\.(log|index|timeindex)$/.test(name))
  assert.ok(files.length >= 3, `${files}`)
  return tool('', 'kafka-dump-log', ...options, '--files', files.map(name => join(directory, name)).join(','))
}

function assertSound(directory: string, records: number): void {
  const text = dump(directory, '--deep-iteration')
  assert.equal([...text.matchAll(/\| offset: \d+/g)].length, records)
  assert.doesNotMatch(text, /isvalid: false|Mismatches|Could not|out of order|Exception|Non-consecutive/i)
  // Its dump of an index tells each entry that does not fit the log; the sanity check is what a start of Kafka does.
  assert.doesNotMatch(dump(directory, '--verify-index-only'), /Mismatches|Could not|out of order|Exception/i)
  assert.match(dump(directory, '--index-sanity-check'), /passed sanity check/)
}

const problems: string[] = []
const logger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => problems.push(`${message} ${JSON.stringify(fields)}`),
  error: (message, fields) => problems.push(`${message} ${JSON.stringify(fields)}`),
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ottla-files-'))
  problems.length = 0
  try {
    await run(directory)
  } finally {
    if (existsSync(join(directory, 'pids'))) execFileSync(join(scripts, 'stop.sh'), [directory], { stdio: 'ignore' })
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Segments of all kinds: rolled by size, by time, by hand, by a leap of offsets; with gaps, ties and steps back in time. */
function fillWithEverything(store: Store): number {
  let records = 0
  const put = (offset: number, count: number, valueBytes: number, timestamp: number): void => {
    append(store, batch(offset, count, valueBytes, timestamp, 1))
    records += count
  }
  for (let i = 0; i < 400; i++) put(store.endOffset, 1 + (i % 5), 10 + (i % 700), 1_000_000 + 10 * i - (i % 9) * 7)
  for (let i = 0; i < 100; i++) put(store.endOffset + (i % 3), 2, 100, 2_000_000)
  store.roll()
  for (let i = 0; i < 30; i++) put(store.endOffset, 1, 50, i === 20 ? 900_000_000 : 2_000_000 + i)
  put(store.endOffset, 3, 100_000, 900_000_001)
  put(store.endOffset + 2 ** 32, 3, 10, 900_000_002)
  return records
}

test('Kafka finds nothing wrong with files of the store', { skip, timeout: 120_000 }, () =>
  inDirectory(async root => {
    const options = { ...defaults, segmentBytes: 40_000, indexIntervalBytes: 1000, segmentMs: 3_600_000 }
    const volume = await FileVolume.open(root, nodeWorld, logger)
    const store = volume.open({ topic: 'all', partition: 0 }, topicId, options)
    const records = fillWithEverything(store)
    assert.ok(store.segments().length > 6)
    const cut = volume.open({ topic: 'cut', partition: 0 }, topicId, options)
    fillWithEverything(cut)
    await cut.sync()
    const { baseOffset } = cut.segments()[2]!
    await cut.truncate(baseOffset + 5)
    const kept = [...cut.scan(0)].reduce((sum, { recordCount }) => sum + recordCount, 0)
    append(cut, batch(cut.endOffset, 7, 100, 1_500_000, 2))
    await volume.close(1)
    assertSound(join(root, 'all-0'), records)
    assertSound(join(root, 'cut-0'), kept + 7)

    // Once more after a crash: all marks, points and indexes are gone, and the tail is torn.
    for (const name of readdirSync(root)) if (/checkpoint|clean/.test(name)) rmSync(join(root, name))
    const folder = join(root, 'all-0')
    for (const name of readdirSync(folder)) if (name.endsWith('index')) rmSync(join(folder, name))
    const last = join(folder, readdirSync(folder).findLast(name => name.endsWith('.log'))!)
    writeFileSync(last, readFileSync(last).subarray(0, -1))
    const again = await FileVolume.open(root, nodeWorld, logger)
    // Both: a partition that nobody opens is not known to be sound, and that would be said, too.
    for (const topic of ['all', 'cut']) again.open({ topic, partition: 0 }, topicId, options)
    await again.close(1)
    assert.equal(problems.length, 1, 'the cut is said')
    assertSound(folder, records - 3)
  }),
)

test('what Kafka has written is the same for the store', { skip, timeout: 300_000 }, () =>
  inDirectory(async directory => {
    const start = (...config: string[]): void => {
      const args = ['--port', String(port), '--dir', directory, '--', ...config]
      execFileSync(join(scripts, 'start.sh'), args, { stdio: 'ignore', env })
    }
    const server = ['--bootstrap-server', `127.0.0.1:${port}`]
    start('log.segment.bytes=1048576', 'log.index.interval.bytes=512', 'log.cleaner.backoff.ms=500')
    for (const [topic, ...configs] of [
      ['plain'],
      ['gone'],
      ['compacted', '--config', 'cleanup.policy=compact', '--config', 'min.cleanable.dirty.ratio=0.01'],
    ] as [string, ...string[]][]) {
      tool('', 'kafka-topics', ...server, '--create', '--topic', topic, '--partitions', '1', ...configs)
    }
    for (const [compression, batchSize] of [
      ['none', 16384],
      ['lz4', 1000],
      ['zstd', 100_000],
    ]) {
      const to = ['--topic', 'plain', '--num-records', '10000', '--record-size', '300', '--throughput', '-1']
      const properties = [
        `bootstrap.servers=127.0.0.1:${port}`,
        `compression.type=${compression}`,
        `batch.size=${batchSize}`,
      ]
      tool('', 'kafka-producer-perf-test', ...to, '--command-property', ...properties)
    }
    const keyed = Array.from({ length: 30_000 }, (_, i) => `key-${i % 50}:${'v'.repeat(200)}${i}\n`).join('')
    const properties = ['--property', 'parse.key=true', '--property', 'key.separator=:']
    tool(keyed, 'kafka-console-producer', ...server, '--topic', 'compacted', ...properties)
    tool('a\nb\n', 'kafka-console-producer', ...server, '--topic', 'gone')
    await new Promise(resolve => setTimeout(resolve, 3000))
    tool('', 'kafka-topics', ...server, '--delete', '--topic', 'gone')
    execFileSync(join(scripts, 'stop.sh'), [directory], { stdio: 'ignore' })

    const root = join(directory, 'node1', 'data')
    const expected = new Map(
      ['plain-0', 'compacted-0', '__cluster_metadata-0'].map(name => [name, logBytes(join(root, name))]),
    )
    await assertSame(root, expected, true)
    // The same when Kafka was killed, as far as the files tell.
    rmSync(join(root, '.kafka_cleanshutdown'))
    rmSync(join(root, 'recovery-point-offset-checkpoint'))
    for (const name of readdirSync(join(root, 'plain-0')).slice(0, 4)) {
      if (name.endsWith('index')) writeFileSync(join(root, 'plain-0', name), Buffer.alloc(10 << 20))
    }
    await assertSame(root, expected, false)
    assert.deepEqual(problems, [])
    for (const name of ['plain-0', 'compacted-0']) {
      assert.doesNotMatch(dump(join(root, name), '--verify-index-only'), /Mismatches|Could not|out of order|Exception/i)
    }

    start()
    const text = tool('', 'kafka-get-offsets', ...server, '--topic', 'plain')
    assert.match(text, /plain:0:30000/)
    const log = readFileSync(join(directory, 'node1', 'logs', 'server.log'), 'utf8')
    const loading = log.slice(log.lastIndexOf('Loading logs from log dirs')).split('\n')
    const ours = loading.filter(line => /LogManager|storage\.internals\.log/.test(line)).join('\n')
    assert.doesNotMatch(ours, /corrupt|Recovering (unflushed )?segment|index file/i, 'Kafka trusts our clean stop')
  }),
)

/** All batches of a folder, as they lie in the files. */
function logBytes(folder: string): Buffer {
  const logs = readdirSync(folder).filter(name => name.endsWith('.log'))
  return Buffer.concat(logs.sort().map(name => readFileSync(join(folder, name))))
}

async function assertSame(root: string, expected: Map<string, Buffer>, clean: boolean): Promise<void> {
  const volume = await FileVolume.open(root, nodeWorld, logger)
  assert.equal(volume.clean, clean)
  const found = volume.list()
  assert.ok(!found.some(({ topic }) => topic === 'gone'))
  for (const place of found) {
    const store = volume.open(place, place.topicId ?? topicId, defaults)
    assert.equal(store.damage, null)
    const bytes = expected.get(`${place.topic}-${place.partition}`)
    if (bytes === undefined) continue
    const read = await everything(store, 10_000)
    assert.ok(read.equals(bytes), place.topic)
    assert.deepEqual(
      [...store.scan(0)].map(({ baseOffset }) => baseOffset),
      offsets(read),
    )
    for (let at = 0; at < read.length; at += read.readInt32BE(at + 8) + 12) assert.equal(validateBatch(read, at), null)
    for (const { maxTimestamp } of store.segments()) {
      if (maxTimestamp >= 0) assert.notEqual(await store.batchForTimestamp(maxTimestamp), null)
    }
  }
  await volume.close(1)
}
