import type { BrokerConfig } from '../config/broker-config.ts'
import { describeTopic } from '../config/describe.ts'
import { configSchema } from '../config/schema.ts'
import { topicValueInForce } from '../config/topic-values.ts'
import type { ControllerSettings } from './commands/context.ts'
import { supportedFeatures } from './features.ts'
import { balanced } from './placement/balanced.ts'
import { ring } from './placement/ring.ts'

/** A controller's settings from the broker's; getters where they may change while we run. */
export function controllerSettings(
  config: BrokerConfig,
  self: { readonly clusterId: string; readonly nodeId: number; readonly incarnationId: string },
): ControllerSettings {
  return {
    clusterId: self.clusterId,
    nodeId: self.nodeId,
    incarnationId: self.incarnationId,
    schema: configSchema,
    placement: config.get('placement') === 'balanced' ? balanced : ring,
    get numPartitions() {
      return config.get('num.partitions')
    },
    get defaultReplicationFactor() {
      return config.get('default.replication.factor')
    },
    get deleteTopicEnable() {
      return config.get('delete.topic.enable')
    },
    sessionTimeoutMs: config.get('broker.session.timeout.ms'),
    preferredLeadersMs: config.get('auto.leader.rebalance.enable')
      ? config.get('leader.imbalance.check.interval.seconds') * 1000
      : null,
    replaceAfterMs: config.get('broker.replace.after.ms'),
    balance: config.get('balance.enable'),
    topicValue: (name, own) => topicValueInForce(name, own, config),
    supportedFeatures,
    describeTopic: own => describeTopic(own, config),
  }
}
