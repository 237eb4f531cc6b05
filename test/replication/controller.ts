import { alterPartition } from '../../src/cluster/commands/alter-partition.ts'
import { type Context, lonelySettings } from '../../src/cluster/commands/context.ts'
import { arrive, changeAll, leave } from '../../src/cluster/commands/elect.ts'
import type { MetadataRecord } from '../../src/cluster/records/records.ts'
import { ClusterState, type PartitionState } from '../../src/cluster/state.ts'
import type { AlterPartition } from '../../src/protocol/messages/alter-partition.ts'
import type { RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import type { Dice } from './time.ts'

export const topicId = 'AAECAwQFBgcICQoLDA0ODw'
export const topic = 't'

/**
 * The least of a controller that replication needs, made of the real one's decisions: always there, and at once. One topic
 * with one partition.
 */
export class ModelController {
  readonly state = new ClusterState()
  readonly #dice: Dice
  readonly #published: (records: readonly MetadataRecord[]) => void

  constructor(dice: Dice, published: (records: readonly MetadataRecord[]) => void) {
    this.#dice = dice
    this.#published = published
  }

  get partition(): PartitionState {
    return this.state.topicsById.get(topicId)?.partitions[0] as PartitionState
  }

  create(replicas: readonly number[], configs: Readonly<Record<string, string>>): void {
    const records: MetadataRecord[] = [
      { type: 'TopicRecord', name: topic, topicId },
      {
        type: 'PartitionRecord',
        partitionId: 0,
        topicId,
        replicas,
        isr: replicas,
        addingReplicas: [],
        removingReplicas: [],
        leader: replicas[0] as number,
        leaderEpoch: 0,
        partitionEpoch: 0,
      },
    ]
    for (const [name, value] of Object.entries(configs))
      records.push({ type: 'ConfigRecord', resourceType: 2, resourceName: topic, name, value })
    this.#commit(records)
  }

  /** A new life of a broker: its former self leads nothing any more. Fenced until `unfence`. Returns its epoch. */
  register(id: number): number {
    const brokerEpoch = this.state.offset
    const registration: MetadataRecord = {
      type: 'RegisterBrokerRecord',
      brokerId: id,
      incarnationId: topicId,
      brokerEpoch,
      endPoints: [],
      features: [],
      rack: null,
      fenced: true,
    }
    this.#commit([registration, ...leave(this.#context, id)])
    return brokerEpoch
  }

  /** It has the metadata up to its registration. */
  unfence(id: number): void {
    const { epoch } = this.state.brokers.get(id) ?? { epoch: -1 }
    this.#commit([{ type: 'UnfenceBrokerRecord', id, epoch }, ...arrive(this.#context, id)])
  }

  /** The broker is not heard any more. */
  fence(id: number): void {
    const broker = this.state.brokers.get(id)
    if (broker?.fenced !== false) return
    this.#commit([{ type: 'FenceBrokerRecord', id, epoch: broker.epoch }, ...leave(this.#context, id)])
  }

  /** Another leader, or the same one in a new epoch. */
  elect(): void {
    const { isr, leader } = this.partition
    const others = isr.filter(id => id !== leader && this.state.brokers.get(id)?.fenced === false)
    if (others.length > 0 && this.#dice.chance(0.7)) {
      const next = this.#dice.pick(others)
      const line = [next, ...isr.filter(id => id !== next)]
      this.#commit([{ type: 'PartitionChangeRecord', partitionId: 0, topicId, leader: next, isr: line }])
    } else if (leader !== -1) this.#commit([...changeAll(this.#context, undefined, () => ({ newEpoch: true }))])
  }

  alterPartition(request: RequestInput<typeof AlterPartition>): ResponseOf<typeof AlterPartition> {
    const { records, response } = alterPartition(request, this.#context)
    this.#commit(records)
    return response
  }

  get #context(): Context {
    const { state } = this
    return { state, settings: lonelySettings } as unknown as Context
  }

  #commit(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return
    for (const record of records) this.state.apply(record, this.state.offset)
    this.#published(records)
  }
}
