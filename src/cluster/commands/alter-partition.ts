import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { PartitionState, TopicState } from '../state.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, isUsable } from './context.ts'
import { changePartition, type PartitionChange, rulesOf, without } from './partition-change.ts'

type Request = CommandRequest<'alterPartition'>
type Response = CommandResponse<'alterPartition'>
type TopicRequest = Request['topics'][number]
type Wanted = TopicRequest['partitions'][number]
type Result = Response['topics'][number]['partitions'][number]

/** A broker as a leader knows it; epoch −1: it did not say (before KIP-903). */
interface Member {
  readonly brokerId: number
  readonly brokerEpoch: number
}

/**
 * A leader says who is in sync (KIP-497): a compare-and-set on leader epoch and partition epoch. Nobody joins who is
 * fenced, about to stop, or not in the life in which the leader saw him (KIP-903).
 */
export function alterPartition(request: Request, context: Context): Outcome<Response> {
  const broker = context.state.brokers.get(request.brokerId)
  if (broker === undefined || broker.epoch !== (request.brokerEpoch ?? -1)) {
    throw new KafkaError('STALE_BROKER_EPOCH', `Broker ${request.brokerId} is registered with another epoch.`)
  }
  const records: MetadataRecord[] = []
  const seen = new Set<PartitionState>()
  const topics = request.topics.map(({ topicName = '', topicId = ZERO_UUID, partitions }) => {
    const topic = topicId === ZERO_UUID ? context.state.topics.get(topicName) : context.state.topicsById.get(topicId)
    const results = partitions.map(wanted => {
      if (topic === undefined) {
        return failed(wanted, topicId === ZERO_UUID ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.UNKNOWN_TOPIC_ID)
      }
      const partition = topic.partitions[wanted.partitionIndex]
      if (partition === undefined) return failed(wanted, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      if (seen.has(partition)) return failed(wanted, ErrorCode.INVALID_REQUEST)
      seen.add(partition)
      return alterOne(request.brokerId, topic, partition, wanted, context, records)
    })
    return { topicName: topic?.name ?? topicName, topicId, partitions: results }
  })
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics } }
}

export function refuseAlterPartition(_: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, errorCode: error.code, topics: [] }
}

function alterOne(
  leader: number,
  topic: TopicState,
  partition: PartitionState,
  wanted: Wanted,
  context: Context,
  records: MetadataRecord[],
): Result {
  const members = membersOf(wanted)
  const problem = problemOf(leader, partition, wanted, members, context)
  if (problem !== null) return failed(wanted, ErrorCode[problem])
  const rules = rulesOf(topic, context)
  const ids = members.map(({ brokerId }) => brokerId)
  const isr = rules.chain ? inLine(ids, partition.isr) : ids
  const { lackingReplicas = [] } = wanted
  const lacking = ids.includes(leader) ? lackingReplicas : [...lackingReplicas, leader]
  const wish = { isr, leaderRecoveryState: wanted.leaderRecoveryState ?? 0, lacking }
  const change = changePartition(topic.id, wanted.partitionIndex, partition, wish, rules)
  if (change !== null) records.push(change)
  const after = { ...partition, ...known(change) }
  // A reassignment is complete and its asker out of it: it must look at the metadata first.
  if (after.leader !== leader) return failed(wanted, ErrorCode.NEW_LEADER_ELECTED)
  return {
    partitionIndex: wanted.partitionIndex,
    errorCode: ErrorCode.NONE,
    leaderId: after.leader,
    leaderEpoch: partition.leaderEpoch + (change?.leader === undefined ? 0 : 1),
    isr: after.isr,
    leaderRecoveryState: after.leaderRecoveryState,
    partitionEpoch: partition.partitionEpoch + (change === null ? 0 : 1),
  }
}

function membersOf({ newIsr = [], newIsrWithEpochs = [] }: Wanted): readonly Member[] {
  if (newIsrWithEpochs.length === 0) return newIsr.map(brokerId => ({ brokerId, brokerEpoch: -1 }))
  return newIsrWithEpochs.map(({ brokerId, brokerEpoch = -1 }) => ({ brokerId, brokerEpoch }))
}

function problemOf(
  leader: number,
  partition: PartitionState,
  { leaderEpoch, partitionEpoch, leaderRecoveryState = 0, lackingReplicas: lacking = [] }: Wanted,
  members: readonly Member[],
  { state }: Context,
): keyof typeof ErrorCode | null {
  // It knows more than we: then we no longer are the controller, and have not heard it yet.
  if (leaderEpoch > partition.leaderEpoch || partitionEpoch > partition.partitionEpoch) return 'NOT_CONTROLLER'
  if (leaderEpoch < partition.leaderEpoch) return 'FENCED_LEADER_EPOCH'
  if (leader !== partition.leader) return 'INVALID_REQUEST'
  if (partitionEpoch < partition.partitionEpoch) return 'INVALID_UPDATE_VERSION'
  const ids = members.map(({ brokerId }) => brokerId)
  // A leader that leaves itself out has a damaged copy: another one leads (Kafka has no such thing, a leader says nothing).
  // When nobody else is in sync it must say so: who is eligible leads, or nobody until such a one is back.
  if (new Set(ids).size !== ids.length || lacking.some(id => ids.includes(id))) return 'INVALID_REQUEST'
  if (ids.length === 0 && !lacking.includes(leader)) return 'INVALID_REQUEST'
  if (!ids.every(id => partition.replicas.includes(id))) return 'INVALID_REQUEST'
  // Who recovers alone cannot have followers in sync, and who has recovered does not begin again.
  if (leaderRecoveryState === 1 && (ids.length > 1 || partition.leaderRecoveryState === 0)) return 'INVALID_REQUEST'
  const eligible = members.every(({ brokerId, brokerEpoch }) => {
    if (!isUsable(state, brokerId)) return false
    return brokerEpoch === -1 || state.brokers.get(brokerId)?.epoch === brokerEpoch
  })
  return eligible ? null : 'INELIGIBLE_REPLICA'
}

/** Who was in the chain keeps its place; who comes joins at the tail. */
function inLine(isr: readonly number[], before: readonly number[]): number[] {
  return [...before.filter(id => isr.includes(id)), ...without(isr, before)]
}

/** The fields of a change that it changes; `leader` −2 and the like mean "as before". */
function known(change: PartitionChange | null): Partial<PartitionState> {
  if (change === null) return {}
  return {
    ...(change.isr ? { isr: change.isr } : {}),
    ...(change.leader === undefined ? {} : { leader: change.leader }),
    ...(change.leaderRecoveryState === undefined ? {} : { leaderRecoveryState: change.leaderRecoveryState }),
  }
}

function failed({ partitionIndex }: Wanted, errorCode: number): Result {
  return {
    partitionIndex,
    errorCode,
    leaderId: 0,
    leaderEpoch: 0,
    isr: [],
    leaderRecoveryState: 0,
    partitionEpoch: 0,
  }
}
