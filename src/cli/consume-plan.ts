import type { Cluster } from '../client/cluster.ts'
import { findOffsets, type IsolationLevel, type StartAt, type TopicPartition } from '../client/offsets.ts'
import { sleep } from '../client/retry.ts'
import { Failure } from './failure.ts'
import { topicsNamed } from './topic-names.ts'
import { type Position, parsePosition, parseTime } from './when.ts'

/** Where to start and stop, as the flags say. */
export interface Range {
  readonly start: Position
  /** ms; null: no end by time. */
  readonly until: number | null
  readonly exit: boolean
}

interface RangeFlags {
  readonly fromBeginning?: boolean
  readonly offset?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly exit?: boolean
}

export function rangeOf(flags: RangeFlags, now: number): Range {
  const offsets = flags.offset ?? []
  const stop = offsets.find(text => text.startsWith('e@'))
  const start = offsets.find(text => !text.startsWith('e@'))
  const chosen = [flags.fromBeginning === true, start !== undefined, flags.since !== undefined].filter(Boolean)
  if (chosen.length > 1) throw new Failure('--from-beginning, --offset and --since exclude each other', 2)
  const until = flags.until ?? stop?.slice(2)
  return {
    start: startOf(flags, start, now),
    until: until === undefined ? null : parseTime(until, now),
    exit: flags.exit === true,
  }
}

function startOf(flags: RangeFlags, start: string | undefined, now: number): Position {
  if (flags.since !== undefined) return { at: 'time', ms: parseTime(flags.since, now) }
  if (start !== undefined) return parsePosition(start)
  return { at: flags.fromBeginning === true ? 'beginning' : 'end' }
}

/** Topics by name or pattern. Those that are not there yet are waited for, unless `hurry`. */
export async function awaitTopics(
  cluster: Cluster,
  names: readonly string[],
  hurry: boolean,
  tell: (text: string) => void,
): Promise<string[]> {
  for (let told = false; ; ) {
    const topics = await topicsNamed(cluster, names, { missing: hurry ? 'fail' : 'pass' })
    const found = topics.map(topic => topic.name)
    const missing = names.filter(name => /^[\w.-]+$/.test(name) && !found.includes(name))
    if (missing.length === 0 && found.length > 0) return found
    if (hurry) throw new Failure(`no topic is called ${names.join(' or ')}`)
    if (!told) tell(`waiting for ${missing.length > 0 ? missing.join(' and ') : names.join(' or ')} to appear`)
    told = true
    await sleep(cluster.world, 500)
  }
}

/** Each partition with the offset (or the name of one) where reading begins. */
export async function startsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  start: Position,
): Promise<(TopicPartition & { start?: StartAt })[]> {
  switch (start.at) {
    case 'beginning':
      return partitions.map(each => ({ ...each, start: 'earliest' }))
    case 'end':
      return partitions.map(each => ({ ...each, start: 'latest' }))
    case 'stored':
      return [...partitions]
    case 'offset':
      return partitions.map(each => ({ ...each, start: start.offset }))
    case 'time':
      return partitions.map(each => ({ ...each, start: { timestamp: start.ms } }))
    case 'tail': {
      const ask = (name: 'earliest' | 'latest') =>
        findOffsets(
          cluster,
          partitions.map(each => ({ ...each, start: name })),
        )
      const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')])
      return ends.map((end, i) => ({
        topic: end.topic,
        partition: end.partition,
        start: Math.max(starts[i]!.offset, end.offset - start.count),
      }))
    }
  }
}

/** For each partition the offset at which there is nothing more to read; none in the map: never. */
export async function endsOf(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  range: Range,
  isolation: IsolationLevel,
): Promise<Map<string, number>> {
  const ends = new Map<string, number>()
  const ask = async (start: (StartAt & object) | 'latest') => {
    const found = await findOffsets(
      cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition, start })),
      isolation,
    )
    for (const { topic, partition, offset } of found) {
      if (offset >= 0) ends.set(`${topic}-${partition}`, offset)
    }
  }
  if (range.exit) await ask('latest')
  // A partition whose newest message is older is read to its end, and on until such a message comes.
  if (range.until !== null) await ask({ timestamp: range.until })
  return ends
}
