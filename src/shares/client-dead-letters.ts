import { Admin } from '../client/admin.ts'
import { Cluster } from '../client/cluster.ts'
import type { ClientWorld } from '../client/options.ts'
import { Producer } from '../client/producer.ts'
import { readPartition } from '../client/read-partition.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Address } from '../world/world.ts'
import type { DeadLetterPort, DeadRecord } from './dead-letters.ts'

/** ms: nobody waits, but what is dying fills the group's window. */
const timeoutMs = 15_000

/** Dead letters leave as any client's records do. What it takes is made with the first of them. */
export class ClientDeadLetters implements DeadLetterPort {
  readonly #world: ClientWorld
  readonly #bootstrap: () => readonly Address[]
  #open: { readonly cluster: Cluster; readonly producer: Producer } | null = null
  #closed = false

  constructor(world: ClientWorld, bootstrap: () => readonly Address[]) {
    this.#world = world
    this.#bootstrap = bootstrap
  }

  async read(topic: string, partition: number, offset: number): Promise<DeadRecord | null> {
    const { cluster } = this.#client()
    try {
      const { records } = await readPartition(
        cluster,
        { topic, partition },
        { offset, maxRecords: 1, maxBytes: 1, maxWaitMs: 0, isolation: 'read_committed' },
      )
      const record = records[0]
      return record?.offset === offset ? record : null
    } catch (error) {
      if (error instanceof KafkaError && gone.has(error.errorName)) return null
      throw error
    }
  }

  /** Its time is that of the burial: retention counts from there. */
  async write(topic: string, like: string, from: number, { key, value, headers }: DeadRecord): Promise<void> {
    const { cluster, producer } = this.#client()
    if (cluster.knownTopic(topic) === null) await this.#make(cluster, topic, like)
    const { partitions } = await cluster.findTopic(topic)
    await producer.send({ topic, partition: from % partitions.length, key, value, headers })
  }

  /** With as many partitions as the topic that it is for: order by key is kept as far as it was. */
  async #make(cluster: Cluster, topic: string, like: string): Promise<void> {
    try {
      await cluster.findTopic(topic)
      return
    } catch (error) {
      if (!(error instanceof KafkaError) || error.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    }
    const { partitions } = await cluster.findTopic(like)
    try {
      await new Admin(cluster).createTopics([{ name: topic, partitions: partitions.length }])
    } catch (error) {
      if (!(error instanceof KafkaError) || error.errorName !== 'TOPIC_ALREADY_EXISTS') throw error
    }
    await cluster.topic(topic)
  }

  close(): void {
    this.#closed = true
    this.#open?.cluster.close()
  }

  #client(): { readonly cluster: Cluster; readonly producer: Producer } {
    if (this.#closed) throw new KafkaError('NETWORK_EXCEPTION', 'the node is stopping')
    if (this.#open === null) {
      const cluster = new Cluster(this.#world, {
        bootstrap: this.#bootstrap().slice(0, 1),
        clientId: 'ottla-dead-letters',
        apiTimeoutMs: timeoutMs,
      })
      const producer = new Producer(cluster, { acks: -1, idempotent: true, deliveryTimeoutMs: timeoutMs })
      this.#open = { cluster, producer }
    }
    return this.#open
  }
}

const gone = new Set(['OFFSET_OUT_OF_RANGE', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])
