import type { Cluster } from '../../client/cluster.ts'
import { readPartition } from '../../client/read-partition.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import type { Timers } from '../../world/world.ts'
import { Breath } from '../breath.ts'
import { sizeOf } from '../record-size.ts'
import type { Matcher } from './criteria.ts'

/** Offsets of one partition that are to be looked at: from `start` up to, but not including, `end`. */
export interface Span {
  readonly partition: number
  readonly start: number
  readonly end: number
}

export interface Found {
  readonly partition: number
  readonly record: KafkaRecord
}

export interface Scanned {
  /** In the order that was asked for. */
  readonly found: readonly Found[]
  /** Offsets that are done with since the last time. */
  readonly passed: number
}

export interface ScanOptions {
  readonly topic: string
  readonly spans: readonly Span[]
  readonly matches: Matcher
  readonly newestFirst: boolean
  /** Offsets that are looked at before the next partition has its turn. */
  readonly window: number
}

/**
 * Looks at all records of the spans, a window of each partition in turn, the newest windows first when that is asked for.
 * Whoever does not want more ends the loop.
 */
export async function* scan(cluster: Cluster, options: ScanOptions): AsyncGenerator<Scanned> {
  const { newestFirst } = options
  const left = options.spans.filter(({ start, end }) => start < end).map(span => ({ ...span, window: options.window }))
  while (left.length > 0) {
    const span = left.shift()!
    const { partition, window } = span
    const whole = span.end - span.start <= window
    const from = newestFirst && !whole ? span.end - window : span.start
    const to = newestFirst || whole ? span.end : span.start + window
    const begun = yield* scanWindow(cluster, { partition, start: from, end: to }, options)
    if (newestFirst) span.end = begun
    else span.start = to
    // What was too much to be kept is looked at again.
    span.window = begun > from ? to - begun : Math.min(options.window, 2 * window)
    if (span.start < span.end) left.push(span)
  }
}

/** Bytes of records that wait until all of their window was seen. */
const mostKept = 8 * 1024 * 1024

/** Gives where the part of the window begins of which everything was told. */
async function* scanWindow(cluster: Cluster, span: Span, options: ScanOptions): AsyncGenerator<Scanned, number> {
  const { partition, start, end } = span
  const { topic, matches, newestFirst } = options
  // What was found from the window's beginning on is only in order when all of it was seen.
  const kept: Found[] = []
  let keptBytes = 0
  let begun = start
  for (let offset = start; offset < end; ) {
    const read = await readPartition(
      cluster,
      { topic, partition },
      { offset, maxRecords: end - offset, isolation: 'read_committed' },
    )
    const found = await matching(read.records, matches, cluster.world.timers)
    const next = read.nextOffset > offset ? Math.min(end, read.nextOffset) : end
    const passed = next - offset
    offset = next
    const here = found.filter(record => record.offset < end).map(record => ({ partition, record }))
    if (!newestFirst) {
      yield { found: here, passed }
      continue
    }
    for (const { record } of here) {
      kept.push({ partition, record: detached(record) })
      keptBytes += sizeOf(record)
    }
    while (keptBytes > mostKept && kept.length > 1) {
      const { record } = kept.shift()!
      keptBytes -= sizeOf(record)
      begun = record.offset + 1
    }
    yield offset < end ? { found: [], passed: 0 } : { found: kept.reverse(), passed: end - begun }
  }
  return begun
}

/** A copy that keeps nothing else of the answer in which the record came. */
function detached(record: KafkaRecord): KafkaRecord {
  const copy = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes))
  const headers = record.headers.map(({ key, value }) => ({ key, value: copy(value) }))
  return { ...record, key: copy(record.key), value: copy(record.value), headers }
}

async function matching(
  records: readonly KafkaRecord[],
  matches: Matcher,
  timers: Pick<Timers, 'soon'>,
): Promise<KafkaRecord[]> {
  const found: KafkaRecord[] = []
  const breath = new Breath(timers)
  for (const record of records) {
    if (matches(record)) found.push(record)
    const pause = breath.after(sizeOf(record))
    if (pause !== null) await pause
  }
  return found
}
