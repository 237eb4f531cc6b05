import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { PartitionState } from '../state.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, isUsable } from './context.ts'

type Request = CommandRequest<'electLeaders'>
type Response = CommandResponse<'electLeaders'>

/** `ElectionType` (KIP-460). */
const preferred = 0

/** Without a list of partitions: all, and those where nothing was to be done are left out of the answer. */
export function electLeaders(request: Request, context: Context): Outcome<Response> {
  const unclean = (request.electionType ?? preferred) !== preferred
  const records: MetadataRecord[] = []
  const replicaElectionResults: { topic: string; partitionResult: PartitionResult[] }[] = []
  for (const { topic, partitions } of request.topicPartitions ?? everything(context)) {
    const partitionResult: PartitionResult[] = []
    for (const partitionId of partitions) {
      try {
        records.push(elect(topic, partitionId, unclean, context))
        partitionResult.push({ partitionId, errorCode: ErrorCode.NONE, errorMessage: null })
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (request.topicPartitions === null && error.errorName === 'ELECTION_NOT_NEEDED') continue
        partitionResult.push({ partitionId, errorCode: error.code, errorMessage: error.message })
      }
    }
    if (partitionResult.length > 0) replicaElectionResults.push({ topic, partitionResult })
  }
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults } }
}

type PartitionResult = Response['replicaElectionResults'][number]['partitionResult'][number]

export function refuseElectLeaders(_: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, errorCode: error.code, replicaElectionResults: [] }
}

function* everything({ state }: Context): Iterable<{ topic: string; partitions: readonly number[] }> {
  for (const { name, partitions } of state.topics.values()) yield { topic: name, partitions: [...partitions.keys()] }
}

function elect(topicName: string, partitionId: number, unclean: boolean, { state }: Context): MetadataRecord {
  const topic = state.topics.get(topicName)
  const partition = topic?.partitions[partitionId]
  if (topic === undefined || partition === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such partition: ${topicName}-${partitionId}`)
  }
  const change = { type: 'PartitionChangeRecord', partitionId, topicId: topic.id } as const
  const usable = (id: number) => isUsable(state, id)
  return unclean ? { ...change, ...uncleanly(partition, usable) } : { ...change, ...preferredly(partition, usable) }
}

function preferredly(partition: PartitionState, usable: (id: number) => boolean) {
  const first = partition.replicas[0]!
  if (partition.leader === first) {
    throw new KafkaError('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
  }
  if (!usable(first) || !partition.isr.includes(first)) {
    throw new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE', 'The preferred leader was not available.')
  }
  return { leader: first }
}

/** Loses what only the others had: the partition is marked as recovering. */
function uncleanly(partition: PartitionState, usable: (id: number) => boolean) {
  if (partition.leader !== -1) {
    throw new KafkaError('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
  }
  const kept = [...partition.isr, ...partition.eligibleLeaderReplicas].find(usable)
  if (kept !== undefined) return { leader: kept, isr: [kept], eligibleLeaderReplicas: [], lastKnownElr: [] }
  const leader = partition.replicas.find(usable)
  if (leader === undefined) {
    throw new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'Eligible topic partition leaders are not available.')
  }
  return { leader, isr: [leader], eligibleLeaderReplicas: [], lastKnownElr: [], leaderRecoveryState: 1 }
}
