import type { MetadataRecord } from '../../src/cluster/records/records.ts'
import { ClusterState, type PartitionState } from '../../src/cluster/state.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import type { AlterPartition } from '../../src/protocol/messages/alter-partition.ts'
import type { RequestInput, ResponseOf } from '../../src/protocol/schema.ts'
import type { Dice } from './time.ts'

export const topicId = 'AAECAwQFBgcICQoLDA0ODw'
export const topic = 't'

type PartitionAnswer = ResponseOf<typeof AlterPartition>['topics'][number]['partitions'][number]

/** The least of a controller that replication needs: always there, always right. One topic with one partition. */
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

  /** A new life of a broker: its former self leads nothing any more. Returns its epoch. */
  register(id: number): number {
    const brokerEpoch = this.state.offset
    const records: MetadataRecord[] = [
      {
        type: 'RegisterBrokerRecord',
        brokerId: id,
        incarnationId: topicId,
        brokerEpoch,
        endPoints: [],
        features: [],
        rack: null,
        fenced: false,
      },
    ]
    this.#commit(records)
    const { partition } = this
    if (partition === undefined) return brokerEpoch
    if (partition.leader === id || partition.leader === -1) this.#elect()
    return brokerEpoch
  }

  /** The broker is not heard any more. */
  fence(id: number): void {
    if (this.state.brokers.get(id)?.fenced !== false) return
    this.#commit([{ type: 'FenceBrokerRecord', id, epoch: this.state.brokers.get(id)?.epoch ?? -1 }])
    const { isr, leader } = this.partition
    const left = isr.filter(each => each !== id)
    if (left.length > 0 && left.length < isr.length) this.#change({ isr: left })
    if (leader === id) this.#elect()
  }

  /** Another leader, or the same one again, in a new epoch. */
  elect(): void {
    if (this.partition.leader !== -1) this.#elect()
  }

  /** Replicas are moved: new ones are added, or others taken away when they are not needed. */
  reassign(replicas: readonly number[]): void {
    const { isr, leader } = this.partition
    const left = isr.filter(id => replicas.includes(id))
    if (left.length === 0) return
    this.#change({ replicas, isr: left })
    if (!replicas.includes(leader)) this.#elect()
  }

  alterPartition(request: RequestInput<typeof AlterPartition>): ResponseOf<typeof AlterPartition> {
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId: topicId ?? '',
      partitions: partitions.map(proposal => this.#alter(request.brokerId, proposal)),
    }))
    return { errorCode: ErrorCode.NONE, topics }
  }

  #alter(
    brokerId: number,
    proposal: RequestInput<typeof AlterPartition>['topics'][number]['partitions'][number],
  ): PartitionAnswer {
    const { leader, leaderEpoch, partitionEpoch } = this.partition
    const members = proposal.newIsrWithEpochs ?? []
    const answer = (errorCode: number): PartitionAnswer => {
      const { isr, leaderEpoch, partitionEpoch } = this.partition
      return { partitionIndex: 0, errorCode, leaderId: leader, leaderEpoch, partitionEpoch, isr }
    }
    if (proposal.leaderEpoch !== leaderEpoch || brokerId !== leader) return answer(ErrorCode.FENCED_LEADER_EPOCH)
    if (proposal.partitionEpoch !== partitionEpoch) return answer(ErrorCode.INVALID_UPDATE_VERSION)
    const eligible = members.every(member => {
      const broker = this.state.brokers.get(member.brokerId)
      return broker?.fenced === false && broker.epoch === member.brokerEpoch
    })
    if (!eligible) return answer(ErrorCode.INELIGIBLE_REPLICA)
    this.#change({ isr: members.map(member => member.brokerId) })
    return answer(ErrorCode.NONE)
  }

  #elect(): void {
    const { isr } = this.partition
    const candidates = isr.filter(id => this.state.brokers.get(id)?.fenced === false)
    this.#change({ leader: candidates.length === 0 ? -1 : this.#dice.pick(candidates) })
  }

  #change(change: { isr?: readonly number[]; leader?: number; replicas?: readonly number[] }): void {
    this.#commit([{ type: 'PartitionChangeRecord', partitionId: 0, topicId, ...change }])
  }

  #commit(records: readonly MetadataRecord[]): void {
    for (const record of records) this.state.apply(record, this.state.offset)
    this.#published(records)
  }
}
