import { ErrorCode } from '../protocol/errors.ts'
import type {
  DeleteCommand,
  DeletedGroup,
  DescribeCommand,
  DescribedGroup,
  GroupDecision,
  ListCommand,
  ListedGroup,
} from './commands.ts'
import type { GroupRecord } from './facts.ts'
import { type Group, metadataOf, noBytes } from './group.ts'
import { tombstonesOf } from './offset-decisions.ts'
import type { GroupsState } from './state.ts'

/** DescribeGroups 0–6: a group that is not there is Dead; since version 6 that is an error, too (KIP-1043). */
export function describeGroups(state: GroupsState, { groups, version }: DescribeCommand): GroupDecision {
  const answer = groups.map(groupId => {
    const group = state.group(groupId)
    return group === undefined ? deadGroup(groupId, version) : describe(group)
  })
  return { records: [], effects: [{ do: 'answer', answer }] }
}

function deadGroup(groupId: string, version: number): DescribedGroup {
  const missing = version >= 6
  return {
    errorCode: missing ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.NONE,
    errorMessage: missing ? `Group ${groupId} not found.` : null,
    groupId,
    groupState: 'Dead',
    protocolType: '',
    protocolData: '',
    members: [],
  }
}

/** Only a stable group tells its protocol and what its members said under it. */
function describe(group: Group): DescribedGroup {
  const stable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? metadataOf(member, group.protocolName) : noBytes,
      memberAssignment: member.assignment,
    })),
  }
}

/** ListGroups 0–5, filtered by state (KIP-518) and type (KIP-848); every group here is a classic one. */
export function listGroups(state: GroupsState, { statesFilter, typesFilter }: ListCommand): GroupDecision {
  const states = new Set(statesFilter.map(name => name.trim().toLowerCase()))
  const types = new Set(typesFilter.map(name => name.trim().toLowerCase()))
  const answer: ListedGroup[] = []
  if (types.size === 0 || types.has('classic')) {
    for (const group of state.groups()) {
      if (states.size > 0 && !states.has(group.state.toLowerCase())) continue
      const { groupId, protocolType } = group
      answer.push({ groupId, protocolType: protocolType ?? '', groupState: group.state, groupType: 'classic' })
    }
  }
  return { records: [], effects: [{ do: 'answer', answer }] }
}

/** DeleteGroups 0–3: empty groups only, with all their offsets. */
export function deleteGroups(state: GroupsState, { groups }: DeleteCommand): GroupDecision {
  const records: GroupRecord[] = []
  const answer = [...new Set(groups)].map((groupId): DeletedGroup => {
    const group = state.group(groupId)
    if (group === undefined) {
      const errorMessage = `Group ${groupId} not found.`
      return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage }
    }
    if (group.state !== 'Empty') {
      const errorMessage = `Group ${groupId} has members; stop them first.`
      return { groupId, errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage }
    }
    for (const tombstone of tombstonesOf(state, groupId)) records.push(tombstone)
    records.push({ kind: 'GroupMetadata', groupId, value: null })
    return { groupId, errorCode: ErrorCode.NONE, errorMessage: null }
  })
  return { records, effects: [{ do: 'answer', answer }] }
}
