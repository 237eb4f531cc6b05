import type { Decision } from '../../machine/machine.ts'
import type { AllocateProducerIds } from '../../protocol/messages/allocate-producer-ids.ts'
import type { AlterConfigs } from '../../protocol/messages/alter-configs.ts'
import type { BrokerRegistration } from '../../protocol/messages/broker-registration.ts'
import type { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import type { CreateTopics } from '../../protocol/messages/create-topics.ts'
import type { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import type { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import type { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import type { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import type { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import type { Api, RequestInput, ResponseOf } from '../../protocol/schema.ts'
import type { MetadataRecord } from '../records/records.ts'

/** What the controller decides about, with the API whose request each command carries and whose response answers it. */
export interface CommandApis {
  createTopics: typeof CreateTopics
  deleteTopics: typeof DeleteTopics
  createPartitions: typeof CreatePartitions
  incrementalAlterConfigs: typeof IncrementalAlterConfigs
  alterConfigs: typeof AlterConfigs
  registerBroker: typeof BrokerRegistration
  unregisterBroker: typeof UnregisterBroker
  allocateProducerIds: typeof AllocateProducerIds
  updateFeatures: typeof UpdateFeatures
  electLeaders: typeof ElectLeaders
}

export type CommandName = keyof CommandApis
export type CommandRequest<Name extends CommandName> = RequestInput<CommandApis[Name]>
export type CommandResponse<Name extends CommandName> = CommandApis[Name] extends Api
  ? ResponseOf<CommandApis[Name]>
  : never

export type Command = {
  [Name in CommandName]: { readonly do: Name; readonly request: CommandRequest<Name> }
}[CommandName]
export type Answer = { [Name in CommandName]: CommandResponse<Name> }[CommandName]

export type MetadataDecision = Decision<Command, MetadataRecord, Answer>

/** What most commands come to: facts and one answer. */
export interface Outcome<Response> {
  readonly records: readonly MetadataRecord[]
  readonly response: Response
}
