import type { ForwardingController } from '../cluster/forwarding.ts'
import type { ClusterState } from '../cluster/state.ts'
import { ErrorCode, errorName, KafkaError } from '../protocol/errors.ts'

export interface InternalTopicOptions {
  readonly name: string
  readonly partitions: number
  /** At most one a broker. */
  readonly copies: number
  readonly configs: Readonly<Record<string, string>>
}

/** Makes a coordinators' topic when it is needed first: once, whoever asks meanwhile. */
export class InternalTopic {
  readonly #cluster: ClusterState
  readonly #controller: Pick<ForwardingController, 'ask'>
  readonly #options: InternalTopicOptions
  #making: Promise<void> | null = null

  constructor(cluster: ClusterState, controller: Pick<ForwardingController, 'ask'>, options: InternalTopicOptions) {
    this.#cluster = cluster
    this.#controller = controller
    this.#options = options
  }

  /** Rejects with COORDINATOR_NOT_AVAILABLE. */
  make(): Promise<void> {
    this.#making ??= this.#ask().finally(() => {
      this.#making = null
    })
    return this.#making
  }

  async #ask(): Promise<void> {
    const { name, partitions, configs } = this.#options
    if (this.#cluster.topics.has(name)) return
    const { topics } = await this.#controller.ask('createTopics', {
      topics: [
        {
          name,
          numPartitions: partitions,
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
    return Math.max(1, Math.min(this.#options.copies, brokers))
  }
}
