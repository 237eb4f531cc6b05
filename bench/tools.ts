import { join } from 'node:path'
import { run } from './command.ts'
import { kafkaScript, root } from './place.ts'
import type { Latency } from './results.ts'

/** What a load generator tells about one workload. */
export interface Report {
  readonly records: number
  readonly recordsPerSecond: number | null
  readonly latencyMs: Latency | null
}

export interface ProducerLoad {
  readonly records: number
  readonly recordBytes: number
  /** Records a second; −1: as fast as it goes. */
  readonly throughput: number
  readonly properties: readonly string[]
}

const timeoutMs = 240_000
const tool = (name: string, args: readonly (string | number)[], onLine?: (line: string) => void) =>
  run(kafkaScript('tool'), [name, ...args.map(String)], { timeoutMs, ...(onLine === undefined ? {} : { onLine }) })

/** Kafka's own producer-perf-test. The first fifth of the records is warm-up and not in rates and latencies. */
export async function produce(bootstrap: string, topic: string, load: ProducerLoad): Promise<Report> {
  const text = await tool('kafka-producer-perf-test', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--num-records', load.records],
    ...['--record-size', load.recordBytes, '--throughput', load.throughput],
    ...['--warmup-records', Math.floor(load.records / 5), '--reporting-interval', 100_000],
    ...['--command-property', ...load.properties],
  ])
  const steady = text.split('\n').findLast(line => line.includes('steady state records sent'))
  const percentile = (name: string) => numberBefore(steady, ` ms ${name}`)
  return {
    records: load.records,
    recordsPerSecond: load.throughput > 0 ? null : numberBefore(steady, ' records/sec'),
    latencyMs: { p50: percentile('50th'), p95: percentile('95th'), p99: percentile('99th,') },
  }
}

/** Kafka's own consumer-perf-test: one member of a new group, from the beginning. The rate is that of its fetch time. */
export async function consume(bootstrap: string, topic: string, group: string, records: number): Promise<Report> {
  const text = await tool('kafka-consumer-perf-test', [
    ...['--bootstrap-server', bootstrap, '--topic', topic, '--num-records', records],
    ...['--group', group, '--timeout', 60_000],
  ])
  const columns = text
    .split('\n')
    .findLast(line => /^\d{4}-/.test(line))
    ?.split(', ')
  const [read, rate] = [Number(columns?.[4]), Number(columns?.[9])]
  if (!(read >= records) || !(rate > 0)) throw new Error(`kafka-consumer-perf-test: ${text.trim().slice(-300)}`)
  return { records, recordsPerSecond: rate, latencyMs: null }
}

/** One record at a time: sent with acks=all, acknowledged, read. Latency from send to read. */
export async function endToEnd(bootstrap: string, topic: string, records: number, bytes: number): Promise<Report> {
  const text = await tool('probe', ['e2e', bootstrap, topic, records, bytes])
  return { records, recordsPerSecond: null, latencyMs: probeLatency(text, 'e2e') }
}

/** A producer at a fixed rate without lingering, and a consumer that keeps up. Latency from when a record was due to read. */
export async function stream(
  bootstrap: string,
  topic: string,
  records: number,
  bytes: number,
  perSecond: number,
): Promise<Report> {
  const text = await tool('probe', ['stream', bootstrap, topic, records, bytes, perSecond])
  // The probe warms up with a fifth more.
  return { records: records * 1.2, recordsPerSecond: null, latencyMs: probeLatency(text, 'e2e') }
}

export interface SmallRequests {
  readonly partitions: number
  readonly connections: number
  readonly recordBytes: number
  readonly warmSeconds: number
  readonly seconds: number
}

/** Our own generator of many small requests. `onMeasuring` is called when its warm-up is over. */
export async function smallRequests(
  bootstrap: string,
  topic: string,
  load: SmallRequests,
  onMeasuring: () => void,
): Promise<Report> {
  const { partitions, connections, recordBytes, warmSeconds, seconds } = load
  const source = join(root, 'bench/SmallRequests.java')
  const words = [bootstrap, topic, partitions, connections, recordBytes, warmSeconds, seconds]
  const text = await tool(source, words, line => {
    if (line === 'measuring') onMeasuring()
  })
  const field = (name: string) => numberAfter(text, `${name}=`)
  const records = field('requests')
  return {
    records,
    recordsPerSecond: records / field('seconds'),
    latencyMs: { p50: field('p50_us') / 1000, p95: field('p95_us') / 1000, p99: field('p99_us') / 1000 },
  }
}

function probeLatency(text: string, name: string): Latency {
  const line = text.split('\n').find(each => each.startsWith(name))
  const field = (quantile: string) => numberAfter(line ?? '', `${quantile}_us=`) / 1000
  return { p50: field('p50'), p95: field('p95'), p99: field('p99') }
}

function numberBefore(line: string | undefined, unit: string): number {
  const escaped = unit.replaceAll('.', '\\.')
  return found(new RegExp(`([\\d.]+)${escaped}`).exec(line ?? '')?.[1], unit, line)
}

function numberAfter(text: string, label: string): number {
  return found(new RegExp(`${label}([\\d.]+)`).exec(text)?.[1], label, text)
}

function found(digits: string | undefined, what: string, text: string | undefined): number {
  const value = Number(digits)
  if (digits === undefined || !Number.isFinite(value)) throw new Error(`no "${what}" in: ${text?.slice(-300)}`)
  return value
}
