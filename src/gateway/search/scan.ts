import type { Cluster } from '../../client/cluster.ts'
import { readPartition } from '../../client/read-partition.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
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
  const { newestFirst, window } = options
  const left = options.spans.filter(({ start, end }) => start < end).map(span => ({ ...span }))
  while (left.length > 0) {
    const span = left.shift()!
    const whole = span.end - span.start <= window
    const from = newestFirst && !whole ? span.end - window : span.start
    const to = newestFirst || whole ? span.end : span.start + window
    yield* scanWindow(cluster, { partition: span.partition, start: from, end: to }, options)
    if (newestFirst) span.end = from
    else span.start = to
    if (span.start < span.end) left.push(span)
  }
}

async function* scanWindow(cluster: Cluster, span: Span, options: ScanOptions): AsyncGenerator<Scanned> {
  const { partition, start, end } = span
  const { topic, matches, newestFirst } = options
  // What was found from the window's beginning on is only in order when all of it was seen.
  const kept: Found[] = []
  for (let offset = start; offset < end; ) {
    const read = await readPartition(
      cluster,
      { topic, partition },
      { offset, maxRecords: end - offset, isolation: 'read_committed' },
    )
    const found = read.records.filter(record => record.offset < end && matches(record))
    const next = read.nextOffset > offset ? Math.min(end, read.nextOffset) : end
    const passed = next - offset
    offset = next
    const here = found.map(record => ({ partition, record }))
    if (!newestFirst) yield { found: here, passed }
    else {
      kept.push(...here)
      yield { found: offset >= end ? kept.reverse() : [], passed }
    }
  }
}
