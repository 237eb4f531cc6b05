import type { Decision, Effect } from '../machine/machine.ts'
import type { DeleteGroups } from '../protocol/messages/delete-groups.ts'
import type { DescribeGroups } from '../protocol/messages/describe-groups.ts'
import type { Heartbeat } from '../protocol/messages/heartbeat.ts'
import type { JoinGroup } from '../protocol/messages/join-group.ts'
import type { LeaveGroup } from '../protocol/messages/leave-group.ts'
import type { ListGroups } from '../protocol/messages/list-groups.ts'
import type { OffsetCommit } from '../protocol/messages/offset-commit.ts'
import type { OffsetDelete } from '../protocol/messages/offset-delete.ts'
import type { OffsetFetch } from '../protocol/messages/offset-fetch.ts'
import type { SyncGroup } from '../protocol/messages/sync-group.ts'
import type { RequestOf, ResponseOf } from '../protocol/schema.ts'
import type { GroupRecord } from './facts.ts'

/** Who asks, as far as a group wants to know. */
export interface ClientContext {
  readonly clientId: string
  /** As Kafka prints it: a slash and the address. */
  readonly clientHost: string
}

export type JoinGroupRequest = RequestOf<typeof JoinGroup>
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>
export type SyncGroupRequest = RequestOf<typeof SyncGroup>
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>
export type HeartbeatRequest = RequestOf<typeof Heartbeat>
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>
export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>
export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>
export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>
export type OffsetFetchedGroup = NonNullable<OffsetFetchResponse['groups']>[number]
export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>
export type DescribedGroup = ResponseOf<typeof DescribeGroups>['groups'][number]
export type ListedGroup = ResponseOf<typeof ListGroups>['groups'][number]
export type DeletedGroup = ResponseOf<typeof DeleteGroups>['results'][number]

export type JoinCommand = ClientContext & {
  readonly type: 'JoinGroup'
  readonly version: number
  readonly request: JoinGroupRequest
}
export type SyncCommand = { readonly type: 'SyncGroup'; readonly version: number; readonly request: SyncGroupRequest }
export type HeartbeatCommand = { readonly type: 'Heartbeat'; readonly request: HeartbeatRequest }
export type LeaveCommand = {
  readonly type: 'LeaveGroup'
  readonly version: number
  readonly request: LeaveGroupRequest
}

/** Topics carry their names in every version (whoever hands this in has looked ids up). */
export type CommitCommand = {
  readonly type: 'OffsetCommit'
  readonly version: number
  readonly request: OffsetCommitRequest
}

/** One group's part of a request; `topics` null asks for all. */
export type FetchCommand = {
  readonly type: 'OffsetFetch'
  readonly groupId: string
  readonly topics:
    | readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: number[] }[]
    | null
  readonly requireStable: boolean
  /** Where all are asked for; left out, nothing is known of topics. */
  readonly idOf?: TopicId
}
/** Of the topic that has the name now; undefined: there is none. */
export type TopicId = (name: string) => string | undefined
export type OffsetDeleteCommand = { readonly type: 'OffsetDelete'; readonly request: OffsetDeleteRequest }

/** Only groups of this partition are asked for. */
export type DescribeCommand = {
  readonly type: 'DescribeGroups'
  readonly version: number
  readonly groups: readonly string[]
}
export type ListCommand = {
  readonly type: 'ListGroups'
  /** Kafka's names in any spelling; empty: all. */
  readonly statesFilter: readonly string[]
  readonly typesFilter: readonly string[]
}
export type DeleteCommand = { readonly type: 'DeleteGroups'; readonly groups: readonly string[] }

/** These are gone, though there may be others under their names again; null: any may be. */
export interface TopicsDeletedCommand {
  readonly type: 'TopicsDeleted'
  readonly topics: readonly string[] | null
  readonly idOf: TopicId
}

/** What the clock says, and what the cluster says. */
export type InternalCommand =
  | { readonly type: 'ExpireMember'; readonly groupId: string; readonly memberId: string }
  | { readonly type: 'CompleteJoin'; readonly groupId: string }
  | {
      readonly type: 'CompleteInitialJoin'
      readonly groupId: string
      readonly delayMs: number
      readonly remainingMs: number
    }
  | { readonly type: 'ExpireSync'; readonly groupId: string; readonly generationId: number }
  | { readonly type: 'ExpireOffsets' }
  | TopicsDeletedCommand

export type GroupCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | CommitCommand
  | FetchCommand
  | OffsetDeleteCommand
  | DescribeCommand
  | ListCommand
  | DeleteCommand
  | InternalCommand

/** The answer to a command, by its type. */
export interface Answers {
  JoinGroup: JoinGroupResponse
  SyncGroup: SyncGroupResponse
  Heartbeat: HeartbeatResponse
  LeaveGroup: LeaveGroupResponse
  OffsetCommit: OffsetCommitResponse
  OffsetFetch: OffsetFetchedGroup
  OffsetDelete: OffsetDeleteResponse
  DescribeGroups: readonly DescribedGroup[]
  ListGroups: readonly ListedGroup[]
  DeleteGroups: readonly DeletedGroup[]
  /** `done`: false when more is to be forgotten, which takes another command. */
  TopicsDeleted: { readonly done: boolean } | null
}

/** A machine's host that refuses a command answers with this; the coordinator turns it into the API's own shape. */
export class Refused {
  readonly why: 'notLeader' | 'overloaded' | 'failed'
  readonly error: Error | null

  constructor(why: 'notLeader' | 'overloaded' | 'failed', error: Error | null) {
    this.why = why
    this.error = error
  }
}

export type GroupAnswer = Answers[keyof Answers] | Refused
export type GroupEffect = Effect<GroupCommand, GroupAnswer>
export type GroupDecision = Decision<GroupCommand, GroupRecord, GroupAnswer>
