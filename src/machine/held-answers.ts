export interface Answered<To, Answer> {
  readonly to: To
  readonly answer: Answer
}

/** Answers of one decision that wait until everything below `upTo` is committed. */
interface Held<To, Answer> {
  readonly upTo: number
  readonly answers: readonly Answered<To, Answer>[]
  /** Monotonic ms. */
  readonly since: number
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

  /** Monotonic ms since when the first waits; null: nobody does. */
  get since(): number | null {
    return this.#held[this.#first]?.since ?? null
  }

  /** Neither `upTo` nor `since` (monotonic ms) ever goes back. */
  hold(upTo: number, answers: readonly Answered<To, Answer>[], since: number): void {
    this.#held.push({ upTo, answers, since })
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
    this.#tidy()
  }

  /** Forgets the answers that have waited since `until` or longer. Returns who would have got them. */
  expire(until: number): To[] {
    const expired: To[] = []
    if (this.#giving) return expired
    for (let next = this.#held[this.#first]; next !== undefined && next.since <= until; ) {
      this.#first++
      this.#size -= next.answers.length
      for (const { to } of next.answers) expired.push(to)
      next = this.#held[this.#first]
    }
    this.#tidy()
    return expired
  }

  #tidy(): void {
    if (this.#first <= 1024 && this.#first < this.#held.length) return
    this.#held.splice(0, this.#first)
    this.#first = 0
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
