import { Problem } from './problem.ts'

/**
 * Cuts a body that comes in pieces into lines, and holds no more than one of them. Empty lines are none. Throws Problem 413
 * for a line above `limit` bytes.
 */
export class Lines {
  readonly #limit: number
  /** The beginning of a line whose end has not come. */
  readonly #begun: Uint8Array[] = []
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The lines that end in this piece. */
  *add(piece: Buffer): Iterable<string> {
    let from = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      const line = this.#line(piece.subarray(from, end))
      from = end + 1
      if (line !== '') yield line
    }
    if (from < piece.length) {
      this.#grow(piece.length - from)
      this.#begun.push(piece.subarray(from))
    }
  }

  /** What stands behind the last line break. */
  *end(): Iterable<string> {
    const line = this.#line(Buffer.alloc(0))
    if (line !== '') yield line
  }

  #line(last: Buffer): string {
    this.#grow(last.length)
    const whole = this.#begun.length === 0 ? last : Buffer.concat([...this.#begun, last])
    this.#begun.length = 0
    this.#bytes = 0
    return whole.toString().trim()
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limit)
      throw new Problem(413, 'line-too-long', 'A line is too long', `A line may have ${this.#limit} bytes at most`)
  }
}
