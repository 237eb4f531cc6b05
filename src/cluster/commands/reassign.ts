import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { PartitionState, TopicState } from '../state.ts'
import { checkReplicas } from './assignment.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { nameOnce } from './count.ts'
import { changePartition, type PartitionWish, rulesOf, same, without } from './partition-change.ts'

type Request = CommandRequest<'alterPartitionReassignments'>
type Response = CommandResponse<'alterPartitionReassignments'>
type Wanted = Request['topics'][number]['partitions'][number]
type Result = Response['responses'][number]['partitions'][number]

/** Moves of partitions begin, change their goal, or with null replicas are called off (KIP-455, 860). */
export function alterPartitionReassignments(request: Request, context: Context): Outcome<Response> {
  const records: MetadataRecord[] = []
  const mayChangeFactor = request.allowReplicationFactorChange ?? true
  const seen = new Set<string>()
  const responses = request.topics.map(({ name, partitions }) => {
    const results = partitions.map(wanted => {
      try {
        nameOnce(seen, name, wanted.partitionIndex)
        const change = alterOne(name, wanted, mayChangeFactor, context)
        if (change !== null) records.push(change)
        return result(wanted, null)
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return result(wanted, error)
      }
    })
    return { name, partitions: results }
  })
  const response = {
    throttleTimeMs: 0,
    allowReplicationFactorChange: mayChangeFactor,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    responses,
  }
  return { records, response }
}

export function refuseAlterPartitionReassignments(_: Request, { code, message }: KafkaError): Response {
  return { throttleTimeMs: 0, errorCode: code, errorMessage: message, responses: [] }
}

function result({ partitionIndex }: Wanted, error: KafkaError | null): Result {
  return { partitionIndex, errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null }
}

function alterOne(
  name: string,
  { partitionIndex, replicas = null }: Wanted,
  mayChangeFactor: boolean,
  context: Context,
): MetadataRecord | null {
  const topic = context.state.topics.get(name)
  const partition = topic?.partitions[partitionIndex]
  if (topic === undefined || partition === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  }
  if (replicas === null) return callOff(topic, partitionIndex, partition, context)
  checkReplicas(replicas, context)
  if (!mayChangeFactor && replicas.length !== goalOf(partition).length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `The replication factor is changed from ${goalOf(partition).length} to ${replicas.length}`,
    )
  }
  return reassign(topic, partitionIndex, replicas, context)
}

/**
 * A partition gets other replicas: those that come join the ones that are there, and these go when the new ones are in
 * sync. Null: nothing to be done. One that is under way gets another goal.
 */
export function reassign(
  topic: TopicState,
  partitionId: number,
  goal: readonly number[],
  context: Context,
): MetadataRecord | null {
  const partition = topic.partitions[partitionId]!
  // Who is only on the way in is no replica yet: it has to come in sync all the same.
  const settled = without(partition.replicas, partition.addingReplicas)
  const removing = without(partition.replicas, goal)
  const wish: PartitionWish = {
    replicas: [...goal, ...removing],
    addingReplicas: without(goal, settled),
    removingReplicas: removing,
  }
  return changePartition(topic.id, partitionId, partition, wish, rulesOf(topic, context))
}

function callOff(topic: TopicState, partitionId: number, partition: PartitionState, context: Context) {
  if (!isMoving(partition)) {
    throw new KafkaError('NO_REASSIGNMENT_IN_PROGRESS', 'No reassignment is in progress.')
  }
  const { addingReplicas, replicas, isr, eligibleLeaderReplicas } = partition
  const left = without(isr, addingReplicas)
  if (left.length === 0 && without(eligibleLeaderReplicas, addingReplicas).length === 0) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      'The reassignment cannot be called off: only replicas that it added have everything.',
    )
  }
  const wish = { replicas: without(replicas, addingReplicas), isr: left, addingReplicas: [], removingReplicas: [] }
  return changePartition(topic.id, partitionId, partition, wish, rulesOf(topic, context))
}

export function isMoving({ addingReplicas, removingReplicas }: PartitionState): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0
}

/** Where a partition will be when what is under way is done. */
export function goalOf({ replicas, removingReplicas }: PartitionState): readonly number[] {
  return without(replicas, removingReplicas)
}

type ListRequest = CommandRequest<'listPartitionReassignments'>
type ListResponse = CommandResponse<'listPartitionReassignments'>

export function listPartitionReassignments({ topics = null }: ListRequest, { state }: Context): Outcome<ListResponse> {
  const asked = topics ?? [...state.topics.values()].map(({ name }) => ({ name, partitionIndexes: null }))
  const listed = asked.flatMap(({ name, partitionIndexes }) => {
    const partitions = (state.topics.get(name)?.partitions ?? []).flatMap((partition, partitionIndex) => {
      const wanted = partitionIndexes === null || partitionIndexes.includes(partitionIndex)
      if (!wanted || !isMoving(partition)) return []
      const { replicas, addingReplicas, removingReplicas } = partition
      return [
        {
          partitionIndex,
          replicas: [...replicas],
          addingReplicas: [...addingReplicas],
          removingReplicas: [...removingReplicas],
        },
      ]
    })
    return partitions.length === 0 ? [] : [{ name, partitions }]
  })
  return {
    records: [],
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics: listed },
  }
}

export function refuseListPartitionReassignments(_: ListRequest, { code, message }: KafkaError): ListResponse {
  return { throttleTimeMs: 0, errorCode: code, errorMessage: message, topics: [] }
}

export function sameGoal(partition: PartitionState, goal: readonly number[]): boolean {
  return same(goalOf(partition), goal)
}
