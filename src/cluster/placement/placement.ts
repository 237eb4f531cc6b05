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
  /** What brokers hold already, of all topics and of this one. */
  readonly all: Load
  readonly topic: Load
}

/** How much each broker holds. */
export interface Load {
  replicas(broker: number): number
  /** Partitions whose preferred leader it is. */
  leaders(broker: number): number
}

/** Which brokers hold a partition. */
export interface Placement {
  /** Replicas of each partition, the preferred leader first. */
  place(request: PlacementRequest): number[][]
  /** How gladly a partition lives on a broker: the less, the gladlier. What moves where is chosen by it. */
  distance(topicId: string, partition: number, broker: number): number
  /** Whether replicas stand in the order of their distance: a chain then is an arc of the ring. */
  readonly ordered: boolean
}

/** Loads that are counted while replicas are placed. */
export class Counts implements Load {
  readonly #replicas = new Map<number, number>()
  readonly #leaders = new Map<number, number>()

  replicas(broker: number): number {
    return this.#replicas.get(broker) ?? 0
  }

  leaders(broker: number): number {
    return this.#leaders.get(broker) ?? 0
  }

  /** `by`: −1 takes them away again. */
  add(replicas: readonly number[], by = 1): void {
    for (const [index, broker] of replicas.entries()) {
      this.#replicas.set(broker, this.replicas(broker) + by)
      if (index === 0) this.#leaders.set(broker, this.leaders(broker) + by)
    }
  }
}
