import type { Effect } from '../../machine/machine.ts'
import type { AllocateProducerIds } from '../../protocol/messages/allocate-producer-ids.ts'
import type { AlterConfigs } from '../../protocol/messages/alter-configs.ts'
import type { AlterPartition } from '../../protocol/messages/alter-partition.ts'
import type { AlterPartitionReassignments } from '../../protocol/messages/alter-partition-reassignments.ts'
import type { BrokerHeartbeat } from '../../protocol/messages/broker-heartbeat.ts'
import type { BrokerRegistration } from '../../protocol/messages/broker-registration.ts'
import type { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import type { CreateTopics } from '../../protocol/messages/create-topics.ts'
import type { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import type { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import type { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import type { ListPartitionReassignments } from '../../protocol/messages/list-partition-reassignments.ts'
import type { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import type { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/schema.ts'
import type { SoftFact } from '../contacts.ts'
import type { MetadataRecord } from '../records/records.ts'

/** What the controller decides about, with the API whose request each command carries and whose response answers it. */
export interface CommandApis {
  createTopics: typeof CreateTopics
  deleteTopics: typeof DeleteTopics
  createPartitions: typeof CreatePartitions
  incrementalAlterConfigs: typeof IncrementalAlterConfigs
  alterConfigs: typeof AlterConfigs
  registerBroker: typeof BrokerRegistration
  brokerHeartbeat: typeof BrokerHeartbeat
  unregisterBroker: typeof UnregisterBroker
  alterPartition: typeof AlterPartition
  alterPartitionReassignments: typeof AlterPartitionReassignments
  listPartitionReassignments: typeof ListPartitionReassignments
  allocateProducerIds: typeof AllocateProducerIds
  updateFeatures: typeof UpdateFeatures
  electLeaders: typeof ElectLeaders
}

/** What no API carries: the controller's own node finds out, or time does. */
export interface OwnCommands {
  /** Nobody listens at its address any more: its process is gone. */
  brokerLost: BrokerLife
  /** It was not heard for a whole session. */
  expireSession: BrokerLife
  /** It was fenced all the time for `replaceAfterMs`, in whatever lives. */
  replaceBroker: { readonly brokerId: number }
  /** Preferred leaders that can lead again do so. */
  electPreferred: Nothing
  /** Partitions without a leader look again: what may be elected has changed. */
  electOrphans: Nothing
  /** The next partitions that have to move begin to. */
  balance: Nothing
}

interface BrokerLife {
  readonly brokerId: number
  readonly brokerEpoch: number
}
type Nothing = Readonly<Record<string, never>>

/** What an own command is answered with; nobody but tests and logs looks. */
export interface Done {
  readonly errorCode: number
}

export type CommandName = keyof CommandApis | keyof OwnCommands
export type CommandRequest<Name extends CommandName> = Name extends keyof CommandApis
  ? RequestInput<CommandApis[Name]>
  : Name extends keyof OwnCommands
    ? OwnCommands[Name]
    : never
export type CommandResponse<Name extends CommandName> = Name extends keyof CommandApis
  ? CommandApis[Name] extends Api
    ? ResponseOf<CommandApis[Name]>
    : never
  : Done

export type Command = {
  [Name in CommandName]: { readonly do: Name; readonly request: CommandRequest<Name> }
}[CommandName]
export type Answer = { [Name in CommandName]: CommandResponse<Name> }[CommandName]

/** What a controller applies: the cluster's facts, and its own that die with its lead. */
export type Fact = MetadataRecord | SoftFact

export interface MetadataDecision {
  readonly records: readonly MetadataRecord[]
  readonly soft?: readonly SoftFact[]
  readonly effects: readonly Effect<Command, Answer>[]
}

/** What commands come to: facts, one answer, and seldom more. */
export interface Outcome<Response> {
  readonly records: readonly MetadataRecord[]
  readonly soft?: readonly SoftFact[]
  /** Besides the answer. */
  readonly effects?: readonly Effect<Command, Answer>[]
  readonly response: Response
}
