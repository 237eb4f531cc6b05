import type { Placement } from './placement.ts'

/**
 * Leaders go round, followers are the next brokers, and a new topic begins anywhere. Right for one broker and fair for
 * a few of the same kind; blind to racks and to what brokers hold already.
 */
export const roundRobin: Placement = {
  place({ brokers, firstPartition, partitions, replicationFactor, random }) {
    const start = random.int(brokers.length)
    return Array.from({ length: partitions }, (_, index) =>
      Array.from(
        { length: replicationFactor },
        (_, replica) => brokers[(start + firstPartition + index + replica) % brokers.length]!.id,
      ),
    )
  },
}
