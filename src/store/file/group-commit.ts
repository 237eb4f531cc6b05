/** A sync waits at most as long as the last one took, and no longer than this. */
const share = 1
const mostMs = 1

/** Knows how many appends the last sync of a log served, and so for how many the next one should wait a little. */
export class GroupCommit {
  #waiting = 0
  #served = 0
  #deadline = 0

  appended(): void {
    this.#waiting++
  }

  /** A sync begins, for everything that was appended by now. */
  taken(): void {
    this.#served = this.#waiting
    this.#waiting = 0
  }

  /** It has ended at `now` after `tookMs` (monotonic ms). */
  done(now: number, tookMs: number): void {
    // What came while it ran belongs to the same group of writers.
    this.#served += this.#waiting
    this.#deadline = now + Math.min(mostMs, tookMs * share)
  }

  /** As many have come as the last sync served. */
  get complete(): boolean {
    return this.#waiting >= this.#served
  }

  /** A single writer is never kept waiting. */
  worthWaiting(now: number): boolean {
    return this.#served > 1 && this.#waiting < this.#served && now < this.#deadline
  }
}
