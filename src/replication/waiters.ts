/** Callbacks in line for an offset. Offsets are handed out in order, so the line is sorted by itself. */
export type Done = (error: Error | null) => void

export class Waiters {
  #offsets: number[] = []
  #callbacks: Done[] = []
  #head = 0

  get size(): number {
    return this.#offsets.length - this.#head
  }

  /** `offset`: the record after the last one that is waited for. */
  add(offset: number, done: Done): void {
    this.#offsets.push(offset)
    this.#callbacks.push(done)
  }

  /** Calls everybody who waits for `upTo` or less. */
  reached(upTo: number): void {
    while (this.#head < this.#offsets.length && (this.#offsets[this.#head] as number) <= upTo) {
      const done = this.#callbacks[this.#head] as Done
      this.#head++
      done(null)
    }
    this.#tidy()
  }

  /** Tells everybody who waits for more than `offset` that it will not come. */
  fail(offset: number, error: Error): void {
    let keep = this.#head
    while (keep < this.#offsets.length && (this.#offsets[keep] as number) <= offset) keep++
    const failed = this.#callbacks.splice(keep)
    this.#offsets.length = keep
    for (const done of failed) done(error)
    this.#tidy()
  }

  #tidy(): void {
    if (this.#head === this.#offsets.length) {
      this.#offsets.length = this.#callbacks.length = this.#head = 0
    } else if (this.#head > 1024) {
      this.#offsets.splice(0, this.#head)
      this.#callbacks.splice(0, this.#head)
      this.#head = 0
    }
  }
}
