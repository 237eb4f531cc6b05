import type { ForwardingController } from '../cluster/forwarding.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { offsetsTopic } from '../groups/coordinator.ts'
import { ErrorCode, errorName, KafkaError } from '../protocol/errors.ts'

/** Makes `__consumer_offsets` when it is needed first: once, whoever asks meanwhile. */
export class OffsetsTopic {
  readonly #cluster: ClusterState
  readonly #config: BrokerConfig
  readonly #controller: Pick<ForwardingController, 'ask'>
  #making: Promise<void> | null = null

  constructor(cluster: ClusterState, config: BrokerConfig, controller: Pick<ForwardingController, 'ask'>) {
    this.#cluster = cluster
    this.#config = config
    this.#controller = controller
  }

  /** Rejects with COORDINATOR_NOT_AVAILABLE. */
  make(): Promise<void> {
    this.#making ??= this.#ask().finally(() => {
      this.#making = null
    })
    return this.#making
  }

  async #ask(): Promise<void> {
    if (this.#cluster.topics.has(offsetsTopic)) return
    const configs = {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(this.#config.get('offsets.topic.segment.bytes')),
    }
    const { topics } = await this.#controller.ask('createTopics', {
      topics: [
        {
          name: offsetsTopic,
          numPartitions: this.#config.get('offsets.topic.num.partitions'),
          replicationFactor: this.#copies(),
          assignments: [],
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
      timeoutMs: 10_000,
    })
    const { errorCode = 0 } = topics[0] ?? {}
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS)
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', errorName(errorCode))
  }

  /** As many as there are brokers for, now. */
  #copies(): number {
    let brokers = 0
    for (const { fenced, inControlledShutdown } of this.#cluster.brokers.values())
      if (!fenced && !inControlledShutdown) brokers++
    return Math.max(1, Math.min(this.#config.get('offsets.topic.replication.factor'), brokers))
  }
}
