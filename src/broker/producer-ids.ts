/** A block of producer ids that belongs to this broker (KIP-730). */
export interface ProducerIdBlock {
  readonly start: number
  readonly length: number
}

/** Hands out producer ids, one block after another; an id is given once for ever, also across restarts. */
export class ProducerIds {
  readonly #allocate: () => Promise<ProducerIdBlock>
  #next = 0
  #end = 0
  #allocating: Promise<void> | null = null

  constructor(allocate: () => Promise<ProducerIdBlock>) {
    this.#allocate = allocate
  }

  /** Rejects with what `allocate` rejects with. */
  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#allocating ??= this.#refill().finally(() => {
        this.#allocating = null
      })
      await this.#allocating
    }
    return this.#next++
  }

  async #refill(): Promise<void> {
    const { start, length } = await this.#allocate()
    this.#next = start
    this.#end = start + length
  }
}
