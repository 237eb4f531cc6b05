import type { ForwardingController } from '../cluster/forwarding.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { offsetsTopic } from '../groups/coordinator.ts'
import { InternalTopic } from './internal-topic.ts'

/** Makes `__consumer_offsets`. */
export class OffsetsTopic extends InternalTopic {
  constructor(cluster: ClusterState, config: BrokerConfig, controller: Pick<ForwardingController, 'ask'>) {
    super(cluster, controller, {
      name: offsetsTopic,
      partitions: config.get('offsets.topic.num.partitions'),
      copies: config.get('offsets.topic.replication.factor'),
      configs: {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': String(config.get('offsets.topic.segment.bytes')),
      },
    })
  }
}
