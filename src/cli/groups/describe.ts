import { progressJson } from '../../client/group-json.ts'
import { groupProgress, type Progress, totalLag } from '../../client/group-progress.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { type DescribedGroup, describeGroup, groupsNamed } from './groups.ts'

interface DescribeFlags extends ConnectFlags {
  readonly group?: readonly string[]
  readonly allGroups?: boolean
  readonly offsets?: boolean
  readonly members?: boolean
  readonly state?: boolean
  readonly json?: boolean
}

export function describe(names: readonly string[], flags: DescribeFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const groups = await groupsNamed(cluster, names, flags, true)
    for (const [i, groupId] of groups.entries()) {
      const group = await describeGroup(cluster, groupId)
      const offsets = await groupProgress(cluster, groupId, group.members)
      if (flags.json === true) terminal.stdout.write(`${JSON.stringify(asJson(group, offsets))}\n`)
      else terminal.stdout.write((i > 0 && terminal.isTerminal ? '\n' : '') + asText(group, offsets, flags, terminal))
    }
  })
}

function asJson(
  { groupId, state, assignor, coordinator, members }: DescribedGroup,
  offsets: readonly Progress[],
): object {
  return { group: groupId, state, assignor, coordinator, ...progressJson(members, offsets) }
}

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
  const rows = group.members.map(({ memberId, clientId, clientHost, assignment }) => {
    const parts = assignment.map(({ topic, partition }) => `${topic}-${partition}`).join(' ')
    return [group.groupId, memberId, clientId, clientHost, String(assignment.length), parts]
  })
  return table(['group', 'member', 'client', 'host', 'partitions', 'assigned'], rows, terminal)
}

function offsetsTable(group: DescribedGroup, offsets: readonly Progress[], terminal: Terminal): string {
  const { red, green, yellow } = terminal.paint
  const number = (value: number) => (value < 0 ? '-' : String(value))
  const rows = offsets.map(({ topic, partition, committed, end, lag, member }) => {
    const colour = lag === 0 ? green : lag > 10_000 ? red : yellow
    const who = [member?.clientId ?? '-', member?.clientHost ?? '-']
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
