import type { Cluster } from '../../client/cluster.ts'
import { failure, throwIf } from '../../client/failures.ts'
import { classicMembers, type GroupMemberDescription, modernMember } from '../../client/group-admin.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ConsumerGroupDescribe } from '../../protocol/messages/consumer-group-describe.ts'
import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import { ListGroups } from '../../protocol/messages/list-groups.ts'
import { Failure } from '../failure.ts'
import { suggestion } from '../settings.ts'

export interface ListedGroup {
  readonly groupId: string
  readonly protocolType: string
  /** Empty where the broker is too old to say. */
  readonly state: string
  readonly type: string
}

export interface DescribedGroup {
  readonly groupId: string
  readonly state: string
  readonly assignor: string
  readonly coordinator: number
  readonly members: readonly GroupMemberDescription[]
}

/** Groups of all brokers, in alphabetical order. */
export async function listGroups(
  cluster: Cluster,
  statesFilter: readonly string[] = [],
  typesFilter: readonly string[] = [],
): Promise<ListedGroup[]> {
  const { brokers } = await cluster.metadata([])
  const answers = await Promise.all(
    brokers.map(async ({ nodeId }) => {
      const connection = await cluster.broker(nodeId)
      const answer = await connection.request(ListGroups, { statesFilter, typesFilter })
      throwIf(answer.errorCode, 'groups')
      return answer.groups
    }),
  )
  const groups = answers.flat().map(({ groupId, protocolType, groupState, groupType }) => {
    return { groupId, protocolType, state: groupState, type: groupType }
  })
  return groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

/** Positional names and `--group` mean the same. None: every group where `all`, else a Failure. */
export async function groupsNamed(
  cluster: Cluster,
  positional: readonly string[],
  flags: { readonly group?: readonly string[]; readonly allGroups?: boolean },
  all: boolean,
): Promise<string[]> {
  const names = [...new Set([...positional, ...(flags.group ?? [])])]
  if (names.length > 0) return names
  if (!all && flags.allGroups !== true) throw new Failure('say which group', 2)
  return (await listGroups(cluster)).filter(({ type }) => !isShare(type)).map(group => group.groupId)
}

/** Groups of workers that lease records commit no offsets. */
const isShare = (type: string): boolean => type.toLowerCase() === 'share'

/** Throws Failure when there is no such group, with the name that was probably meant. */
export async function describeGroup(cluster: Cluster, groupId: string): Promise<DescribedGroup> {
  const connection = await cluster.coordinator('group', groupId)
  const coordinator = (await cluster.metadata([])).brokers.find(
    ({ host, port }) => host === connection.address.host && port === connection.address.port,
  )
  const answer = await connection.request(DescribeGroups, { groups: [groupId] })
  const group = answer.groups[0]!
  if (group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND || (group.errorCode === 0 && group.groupState === 'Dead')) {
    return describeModern(cluster, groupId, coordinator?.nodeId ?? -1)
  }
  if (group.errorCode !== 0) throw failure(group.errorCode, `group ${groupId}`, group.errorMessage)
  return {
    groupId,
    state: group.groupState,
    assignor: group.protocolData,
    coordinator: coordinator?.nodeId ?? -1,
    members: classicMembers(group),
  }
}

/** Groups of the protocol of KIP-848 answer to a request of their own. */
async function describeModern(cluster: Cluster, groupId: string, coordinator: number): Promise<DescribedGroup> {
  const connection = await cluster.coordinator('group', groupId)
  const served = connection.versionOf(ConsumerGroupDescribe as never) >= 0
  const answer = served
    ? await connection.request(ConsumerGroupDescribe, { groupIds: [groupId], includeAuthorizedOperations: false })
    : null
  const group = answer?.groups[0]
  if (group === undefined || group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) {
    const groups = await listGroups(cluster)
    if (groups.some(each => each.groupId === groupId && isShare(each.type)))
      throw new Failure(`${groupId} is a group of workers that pull: the console and GET /lease-groups describe it`)
    const names = groups.map(each => each.groupId)
    throw new Failure(`there is no group ${groupId}${suggestion(groupId, names)}`)
  }
  if (group.errorCode !== 0) throw failure(group.errorCode, `group ${groupId}`, group.errorMessage)
  const members = group.members.map(modernMember)
  return { groupId, state: group.groupState, assignor: group.assignorName, coordinator, members }
}

/** Numbers of all partitions. Throws Failure when there is no such topic. */
export async function partitionsOf(cluster: Cluster, topic: string): Promise<number[]> {
  const found = (await cluster.metadata([topic])).topics[0]
  if (found === undefined) throw new Failure(`there is no topic ${topic}`)
  return found.partitions.map(each => each.partition)
}

/** `orders` or `orders:0,2`: null stands for every partition. */
export function topicFlag(text: string): { topic: string; partitions: readonly number[] | null } {
  const parts = /^([a-zA-Z0-9._-]+)(?::(\d+(?:,\d+)*))?$/.exec(text)
  if (parts === null) throw new Failure(`--topic ${text}: say a name, or name:0,1`, 2)
  return { topic: parts[1]!, partitions: parts[2] === undefined ? null : parts[2].split(',').map(Number) }
}
