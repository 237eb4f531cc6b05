import { KafkaError } from '../../protocol/errors.ts'
import { Counts, type PlacementBroker } from '../placement/placement.ts'
import type { ClusterState, PartitionState } from '../state.ts'
import { mayHold } from './balance-state.ts'
import { type Context, directoryOf, isUsable, usableBrokers } from './context.ts'

/** The first state of a partition whose replicas somebody chose. Throws INVALID_REPLICA_ASSIGNMENT. */
export function partitionOnto(replicas: readonly number[], context: Context, partition: number): PartitionState {
  const isr = replicas.filter(id => isUsable(context.state, id))
  if (isr.length === 0) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `All brokers specified in the manual partition assignment for partition ${partition} are fenced or in controlled shutdown.`,
    )
  }
  return {
    replicas,
    isr,
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    addingReplicas: [],
    removingReplicas: [],
    directories: replicas.map(id => directoryOf(context.state, id)),
    leader: isr[0]!,
    leaderEpoch: 0,
    partitionEpoch: 0,
    leaderRecoveryState: 0,
  }
}

/** Throws INVALID_REPLICA_ASSIGNMENT unless these can be the replicas of one partition. */
export function checkReplicas(replicas: readonly number[], { state }: Context): void {
  const refuse = (what: string) =>
    new KafkaError('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment includes ${what}`)
  if (replicas.length === 0) throw refuse('an empty replica list.')
  for (const [index, id] of replicas.entries()) {
    if (!state.brokers.has(id)) throw refuse(`broker ${id}, but no such broker is registered.`)
    if (replicas.indexOf(id) !== index) throw refuse(`the broker ${id} more than once.`)
  }
}

export function checkSameFactor(replicas: readonly number[], replicationFactor: number): void {
  if (replicas.length === replicationFactor) return
  throw new KafkaError(
    'INVALID_REPLICA_ASSIGNMENT',
    `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not ` +
      `consistent with previous partitions, which have ${replicationFactor} replica(s).`,
  )
}

/** Chooses brokers for new partitions. Throws INVALID_REPLICATION_FACTOR when there are too few. */
export function place(
  context: Context,
  topicId: string,
  firstPartition: number,
  partitions: number,
  replicationFactor: number,
): PartitionState[] {
  const { state, settings, at } = context
  const brokers = holders(state)
  if (brokers.length < replicationFactor) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ` +
        `${replicationFactor} cannot be reached because only ${brokers.length} broker(s) are registered or some brokers ` +
        'are being drained.',
    )
  }
  // Where there is one broker there is nothing to choose.
  const all = brokers.length > 1 ? context.load.all() : new Counts()
  const topic = new Counts()
  for (const { replicas } of state.topicsById.get(topicId)?.partitions ?? []) topic.add(replicas)
  const request = { brokers, topicId, firstPartition, partitions, replicationFactor, random: at.random, all, topic }
  const placed = settings.placement.place(request)
  for (const replicas of placed) all.add(replicas)
  return placed.map((replicas, index) => partitionOnto(replicas, context, firstPartition + index))
}

/** What brokers hold, with what the present decision gives them: counted when somebody asks. */
export class PresentLoad {
  readonly #state: ClusterState
  #counts: Counts | null = null

  constructor(state: ClusterState) {
    this.#state = state
  }

  all(): Counts {
    if (this.#counts !== null) return this.#counts
    this.#counts = new Counts()
    for (const { partitions } of this.#state.topics.values()) {
      for (const { replicas } of partitions) this.#counts.add(replicas)
    }
    return this.#counts
  }
}

/** What `default.replication.factor` −1 means: as many copies as there are brokers for them, at most three. */
export function automaticFactor(state: ClusterState): number {
  return Math.max(1, Math.min(3, holders(state).length))
}

/** Brokers that may get replicas now, by id. */
export function holders(state: ClusterState): PlacementBroker[] {
  return usableBrokers(state).filter(({ id }) => mayHold(state, id))
}
