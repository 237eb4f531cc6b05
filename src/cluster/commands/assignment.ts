import { KafkaError } from '../../protocol/errors.ts'
import { Counts, type PlacementBroker } from '../placement/placement.ts'
import type { ClusterState, PartitionState } from '../state.ts'
import { balanceState, mayHold } from './balance-state.ts'
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

/**
 * Chooses brokers for new partitions. Those that are away just now, in a rolling restart perhaps, get copies where the
 * others are too few, but lead nothing at first. Throws INVALID_REPLICATION_FACTOR when there are too few all the same.
 */
export function place(
  context: Context,
  topicId: string,
  firstPartition: number,
  partitions: number,
  replicationFactor: number,
): PartitionState[] {
  const { state, settings, at } = context
  const brokers = holders(state)
  const away = wanted(state).filter(id => !brokers.some(broker => broker.id === id))
  if (brokers.length === 0 || brokers.length + away.length < replicationFactor) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ` +
        `${replicationFactor} cannot be reached because only ${brokers.length + away.length} broker(s) are registered or ` +
        'some brokers have all their log directories cordoned.',
    )
  }
  // Where there is one broker there is nothing to choose.
  const all = brokers.length > 1 ? context.load.all() : new Counts()
  const topic = new Counts()
  for (const { replicas } of state.topicsById.get(topicId)?.partitions ?? []) topic.add(replicas)
  const present = Math.min(replicationFactor, brokers.length)
  const request = { brokers, topicId, firstPartition, partitions, random: at.random, all, topic }
  const placed = settings.placement.place({ ...request, replicationFactor: present })
  return placed.map((chosen, index) => {
    const later = Array.from({ length: replicationFactor - present }, (_, copy) => away[(index + copy) % away.length]!)
    const replicas = [...chosen, ...later]
    all.add(replicas)
    return partitionOnto(replicas, context, firstPartition + index)
  })
}

/** What `default.replication.factor` −1 means: as many copies as there are brokers for them, at most three. */
export function automaticFactor(state: ClusterState): number {
  return Math.max(1, Math.min(3, wanted(state).length))
}

/**
 * Brokers that shall hold replicas, by id, also those that are away just now. Not who has only begun to join: it may never
 * come, as when it dies before it has kept its number.
 */
function wanted(state: ClusterState): number[] {
  const comes = (id: number) => balanceState(state, id) === 'joining' && !isUsable(state, id)
  return [...state.brokers.keys()].filter(id => mayHold(state, id) && !comes(id)).sort((a, b) => a - b)
}

/** Brokers that may get replicas now, by id. */
export function holders(state: ClusterState): PlacementBroker[] {
  return usableBrokers(state).filter(({ id }) => mayHold(state, id))
}
