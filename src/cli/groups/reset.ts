import type { Cluster } from '../../client/cluster.ts'
import { commitOffsets } from '../../client/group-offsets.ts'
import {
  type Move,
  planReset,
  type ResetTarget,
  resetBy,
  resetTargets,
  resetToOffset,
} from '../../client/group-reset.ts'
import type { TopicPartition } from '../../client/offsets.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { Failure } from '../failure.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { parseCount, parseDuration, parseTime } from '../when.ts'
import { describeGroup, groupsNamed, partitionsOf, topicFlag } from './groups.ts'

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

export function reset(names: readonly string[], flags: ResetFlags, terminal: Terminal): Promise<void> {
  const target = targetOf(flags, terminal)
  return withCluster(flags, terminal, async cluster => {
    for (const groupId of await groupsNamed(cluster, names, flags, false)) {
      const parts = target.partitions ?? (await partsOf(cluster, flags))
      const moves = await planReset(cluster, groupId, parts, target.target)
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
): { target: ResetTarget; partitions: readonly TopicPartition[] | null } {
  const now = terminal.world.clock.now()
  const targets: ResetTarget[] = []
  let partitions: readonly TopicPartition[] | null = null
  if (flags.toEarliest === true) targets.push(resetTargets.earliest)
  if (flags.toLatest === true) targets.push(resetTargets.latest)
  if (flags.toCurrent === true) targets.push(resetTargets.current)
  if (flags.toOffset !== undefined) targets.push(resetToOffset(parseCount('--to-offset', flags.toOffset)))
  if (flags.shiftBy !== undefined) {
    targets.push(resetBy(parseCount('--shift-by', flags.shiftBy, Number.MIN_SAFE_INTEGER)))
  }
  if (flags.toDatetime !== undefined) targets.push({ to: 'time', ms: parseTime(flags.toDatetime, now) })
  if (flags.byDuration !== undefined) targets.push({ to: 'time', ms: now - parseDuration(flags.byDuration) })
  if (flags.fromFile !== undefined) {
    const wanted = readOffsets(terminal.world.disk.readFile(flags.fromFile).toString('utf8'))
    partitions = wanted
    const isOf = (part: TopicPartition) => (each: TopicPartition) =>
      each.topic === part.topic && each.partition === part.partition
    targets.push({ to: 'offset', of: part => wanted.find(isOf(part))!.offset })
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

/** Null: those that the group has committed. */
async function partsOf(cluster: Cluster, flags: ResetFlags): Promise<TopicPartition[] | null> {
  if (flags.topic === undefined) return null
  const found: TopicPartition[] = []
  for (const { topic, partitions } of flags.topic.map(topicFlag)) {
    const there = await partitionsOf(cluster, topic)
    const missing = partitions?.find(partition => !there.includes(partition))
    if (missing !== undefined) throw new Failure(`${topic} has no partition ${missing}`)
    for (const partition of partitions ?? there) found.push({ topic, partition })
  }
  return found
}
