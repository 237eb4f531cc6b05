import type { OrdererLeader } from './orderer.ts'

/** Who leads, as far as this node knows, and those who want to hear of it. */
export class KnownLeader {
  #now: OrdererLeader | null = null
  readonly #watchers: ((leader: OrdererLeader | null) => void)[] = []

  get now(): OrdererLeader | null {
    return this.#now
  }

  /** Returns what ends the watch. */
  watch(run: (leader: OrdererLeader | null) => void): () => void {
    this.#watchers.push(run)
    return () => {
      const at = this.#watchers.indexOf(run)
      if (at >= 0) this.#watchers.splice(at, 1)
    }
  }

  /** Tells everybody who watches, when it is news. */
  is(leader: OrdererLeader | null): void {
    if (leader?.id === this.#now?.id && leader?.epoch === this.#now?.epoch) return
    this.#now = leader
    for (const run of [...this.#watchers]) run(leader)
  }
}
