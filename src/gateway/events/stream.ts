/** The answer to a subscriber: bytes that leave as fast as the other side takes them. Callbacks are set once. */
export interface EventStream {
  write(bytes: Uint8Array): void
  /** Bytes that were written and have not been taken yet. */
  readonly unsent: number
  onDrain(run: () => void): void
  /** Called once, however it ended; never from inside of a call. */
  onClose(run: () => void): void
  /** Sends what was written, then closes. `error`: what ended it; null: all is well. */
  end(error: unknown): void
  /** Closes at once: the other side takes nothing. */
  destroy(): void
}

/** A stream with more unsent bytes than this gets nothing new. */
const fullBytes = 64 * 1024

/**
 * What all kinds of subscriptions owe their stream: to write nothing while it is full, a sign of life when there is nothing
 * else to say, and an end when the other side takes nothing any more.
 */
export class PacedStream {
  readonly #stream: EventStream
  readonly #heard: () => void
  #waiting: (() => void)[] = []
  #closed = false
  /** Monotonic ms of the last write, and since when the stream is full. */
  #wroteAt: number
  #fullSince = Number.POSITIVE_INFINITY
  readonly #mono: () => number

  /** `heard`: there is room again, or the end has come. */
  constructor(stream: EventStream, mono: () => number, heard: () => void) {
    this.#stream = stream
    this.#mono = mono
    this.#heard = heard
    this.#wroteAt = mono()
    stream.onDrain(() => this.#moved())
    stream.onClose(() => {
      this.#closed = true
      this.#moved()
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  get unsent(): number {
    return this.#stream.unsent
  }

  /** Whether more may be written now. */
  get ready(): boolean {
    return !this.#closed && this.#stream.unsent < fullBytes
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return
    this.#wroteAt = this.#mono()
    this.#stream.write(bytes)
    if (this.#fullSince === Number.POSITIVE_INFINITY && this.#stream.unsent >= fullBytes)
      this.#fullSince = this.#wroteAt
  }

  /** Fulfilled when there is room, or the stream is closed. */
  room(): Promise<void> {
    if (this.#closed || this.ready) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  /** ms for which nothing was written, or since the stream is full (0: it is not). */
  silentMs(now: number): number {
    return now - this.#wroteAt
  }

  stalledMs(now: number): number {
    return this.#fullSince === Number.POSITIVE_INFINITY ? 0 : now - this.#fullSince
  }

  end(error: unknown = null): void {
    if (this.#closed) return
    this.#closed = true
    this.#stream.end(error)
    this.#moved()
  }

  cut(): void {
    this.#closed = true
    this.#stream.destroy()
    this.#moved()
  }

  #moved(): void {
    if (!this.#closed && !this.ready) return
    this.#fullSince = Number.POSITIVE_INFINITY
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#heard()
  }
}
