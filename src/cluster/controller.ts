import type { Effect, Machine, Moment } from '../machine/machine.ts'
import { KafkaError } from '../protocol/errors.ts'
import { afterwards, standing } from './commands/afterwards.ts'
import { alterConfigs, incrementalAlterConfigs, refuseAlterConfigs } from './commands/alter-configs.ts'
import { alterPartition, refuseAlterPartition } from './commands/alter-partition.ts'
import { refuseRegisterBroker, refuseUnregisterBroker, registerBroker, unregisterBroker } from './commands/brokers.ts'
import type {
  Answer,
  Command,
  CommandName,
  CommandRequest,
  CommandResponse,
  Fact,
  MetadataDecision,
  Outcome,
} from './commands/command.ts'
import type { Context, ControllerSettings } from './commands/context.ts'
import { createPartitions, refuseCreatePartitions } from './commands/create-partitions.ts'
import { createTopics, refuseCreateTopics } from './commands/create-topics.ts'
import { deleteTopics, refuseDeleteTopics } from './commands/delete-topics.ts'
import { electLeaders, electOrphans, electPreferred, refuseElectLeaders } from './commands/elect-leaders.ts'
import { brokerHeartbeat, refuseBrokerHeartbeat } from './commands/heartbeat.ts'
import { balance } from './commands/move.ts'
import { PresentLoad } from './commands/present-load.ts'
import { allocateProducerIds, refuseAllocateProducerIds } from './commands/producer-ids.ts'
import {
  alterPartitionReassignments,
  listPartitionReassignments,
  refuseAlterPartitionReassignments,
  refuseListPartitionReassignments,
} from './commands/reassign.ts'
import { brokerLost, expireSession, refuseOwn, replaceBroker } from './commands/sessions.ts'
import { refuseUpdateFeatures, updateFeatures } from './commands/update-features.ts'
import { Contacts, type SoftFact } from './contacts.ts'
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
  brokerHeartbeat: { decide: brokerHeartbeat, refuse: refuseBrokerHeartbeat },
  unregisterBroker: { decide: unregisterBroker, refuse: refuseUnregisterBroker },
  brokerLost: { decide: brokerLost, refuse: refuseOwn },
  expireSession: { decide: expireSession, refuse: refuseOwn },
  replaceBroker: { decide: replaceBroker, refuse: refuseOwn },
  alterPartition: { decide: alterPartition, refuse: refuseAlterPartition },
  alterPartitionReassignments: { decide: alterPartitionReassignments, refuse: refuseAlterPartitionReassignments },
  listPartitionReassignments: { decide: listPartitionReassignments, refuse: refuseListPartitionReassignments },
  balance: { decide: balance, refuse: refuseOwn },
  allocateProducerIds: { decide: allocateProducerIds, refuse: refuseAllocateProducerIds },
  updateFeatures: { decide: updateFeatures, refuse: refuseUpdateFeatures },
  electLeaders: { decide: electLeaders, refuse: refuseElectLeaders },
  electPreferred: { decide: electPreferred, refuse: refuseOwn },
  electOrphans: { decide: electOrphans, refuse: refuseOwn },
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
export class Controller implements Machine<Command, Fact, Answer> {
  readonly state = new ClusterState()
  readonly #contacts = new Contacts()
  readonly #settings: ControllerSettings
  readonly #bootstrap: readonly MetadataRecord[]

  /** `bootstrap`: the first records of a cluster that has none. */
  constructor(settings: ControllerSettings, bootstrap: readonly MetadataRecord[]) {
    this.#settings = settings
    this.#bootstrap = bootstrap
  }

  decide(command: Command, at: Moment): MetadataDecision {
    const family = families[command.do] as Family<CommandName>
    const context = this.#context(at)
    try {
      const { records, soft = [], effects = [], response } = family.decide(command.request, context)
      const answer: Effect<Command, Answer> = { do: 'answer', answer: response }
      return { records, soft, effects: [answer, ...effects, ...afterwards(command, records, context)] }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { records: [], effects: [{ do: 'answer', answer: family.refuse(command.request, error) }] }
    }
  }

  apply(fact: Fact, _timestamp: number, offset: number): void {
    if (isSoft(fact)) this.#contacts.apply(fact, this.state.offset)
    else this.state.apply(fact, offset)
  }

  /** The first leader of a cluster says at which levels it begins; every one gives each broker a full session. */
  lead(at: Moment): MetadataDecision {
    if (this.state.metadataVersion === 0) return { records: this.#bootstrap, effects: [] }
    return { records: [], ...standing(this.#context(at)) }
  }

  snapshot(): Iterable<MetadataRecord> {
    return this.state.records()
  }

  #context(at: Moment): Context {
    return {
      state: this.state,
      contacts: this.#contacts,
      load: new PresentLoad(this.state),
      settings: this.#settings,
      at,
    }
  }
}

function isSoft(fact: Fact): fact is SoftFact {
  return fact.type === 'BrokerHeard' || fact.type === 'BrokerSilent' || fact.type === 'BrokerRelieved'
}
