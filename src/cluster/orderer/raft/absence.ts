/** ms of a first election when it is known that nobody leads. */
const quickMs = 40

/** A leader of whom we know that it is gone, and for how long that is believed: its successor need not be waited for. */
export class Absence {
  #gone: { readonly id: number; readonly epoch: number; readonly until: number } | null = null
  #tries = 0

  note(id: number, epoch: number, until: number): void {
    this.#gone = { id, epoch, until }
    this.#tries = 0
  }

  /** True for the leader that is gone: others may not know yet. It may come back as that of a later epoch. */
  of(id: number, epoch: number, now: number): boolean {
    return this.#gone !== null && this.#gone.id === id && this.#gone.epoch === epoch && now < this.#gone.until
  }

  /** Somebody leads in `epoch`. */
  endsWith(epoch: number): void {
    if (this.#gone !== null && epoch > this.#gone.epoch) this.#gone = null
  }

  /** The one who was gone was heard. */
  clear(): void {
    this.#gone = null
  }

  /** ms before the next election: few while it is known that nobody leads, more each time when nobody could win. */
  waitMs(now: number, electionTimeoutMs: number): number {
    if (this.#gone === null || now >= this.#gone.until) return electionTimeoutMs
    return Math.min(electionTimeoutMs, quickMs * 2 ** Math.min(10, this.#tries++))
  }
}
