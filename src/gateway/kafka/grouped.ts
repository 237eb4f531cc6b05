import type { Handler } from '../../broker/handler.ts'
import {
  commitReply,
  fetchFailed,
  heartbeatReply,
  joinFailed,
  leaveFailed,
  offsetDeleteFailed,
  syncFailed,
} from '../../groups/replies.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { DeleteGroups } from '../../protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import { Heartbeat } from '../../protocol/messages/heartbeat.ts'
import { JoinGroup } from '../../protocol/messages/join-group.ts'
import { LeaveGroup } from '../../protocol/messages/leave-group.ts'
import { ListGroups } from '../../protocol/messages/list-groups.ts'
import { OffsetCommit } from '../../protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../../protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../../protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../../protocol/messages/sync-group.ts'
import type { Api, RequestOf, ResponseOf } from '../../protocol/schema.ts'
import { ask, everyNode, inTurn, patienceMs, type Way, waysTo } from './exchange.ts'
import type { ProxyContext } from './proxy.ts'
import { anyNode } from './upstream.ts'

/** An API that is answered by the coordinators of groups. */
export interface GroupedApi<A extends Api = Api> {
  readonly api: A
  /** The groups that a request names. */
  groups(request: RequestOf<A>, version: number): readonly string[]
  /** The part of a request that names these; left out where a request names one group. */
  only?(request: RequestOf<A>, groups: ReadonlySet<string>): RequestOf<A>
  /** One answer of several; left out likewise. */
  merge?(answers: readonly ResponseOf<A>[]): ResponseOf<A>
  failed(request: RequestOf<A>, error: ErrorName, version: number): ResponseOf<A>
  /** ms that it may wait for others; left out: it does not. */
  waitMs?(request: RequestOf<A>): number
  /** It holds bytes of the request until it is sent. */
  readonly keepsBytes?: boolean
}

/** A row of the table: TypeScript sees that its parts fit together, and nobody else needs to know how. */
const row = <A extends Api>(api: GroupedApi<A>): GroupedApi => api as unknown as GroupedApi

const one = ({ groupId }: { readonly groupId: string }) => [groupId]

/** ms: a member waits as long as the slowest other one may take. */
const longestRebalanceMs = 30 * 60_000

export const joinGroupApi = row<typeof JoinGroup>({
  api: JoinGroup,
  groups: one,
  failed: ({ memberId }, error, version) => joinFailed(version, memberId, error),
  waitMs: ({ rebalanceTimeoutMs, sessionTimeoutMs }) => Math.max(rebalanceTimeoutMs, sessionTimeoutMs),
  keepsBytes: true,
})

export const syncGroupApi = row<typeof SyncGroup>({
  api: SyncGroup,
  groups: one,
  failed: (_, error) => syncFailed(error),
  waitMs: () => longestRebalanceMs,
  keepsBytes: true,
})

export const heartbeatApi = row<typeof Heartbeat>({
  api: Heartbeat,
  groups: one,
  failed: (_, error) => heartbeatReply(error),
})

export const leaveGroupApi = row<typeof LeaveGroup>({
  api: LeaveGroup,
  groups: one,
  failed: (_, error) => leaveFailed(error),
})

export const offsetCommitApi = row<typeof OffsetCommit>({
  api: OffsetCommit,
  groups: one,
  failed: (request, error) => commitReply(request, () => error),
})

export const offsetDeleteApi = row<typeof OffsetDelete>({
  api: OffsetDelete,
  groups: one,
  failed: (_, error) => offsetDeleteFailed(error),
})

export const offsetFetchApi = row<typeof OffsetFetch>({
  api: OffsetFetch,
  groups: (request, version) => (version < 8 ? [request.groupId] : request.groups.map(({ groupId }) => groupId)),
  only: (request, groups) => ({ ...request, groups: request.groups.filter(({ groupId }) => groups.has(groupId)) }),
  merge: answers => ({ ...answers[0], groups: answers.flatMap(({ groups = [] }) => groups) }),
  failed: ({ groups, topics }, error, version) => {
    if (version >= 8) return { groups: groups.map(({ groupId }) => fetchFailed(groupId, error)) }
    const errorCode = ErrorCode[error]
    if (version >= 2) return { errorCode, topics: [] }
    // Before version 2 only partitions have errors.
    const missing = { committedOffset: -1, metadata: '', errorCode }
    return {
      topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, ...missing })),
      })),
    }
  },
})

export const describeGroupsApi = row<typeof DescribeGroups>({
  api: DescribeGroups,
  groups: ({ groups }) => groups,
  only: (request, groups) => ({ ...request, groups: request.groups.filter(group => groups.has(group)) }),
  merge: answers => ({ ...answers[0], groups: answers.flatMap(({ groups }) => groups) }),
  failed: ({ groups }, error) => ({
    groups: groups.map(groupId => ({
      errorCode: ErrorCode[error],
      groupId,
      groupState: '',
      protocolType: '',
      protocolData: '',
      members: [],
    })),
  }),
})

export const deleteGroupsApi = row<typeof DeleteGroups>({
  api: DeleteGroups,
  groups: ({ groupsNames }) => groupsNames,
  only: (request, groups) => ({ groupsNames: request.groupsNames.filter(group => groups.has(group)) }),
  merge: answers => ({ ...answers[0], results: answers.flatMap(({ results }) => results) }),
  failed: ({ groupsNames }, error) => ({
    results: groupsNames.map(groupId => ({ groupId, errorCode: ErrorCode[error] })),
  }),
})

/** What goes to one coordinator. */
export interface GroupPortion {
  readonly node: number
  readonly groups: readonly string[]
  readonly request: unknown
}

/** A request for each coordinator. Groups without one ask any node, which has the right words for that. */
export function splitGroups(
  api: GroupedApi,
  request: unknown,
  version: number,
  coordinatorOf: (group: string) => number,
): GroupPortion[] {
  const groups = api.groups(request as never, version)
  const byNode = new Map<number, Set<string>>()
  for (const group of groups) {
    const node = coordinatorOf(group)
    byNode.set(node, (byNode.get(node) ?? new Set()).add(group))
  }
  const [only] = byNode.keys()
  if (byNode.size <= 1) return [{ node: only ?? anyNode, groups, request }]
  return Array.from(byNode, ([node, its]) => ({ node, groups: [...its], request: api.only!(request as never, its) }))
}

type Routed = readonly (GroupPortion & { readonly way: Way })[]

function route(api: GroupedApi, request: unknown, context: ProxyContext): Routed | Promise<Routed> {
  const { directory } = context.broker
  const unknown = api
    .groups(request as never, context.version)
    .filter(group => directory.coordinator('group', group) === null)
  const connect = (): Routed | Promise<Routed> => {
    const coordinatorOf = (group: string) => directory.coordinator('group', group) ?? anyNode
    const portions = splitGroups(api, request, context.version, coordinatorOf)
    const nodes = portions.map(({ node }) => node)
    const ways = waysTo(context.broker.upstream(context), nodes)
    const together = (found: readonly Way[]) => portions.map((portion, i) => ({ ...portion, way: found[i]! }))
    return ways instanceof Promise ? ways.then(together) : together(ways)
  }
  if (unknown.length === 0) return connect()
  return Promise.all(unknown.map(group => directory.findCoordinator('group', group))).then(connect)
}

const isElsewhere = (errorCode: unknown): boolean =>
  errorCode === ErrorCode.NOT_COORDINATOR || errorCode === ErrorCode.COORDINATOR_NOT_AVAILABLE

async function exchange(api: GroupedApi, routed: Routed, context: ProxyContext): Promise<unknown> {
  const { version, broker } = context
  const answers = await Promise.all(
    routed.map(async ({ request, way, groups }) => {
      const waitMs = Math.max(0, api.waitMs?.(request as never) ?? 0)
      const answer = await ask(way, api.api, version, request, patienceMs + waitMs)
      const failed = answer instanceof KafkaError
      // Clients look for the new coordinator through this gateway, which hears of it then; some ask the old one again first.
      if (failed || isElsewhere((answer as { errorCode?: number }).errorCode))
        for (const group of groups) broker.directory.forgetCoordinator('group', group)
      if (!failed) return answer
      const error = answer.errorName === 'UNSUPPORTED_VERSION' ? answer.errorName : 'COORDINATOR_NOT_AVAILABLE'
      return api.failed(request as never, error, version)
    }),
  )
  return answers.length === 1 ? answers[0] : api.merge!(answers as never)
}

export function grouped(api: GroupedApi): Handler<Api, ProxyContext> {
  return {
    api: api.api,
    keepsBytes: api.keepsBytes ?? false,
    handle: (request, context) =>
      inTurn(context.peer, route(api, request, context), routed => exchange(api, routed, context)) as never,
  }
}

export const joinGroup = grouped(joinGroupApi)
export const syncGroup = grouped(syncGroupApi)
export const heartbeat = grouped(heartbeatApi)
export const leaveGroup = grouped(leaveGroupApi)
export const offsetCommit = grouped(offsetCommitApi)
export const offsetFetch = grouped(offsetFetchApi)
export const offsetDelete = grouped(offsetDeleteApi)
export const describeGroups = grouped(describeGroupsApi)
export const deleteGroups = grouped(deleteGroupsApi)

type GroupList = Extract<ResponseOf<typeof ListGroups>, object>

/** The groups of several nodes in one list. */
export function mergeLists(answers: readonly GroupList[]): GroupList {
  const groups = new Map(answers.flatMap(answer => answer.groups).map(group => [group.groupId, group]))
  const errorCode = answers.find(answer => answer.errorCode !== 0)?.errorCode ?? 0
  return { errorCode, groups: [...groups.values()] }
}

const notListed: GroupList = { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] }

/** Each node knows its own groups. */
export const listGroups = everyNode(ListGroups, answers =>
  mergeLists(Array.from(answers.values(), answer => (answer instanceof KafkaError ? notListed : answer))),
)
