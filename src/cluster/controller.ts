import type { Machine, Moment } from '../machine/machine.ts'
import { KafkaError } from '../protocol/errors.ts'
import { alterConfigs, incrementalAlterConfigs, refuseAlterConfigs } from './commands/alter-configs.ts'
import { refuseRegisterBroker, refuseUnregisterBroker, registerBroker, unregisterBroker } from './commands/brokers.ts'
import type {
  Answer,
  Command,
  CommandName,
  CommandRequest,
  CommandResponse,
  MetadataDecision,
  Outcome,
} from './commands/command.ts'
import type { Context, ControllerSettings } from './commands/context.ts'
import { createPartitions, refuseCreatePartitions } from './commands/create-partitions.ts'
import { createTopics, refuseCreateTopics } from './commands/create-topics.ts'
import { deleteTopics, refuseDeleteTopics } from './commands/delete-topics.ts'
import { electLeaders, refuseElectLeaders } from './commands/elect-leaders.ts'
import { allocateProducerIds, refuseAllocateProducerIds } from './commands/producer-ids.ts'
import { refuseUpdateFeatures, updateFeatures } from './commands/update-features.ts'
import type { MetadataRecord } from './records/records.ts'
import { ClusterState } from './state.ts'

/** One command: what it decides, and what its answer looks like when it is refused as a whole. */
interface Family<Name extends CommandName> {
  /** Throws KafkaError to refuse the whole request. */
  decide(request: CommandRequest<Name>, context: Context): Outcome<CommandResponse<Name>>
  refuse(request: CommandRequest<Name>, error: KafkaError): CommandResponse<Name>
}

const families: { readonly [Name in CommandName]: Family<Name> } = {
  createTopics: { decide: createTopics, refuse: refuseCreateTopics },
  deleteTopics: { decide: deleteTopics, refuse: refuseDeleteTopics },
  createPartitions: { decide: createPartitions, refuse: refuseCreatePartitions },
  incrementalAlterConfigs: { decide: incrementalAlterConfigs, refuse: refuseAlterConfigs },
  alterConfigs: { decide: alterConfigs, refuse: refuseAlterConfigs },
  registerBroker: { decide: registerBroker, refuse: refuseRegisterBroker },
  unregisterBroker: { decide: unregisterBroker, refuse: refuseUnregisterBroker },
  allocateProducerIds: { decide: allocateProducerIds, refuse: refuseAllocateProducerIds },
  updateFeatures: { decide: updateFeatures, refuse: refuseUpdateFeatures },
  electLeaders: { decide: electLeaders, refuse: refuseElectLeaders },
}

/** The answer to a command that is refused as a whole, in the form of its API. */
export function refuseCommand(command: Command, error: KafkaError): Answer {
  const family = families[command.do] as Family<CommandName>
  return family.refuse(command.request, error)
}

/**
 * The cluster's metadata as a machine (KIP-500): commands are Kafka's requests, records Kafka's metadata records,
 * answers Kafka's responses. One file for each family of commands stands in `commands/`.
 */
export class Controller implements Machine<Command, MetadataRecord, Answer> {
  readonly state = new ClusterState()
  readonly #settings: ControllerSettings
  readonly #bootstrap: readonly MetadataRecord[]

  /** `bootstrap`: the first records of a cluster that has none. */
  constructor(settings: ControllerSettings, bootstrap: readonly MetadataRecord[]) {
    this.#settings = settings
    this.#bootstrap = bootstrap
  }

  decide(command: Command, at: Moment): MetadataDecision {
    const family = families[command.do] as Family<CommandName>
    try {
      const context = { state: this.state, settings: this.#settings, at }
      const { records, response } = family.decide(command.request, context)
      return { records, effects: [{ do: 'answer', answer: response }] }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { records: [], effects: [{ do: 'answer', answer: family.refuse(command.request, error) }] }
    }
  }

  apply(record: MetadataRecord, _timestamp: number, offset: number): void {
    this.state.apply(record, offset)
  }

  /** The first leader of a cluster says at which levels it begins. */
  lead(): MetadataDecision {
    return { records: this.state.metadataVersion === 0 ? this.#bootstrap : [], effects: [] }
  }

  snapshot(): Iterable<MetadataRecord> {
    return this.state.records()
  }
}
