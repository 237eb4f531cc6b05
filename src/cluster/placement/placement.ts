/** A broker that may hold replicas: registered, not fenced, not on its way out. */
export interface PlacementBroker {
  readonly id: number
  readonly rack: string | null
}

export interface PlacementRequest {
  /** At least one, sorted by id. */
  readonly brokers: readonly PlacementBroker[]
  readonly topicId: string
  /** Id of the first partition to be placed: more than 0 when a topic grows. */
  readonly firstPartition: number
  readonly partitions: number
  /** At most the number of brokers. */
  readonly replicationFactor: number
  readonly random: { int(below: number): number }
}

/** Which brokers hold a partition. Places for a consistent-hash ring and a balanced, rack-aware one are kept here. */
export interface Placement {
  /** Replicas of each partition, the preferred leader first. */
  place(request: PlacementRequest): number[][]
}
