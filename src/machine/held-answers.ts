export interface Answered<To, Answer> {
  readonly to: To
  readonly answer: Answer
}

/** Answers of one decision that wait until everything below `upTo` is committed. */
interface Held<To, Answer> {
  readonly upTo: number
  readonly answers: readonly Answered<To, Answer>[]
}

/** Answers that must not be told before what they rest upon is committed, in the order of the decisions. */
export class HeldAnswers<To, Answer> {
  readonly #give: (to: To, answer: Answer) => void
  /** Offset: everything below is committed. */
  committed = 0
  #held: Held<To, Answer>[] = []
  #first = 0
  #size = 0
  #giving = false

  constructor(give: (to: To, answer: Answer) => void) {
    this.#give = give
  }

  /** Who waits. */
  get size(): number {
    return this.#size
  }

  /** `upTo` never goes back. */
  hold(upTo: number, answers: readonly Answered<To, Answer>[]): void {
    this.#held.push({ upTo, answers })
    this.#size += answers.length
  }

  /** Gives what is due. Not re-entered: a reply that asks again has its answer queued behind those that are due already. */
  release(): void {
    if (this.#giving) return
    this.#giving = true
    try {
      for (;;) {
        const next = this.#held[this.#first]
        if (next === undefined || next.upTo > this.committed) break
        this.#first++
        this.#size -= next.answers.length
        for (const { to, answer } of next.answers) this.#give(to, answer)
      }
    } finally {
      this.#giving = false
    }
    if (this.#first > 1024 || this.#first === this.#held.length) {
      this.#held.splice(0, this.#first)
      this.#first = 0
    }
  }

  /** Forgets all answers. Returns who would have got them. */
  drop(): To[] {
    const dropped = this.#held.slice(this.#first).flatMap(({ answers }) => answers.map(({ to }) => to))
    this.#held = []
    this.#first = 0
    this.#size = 0
    return dropped
  }
}
