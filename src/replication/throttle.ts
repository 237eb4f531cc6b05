/** Bytes that may be spent at most at once, as seconds of the rate: so that rests are short and spending is even. */
const burstSeconds = 0.1

/**
 * A rate of bytes: who spends more than has come in since must rest before the next time (KIP-73). Spending is never
 * refused half-way, since a batch is sent whole or not at all.
 */
export class TokenBucket {
  readonly #mono: () => number
  readonly #rate: () => number
  #tokens = 0
  #at: number

  /** `mono`: monotonic ms; `rate`: bytes a second, which may change. */
  constructor(mono: () => number, rate: () => number) {
    this.#mono = mono
    this.#rate = rate
    this.#at = mono()
  }

  /** ms until something may be spent; 0: now. */
  restMs(): number {
    const rate = Math.max(1, this.#rate())
    const now = this.#mono()
    this.#tokens = Math.min(rate * burstSeconds, this.#tokens + ((now - this.#at) * rate) / 1000)
    this.#at = now
    return this.#tokens >= 0 ? 0 : (-this.#tokens * 1000) / rate
  }

  spend(bytes: number): void {
    this.#tokens -= bytes
  }
}
