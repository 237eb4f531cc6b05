import type { Cluster } from '../../client/cluster.ts'
import { fetchOffsets } from '../../client/group-offsets.ts'
import { findOffsets } from '../../client/offsets.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { type DescribedGroup, describeGroup, type GroupMember, groupsNamed } from './groups.ts'

interface DescribeFlags extends ConnectFlags {
  readonly group?: readonly string[]
  readonly allGroups?: boolean
  readonly offsets?: boolean
  readonly members?: boolean
  readonly state?: boolean
  readonly json?: boolean
}

export interface Progress {
  readonly topic: string
  readonly partition: number
  /** −1: nothing committed. */
  readonly committed: number
  /** −1: not known. */
  readonly end: number
  /** −1: not known. */
  readonly lag: number
  readonly member: GroupMember | null
}

export function describe(names: readonly string[], flags: DescribeFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const groups = await groupsNamed(cluster, names, flags, true)
    for (const [i, groupId] of groups.entries()) {
      const group = await describeGroup(cluster, groupId)
      const offsets = await progressOf(cluster, group)
      if (flags.json === true) terminal.stdout.write(`${JSON.stringify(asJson(group, offsets))}\n`)
      else terminal.stdout.write((i > 0 && terminal.isTerminal ? '\n' : '') + asText(group, offsets, flags, terminal))
    }
  })
}

/** Every partition that the group has committed or is reading. */
export async function progressOf(cluster: Cluster, group: DescribedGroup): Promise<Progress[]> {
  const committed = new Map<string, number>()
  for (const each of await fetchOffsets(cluster, group.groupId, null)) {
    committed.set(`${each.topic} ${each.partition}`, each.offset)
  }
  const owners = new Map<string, GroupMember>()
  for (const member of group.members) {
    for (const { topic, partition } of member.partitions) owners.set(`${topic} ${partition}`, member)
  }
  const names = [...new Set([...committed.keys(), ...owners.keys()])]
  const parts = names.map(name => ({ topic: name.split(' ')[0]!, partition: Number(name.split(' ')[1]) }))
  const ends = await endsOf(cluster, parts)
  const lines = parts.map(({ topic, partition }) => {
    const name = `${topic} ${partition}`
    const [at, end] = [committed.get(name) ?? -1, ends.get(name) ?? -1]
    const lag = at < 0 || end < 0 ? -1 : Math.max(0, end - at)
    return { topic, partition, committed: at, end, lag, member: owners.get(name) ?? null }
  })
  return lines.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Topics that were deleted since are left out. */
async function endsOf(
  cluster: Cluster,
  parts: readonly { topic: string; partition: number }[],
): Promise<Map<string, number>> {
  const { topics } = await cluster.metadata([...new Set(parts.map(part => part.topic))])
  const there = new Set(
    topics.flatMap(({ name, partitions }) => partitions.map(({ partition }) => `${name} ${partition}`)),
  )
  const wanted = parts.filter(({ topic, partition }) => there.has(`${topic} ${partition}`))
  const found = await findOffsets(
    cluster,
    wanted.map(each => ({ ...each, start: 'latest' as const })),
  )
  return new Map(found.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]))
}

function asJson(group: DescribedGroup, offsets: readonly Progress[]): object {
  const known = (number: number) => (number < 0 ? null : number)
  return {
    group: group.groupId,
    state: group.state,
    assignor: group.assignor,
    coordinator: group.coordinator,
    lag: totalLag(offsets),
    members: group.members.map(({ memberId, instanceId, clientId, host, partitions }) => {
      return { member: memberId, instance: instanceId, client: clientId, host, partitions }
    }),
    offsets: offsets.map(({ topic, partition, committed, end, lag, member }) => {
      return {
        topic,
        partition,
        committed: known(committed),
        end: known(end),
        lag: known(lag),
        member: member?.memberId ?? null,
      }
    }),
  }
}

const totalLag = (offsets: readonly Progress[]) => offsets.reduce((sum, { lag }) => sum + Math.max(0, lag), 0)

function asText(group: DescribedGroup, offsets: readonly Progress[], flags: DescribeFlags, terminal: Terminal): string {
  const { bold, dim } = terminal.paint
  const count = group.members.length
  const about = `${group.state}, ${count} ${count === 1 ? 'member' : 'members'}, ${totalLag(offsets)} behind`
  const head = terminal.isTerminal ? `${bold(group.groupId)}  ${dim(about)}\n` : ''
  if (flags.state === true) return head + stateTable(group, terminal)
  if (flags.members === true) return head + membersTable(group, terminal)
  return head + offsetsTable(group, offsets, terminal)
}

function stateTable(group: DescribedGroup, terminal: Terminal): string {
  const row = [group.groupId, group.state, group.assignor, String(group.coordinator), String(group.members.length)]
  return table(['group', 'state', 'assignor', 'coordinator', 'members'], [row], terminal)
}

function membersTable(group: DescribedGroup, terminal: Terminal): string {
  const rows = group.members.map(({ memberId, clientId, host, partitions }) => {
    const parts = partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')
    return [group.groupId, memberId, clientId, host, String(partitions.length), parts]
  })
  return table(['group', 'member', 'client', 'host', 'partitions', 'assigned'], rows, terminal)
}

function offsetsTable(group: DescribedGroup, offsets: readonly Progress[], terminal: Terminal): string {
  const { red, green, yellow } = terminal.paint
  const number = (value: number) => (value < 0 ? '-' : String(value))
  const rows = offsets.map(({ topic, partition, committed, end, lag, member }) => {
    const colour = lag === 0 ? green : lag > 10_000 ? red : yellow
    const who = [member?.clientId ?? '-', member?.host ?? '-']
    return [
      group.groupId,
      topic,
      String(partition),
      number(committed),
      number(end),
      lag < 0 ? '-' : colour(String(lag)),
      ...who,
    ]
  })
  return table(['group', 'topic', 'partition', 'committed', 'end', 'lag', 'client', 'host'], rows, terminal)
}
