import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { PartitionState } from '../state.ts'
import type { CommandRequest, CommandResponse, Done, Outcome } from './command.ts'
import { type Context, isUsable } from './context.ts'
import { nameOnce } from './count.ts'
import { changeAll, electOrphans as orphans } from './elect.ts'
import { changePartition, type Election, rulesOf } from './partition-change.ts'
import { done } from './sessions.ts'

type Request = CommandRequest<'electLeaders'>
type Response = CommandResponse<'electLeaders'>

/** `ElectionType` (KIP-460). */
const elections: readonly Election[] = ['preferred', 'unclean']

/** Without a list of partitions: all, and those where nothing was to be done are left out of the answer. */
export function electLeaders(request: Request, context: Context): Outcome<Response> {
  const election = elections[request.electionType ?? 0]
  if (election === undefined) {
    throw new KafkaError('INVALID_REQUEST', `Unknown election type ${request.electionType}`)
  }
  const seen = new Set<string>()
  const records: MetadataRecord[] = []
  const replicaElectionResults: { topic: string; partitionResult: PartitionResult[] }[] = []
  for (const { topic, partitions } of request.topicPartitions ?? everything(context)) {
    const partitionResult: PartitionResult[] = []
    for (const partitionId of partitions) {
      try {
        nameOnce(seen, topic, partitionId)
        records.push(elect(topic, partitionId, election, context))
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

function elect(topicName: string, partitionId: number, election: Election, context: Context): MetadataRecord {
  const topic = context.state.topics.get(topicName)
  const partition = topic?.partitions[partitionId]
  if (topic === undefined || partition === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such partition: ${topicName}-${partitionId}`)
  }
  const needed = election === 'preferred' ? partition.leader !== partition.replicas[0] : partition.leader === -1
  if (!needed) throw new KafkaError('ELECTION_NOT_NEEDED', 'Leader election not needed for topic partition.')
  const change = changePartition(topic.id, partitionId, partition, { election }, rulesOf(topic, context))
  if (election === 'preferred') {
    if (change !== null && change.leader === partition.replicas[0]) return change
    throw new KafkaError('PREFERRED_LEADER_NOT_AVAILABLE', 'The preferred leader was not available.')
  }
  if (change?.leader !== undefined && change.leader !== -1) return change
  throw new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'Eligible topic partition leaders are not available.')
}

/** Elections that one tick of the clock brings at most: each is a gap for somebody (Kafka's number). */
const maxElections = 1000

/** `auto.leader.rebalance.enable`: preferred leaders that are back and in sync lead again. */
export function electPreferred(_: unknown, context: Context): Outcome<Done> {
  let left = maxElections
  const wish = (partition: PartitionState) => {
    if (left === 0 || !canReturn(partition, context)) return null
    left--
    return { election: 'preferred' } as const
  }
  return done([...changeAll(context, undefined, wish)])
}

function canReturn({ replicas, leader, isr }: PartitionState, { state }: Context): boolean {
  const first = replicas[0]!
  return leader !== -1 && leader !== first && isr.includes(first) && isUsable(state, first)
}

export function electOrphans(_: unknown, context: Context): Outcome<Done> {
  return done([...orphans(context)])
}
