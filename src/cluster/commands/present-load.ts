import { Counts } from '../placement/placement.ts'
import type { ClusterState } from '../state.ts'

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
