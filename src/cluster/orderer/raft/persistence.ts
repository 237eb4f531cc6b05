/** Answers that wait at once: whoever gets none asks again, and while nothing can be written it would be for ever. */
const mostAnswers = 1000

/**
 * Holds back what must not be told before it is on stable storage: an epoch, a vote. Writes end in the order in which
 * they were begun.
 */
export class Persistence {
  readonly #write: (sequence: number) => void
  #begun = 0
  #done = 0
  /** The last write that must be durable before anything is told. */
  #essential = 0
  #held: { readonly after: number; readonly run: () => void }[] = []

  constructor(write: (sequence: number) => void) {
    this.#write = write
  }

  /** `essential` false: good to know after a start, but nothing depends on it. */
  save(essential: boolean): void {
    this.#begun++
    if (essential) this.#essential = this.#begun
    this.#write(this.#begun)
  }

  /** Runs when everything essential so far is durable; at once, when it is. */
  reveal(run: () => void): void {
    if (this.#done >= this.#essential) run()
    else this.#held.push({ after: this.#essential, run })
  }

  /** As `reveal`, of an answer to others: never given when too many wait already. */
  answer(run: () => void): void {
    if (this.#held.length < mostAnswers || this.#done >= this.#essential) this.reveal(run)
  }

  persisted(sequence: number): void {
    this.#done = Math.max(this.#done, sequence)
    const due = this.#held.filter(({ after }) => after <= this.#done)
    this.#held = this.#held.filter(({ after }) => after > this.#done)
    for (const { run } of due) run()
  }
}
