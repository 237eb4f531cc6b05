/** Times that are remembered. */
const remembered = 9
/** Fewer say nothing. */
const fewest = 5
/** ms that a replica may always take: below it nobody gains anything. */
const alwaysFineMs = 50
/** ms: what was longer ago says nothing of now. */
const staleAfterMs = 5000
/** So many times slower than each of the others is slow. */
const timesSlower = 5

/** How long one replica takes to have what its leader has, one look at a time: of the last few, the median. */
export class Pace {
  readonly #took: number[] = []
  #next = 0
  /** The offset that it is to reach; −1: it has all. */
  #target = -1
  #since = 0
  #lookedAt = Number.NEGATIVE_INFINITY

  /** It has everything below `has`, the log ends at `end`; monotonic ms. */
  look(has: number, end: number, now: number): void {
    if (this.#target >= 0) {
      if (has < this.#target) return
      this.#took[this.#next] = now - this.#since
      this.#next = (this.#next + 1) % remembered
      this.#lookedAt = now
    }
    this.#target = has < end ? end : -1
    this.#since = now
  }

  /** ms; null: too little has happened of late. What is still to come counts as soon as it takes longer than what came. */
  median(now: number): number | null {
    if (this.#took.length < fewest || now - this.#lookedAt > staleAfterMs) return null
    const median = [...this.#took].sort((a, b) => a - b)[this.#took.length >> 1] as number
    return this.#target < 0 ? median : Math.max(median, now - this.#since)
  }
}

/**
 * Who holds up all the others, by the ms that each takes (null: not known): a gray failure, as of a disk that is dying. −1:
 * nobody. Two others are needed to say so. In a chain what a follower takes contains what the one before it takes.
 */
export function slowReplica(
  leader: number,
  line: readonly { readonly id: number; readonly ms: number | null }[],
  chain: boolean,
): number {
  if (line.length < 3 || line.some(({ ms }) => ms === null)) return -1
  const own = line.map(({ id, ms }, i) => {
    const before = chain && i > 0 ? line[i - 1] : undefined
    // The leader hands on what it has at once: nobody waits for its disk.
    const inherited = before === undefined || before.id === leader ? 0 : (before.ms as number)
    return { id, ms: Math.max(0, (ms as number) - inherited) }
  })
  own.sort((a, b) => b.ms - a.ms)
  const [slowest, next] = own as [{ id: number; ms: number }, { id: number; ms: number }]
  return slowest.ms > Math.max(alwaysFineMs, timesSlower * next.ms) ? slowest.id : -1
}
