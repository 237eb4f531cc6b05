import type { ConfigSchema } from '../../config/schema.ts'
import type { Moment } from '../../machine/machine.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Contacts } from '../contacts.ts'
import type { Placement, PlacementBroker } from '../placement/placement.ts'
import { type ClusterState, ResourceType } from '../state.ts'
import type { PresentLoad } from './present-load.ts'

/** What commands need to know besides the cluster's state. The owner keeps values that may change at run time current. */
export interface ControllerSettings {
  readonly clusterId: string
  readonly schema: ConfigSchema
  readonly placement: Placement
  /** `num.partitions` and `default.replication.factor`: for topics that do not say. −1: `automaticFactor`. */
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  /** `delete.topic.enable`. */
  readonly deleteTopicEnable: boolean
  /** This node, and this life of it; −1 and '' where no broker runs beside the controller. */
  readonly nodeId: number
  readonly incarnationId: string
  /** `broker.session.timeout.ms`. */
  readonly sessionTimeoutMs: number
  /** `leader.imbalance.check.interval.seconds` in ms; null where `auto.leader.rebalance.enable` is off. */
  readonly preferredLeadersMs: number | null
  /** ms after which the replicas of a broker that does not come back are made elsewhere; −1: when somebody says so. */
  readonly replaceAfterMs: number
  /** Whether partitions move by themselves when brokers join and leave. */
  readonly balance: boolean
  /**
   * The value of a topic's setting (`flush`, too, and `replication.topology`) by what the topic says itself and this node
   * knows; what the cluster has set may be news to it: `valueInForce`.
   */
  topicValue(name: string, own: ReadonlyMap<string, string>): string | null
  /** Levels that this software can work with. */
  readonly supportedFeatures: ReadonlyMap<string, { readonly min: number; readonly max: number }>
  /** What a topic with these settings of its own will have in force, for CreateTopics' answer. */
  describeTopic(own: ReadonlyMap<string, string>): readonly TopicConfigEntry[]
}

export interface TopicConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
}

export interface Context {
  readonly state: ClusterState
  readonly contacts: Contacts
  readonly load: PresentLoad
  readonly settings: ControllerSettings
  readonly at: Moment
}

/** What a controller knows that stands alone, as in tests of one broker. */
export const lonelySettings = {
  nodeId: -1,
  incarnationId: '',
  sessionTimeoutMs: 3000,
  preferredLeadersMs: null,
  replaceAfterMs: -1,
  balance: false,
  topicValue: (name: string, own: ReadonlyMap<string, string>) => own.get(name) ?? null,
}

/** Kafka's bound on what one request may ask for (`MAX_RECORDS_PER_USER_OP`). */
export const maxPartitionsPerRequest = 10_000

/** What is set for a resource. */
export type Configs = (resourceType: number, resourceName: string) => ReadonlyMap<string, string>

/** Settings on which who may lead depends (KIP-966): they have one value for all brokers, and every one knows it from the log. */
export const pinnedSettings: readonly string[] = ['min.insync.replicas', 'replication.topology']

/**
 * The value in force of a topic's setting, with what is decided and not committed yet. The node's own settings come last:
 * they follow the log at a distance, and before it is read they are those of a file that may say something else.
 */
export function valueInForce(
  name: string,
  topic: string,
  { state, settings }: Pick<Context, 'state'> & { settings: Pick<ControllerSettings, 'nodeId' | 'topicValue'> },
  configs: Configs = (type, resource) => state.configs(type, resource),
): string | null {
  const own = configs(ResourceType.TOPIC, topic)
  const here = pinnedSettings.includes(name)
    ? undefined
    : configs(ResourceType.BROKER, String(settings.nodeId)).get(name)
  return own.get(name) ?? here ?? configs(ResourceType.BROKER, '').get(name) ?? settings.topicValue(name, own)
}

export function usableBrokers(state: ClusterState): PlacementBroker[] {
  return [...state.brokers.values()]
    .filter(broker => !broker.fenced && !broker.inControlledShutdown)
    .map(({ id, rack }) => ({ id, rack }))
    .sort((a, b) => a.id - b.id)
}

/** Whether a broker may lead or be in sync. */
export function isUsable(state: ClusterState, id: number): boolean {
  const broker = state.brokers.get(id)
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
}

/** In which directory a broker keeps a new replica: all zero leaves the choice to a broker with several (KIP-858). */
export function directoryOf(state: ClusterState, id: number): string {
  const logDirs = state.brokers.get(id)?.logDirs ?? []
  return logDirs.length === 1 ? logDirs[0]! : ZERO_UUID
}
