interface Mark {
  readonly askedAt: number
  readonly committed: number
}

/**
 * As of when a follower's copy is known to be whole: a leader told what is committed after it was asked, and all of that
 * has been applied. Two marks at a time are enough: while one is waited for, only the newest other one matters.
 */
export class Freshness {
  #asOf = Number.NEGATIVE_INFINITY
  #next: Mark | null = null
  #last: Mark | null = null

  /** `askedAt`: monotonic ms. `committed`: the leader's high watermark in its answer. */
  note(askedAt: number, committed: number): void {
    const mark = { askedAt, committed }
    if (this.#next === null) this.#next = mark
    else this.#last = mark
  }

  /**
   * Everything below `applied` is applied. `begin`: where the leader's epoch begins; a leader that has committed nothing
   * behind it does not know yet what its predecessor committed.
   */
  asOf(applied: number, begin: number): number {
    while (this.#next !== null && this.#next.committed <= applied) {
      if (this.#next.committed > begin) this.#asOf = this.#next.askedAt
      this.#next = this.#last
      this.#last = null
    }
    return this.#asOf
  }
}
