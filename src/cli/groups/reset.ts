import type { Cluster } from '../../client/cluster.ts'
import { commitOffsets, fetchOffsets } from '../../client/group-offsets.ts'
import { findOffsets, type TopicPartition } from '../../client/offsets.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { Failure } from '../failure.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, parseDuration, parseTime } from '../when.ts'
import { describeGroup, groupsNamed, topicFlag } from './groups.ts'

export interface ResetFlags extends ConnectFlags {
  readonly group?: readonly string[]
  readonly allGroups?: boolean
  readonly topic?: readonly string[]
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toOffset?: string
  readonly toCurrent?: boolean
  readonly toDatetime?: string
  readonly byDuration?: string
  readonly shiftBy?: string
  readonly fromFile?: string
  readonly execute?: boolean
  readonly export?: boolean
}

export interface Move extends TopicPartition {
  /** −1: nothing committed before. */
  readonly from: number
  readonly to: number
}

/** Where to, for one partition. `start` and `end` bound what can be read; `committed` −1: nothing. */
type Target =
  | { readonly to: 'offset'; of(partition: TopicPartition, start: number, end: number, committed: number): number }
  | { readonly to: 'time'; readonly ms: number }

export function reset(names: readonly string[], flags: ResetFlags, terminal: Terminal): Promise<void> {
  const target = targetOf(flags, terminal)
  return withCluster(flags, terminal, async cluster => {
    for (const groupId of await groupsNamed(cluster, names, flags, false)) {
      const moves = await plan(cluster, groupId, flags, target.partitions, target.target)
      if (flags.execute === true) {
        await mustBeEmpty(cluster, groupId)
        await commitOffsets(
          cluster,
          groupId,
          moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
        )
      }
      show(groupId, moves, flags, terminal)
    }
  })
}

function show(groupId: string, moves: readonly Move[], flags: ResetFlags, terminal: Terminal): void {
  if (flags.export === true) {
    for (const { topic, partition, to } of moves) terminal.stdout.write(`${topic},${partition},${to}\n`)
    return
  }
  const rows = moves.map(({ topic, partition, from, to }) => {
    const by = from < 0 ? '-' : `${to >= from ? '+' : ''}${to - from}`
    return [groupId, topic, String(partition), from < 0 ? '-' : String(from), String(to), by]
  })
  terminal.stdout.write(table(['group', 'topic', 'partition', 'from', 'to', 'by'], rows, terminal))
  if (moves.length === 0)
    terminal.stderr.write(`${groupId} has read nothing yet: say --topic to move it all the same\n`)
  else if (flags.execute !== true) {
    terminal.stderr.write(`${terminal.errorPaint.yellow('a preview: nothing was changed; --execute does it')}\n`)
  }
}

async function mustBeEmpty(cluster: Cluster, groupId: string): Promise<void> {
  const group = await describeGroup(cluster, groupId).catch(error => {
    // A group may be given offsets before it has ever lived.
    if (error instanceof Failure) return null
    throw error
  })
  if (group === null || group.members.length === 0) return
  const count = group.members.length
  throw new Failure(
    `group ${groupId} has ${count} ${count === 1 ? 'member' : 'members'}: stop ${count === 1 ? 'it' : 'them'} first`,
  )
}

function targetOf(
  flags: ResetFlags,
  terminal: Terminal,
): { target: Target; partitions: readonly TopicPartition[] | null } {
  const now = terminal.world.clock.now()
  const targets: Target[] = []
  let partitions: readonly TopicPartition[] | null = null
  const offset = (of: Extract<Target, { to: 'offset' }>['of']) => targets.push({ to: 'offset', of })
  if (flags.toEarliest === true) offset((_, start) => start)
  if (flags.toLatest === true) offset((_, _start, end) => end)
  // What was never committed has no place of its own: the end, as Kafka's tool has it.
  if (flags.toCurrent === true) offset((_, _start, end, committed) => (committed < 0 ? end : committed))
  if (flags.toOffset !== undefined) {
    const to = parseCount('--to-offset', flags.toOffset)
    offset(() => to)
  }
  if (flags.shiftBy !== undefined) {
    const by = parseCount('--shift-by', flags.shiftBy, Number.MIN_SAFE_INTEGER)
    offset((partition, _start, _end, committed) => {
      if (committed < 0)
        throw new Failure(`${partition.topic}-${partition.partition}: nothing to shift from, no offset is committed`)
      return committed + by
    })
  }
  if (flags.toDatetime !== undefined) targets.push({ to: 'time', ms: parseTime(flags.toDatetime, now) })
  if (flags.byDuration !== undefined) targets.push({ to: 'time', ms: now - parseDuration(flags.byDuration) })
  if (flags.fromFile !== undefined) {
    const wanted = readOffsets(terminal.world.disk.readFile(flags.fromFile).toString('utf8'))
    partitions = wanted
    offset(part => wanted.find(each => each.topic === part.topic && each.partition === part.partition)!.offset)
  }
  if (targets.length !== 1) {
    throw new Failure(
      'say where to, once: --to-earliest, --to-latest, --to-offset, --to-datetime, --by-duration, --shift-by, …',
      2,
    )
  }
  return { target: targets[0]!, partitions }
}

/** Lines of `topic,partition,offset`, as `--export` writes them. */
function readOffsets(text: string): (TopicPartition & { offset: number })[] {
  const lines = text.split('\n').map(line => line.trim().replaceAll('"', ''))
  return lines.flatMap((line, i) => {
    if (line === '') return []
    const parts = /^([a-zA-Z0-9._-]+),(\d+),(\d+)$/.exec(line)
    if (parts === null) throw new Failure(`line ${i + 1}: say topic,partition,offset`)
    return [{ topic: parts[1]!, partition: Number(parts[2]), offset: Number(parts[3]) }]
  })
}

/** From where to where each partition would go; never out of what can be read. */
async function plan(
  cluster: Cluster,
  groupId: string,
  flags: ResetFlags,
  given: readonly TopicPartition[] | null,
  target: Target,
): Promise<Move[]> {
  const before = new Map<string, number>()
  const known = await fetchOffsets(cluster, groupId, null)
  for (const each of known) before.set(`${each.topic} ${each.partition}`, each.offset)
  const parts = given ?? (await partitionsOf(cluster, flags, known))
  const ask = (start: 'earliest' | 'latest' | { timestamp: number }) =>
    findOffsets(
      cluster,
      parts.map(({ topic, partition }) => ({ topic, partition, start })),
    )
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')])
  const timed = target.to === 'time' ? await ask({ timestamp: target.ms }) : []
  return parts.map(({ topic, partition }, i) => {
    const [start, end] = [starts[i]!.offset, ends[i]!.offset]
    const from = before.get(`${topic} ${partition}`) ?? -1
    const wanted = target.to === 'time' ? timed[i]!.offset : target.of({ topic, partition }, start, end, from)
    // No message is that late: the end.
    const to = target.to === 'time' && wanted < 0 ? end : wanted
    return { topic, partition, from, to: Math.min(end, Math.max(start, to)) }
  })
}

async function partitionsOf(
  cluster: Cluster,
  flags: ResetFlags,
  known: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  if (flags.topic === undefined) return [...known]
  const found: TopicPartition[] = []
  for (const { topic, partitions } of flags.topic.map(topicFlag)) {
    const there = (await cluster.metadata([topic])).topics[0]?.partitions.map(each => each.partition)
    if (there === undefined) throw new Failure(`there is no topic ${topic}`)
    const missing = partitions?.find(partition => !there.includes(partition))
    if (missing !== undefined) throw new Failure(`${topic} has no partition ${missing}`)
    for (const partition of partitions ?? there) found.push({ topic, partition })
  }
  return found
}
