import { Pieces } from '../pieces.ts'
import { Problem } from './problem.ts'

/**
 * Cuts a body that comes in pieces into lines, and holds no more than one of them. Lines of nothing but white space are none.
 * Throws Problem 413 for a line above `limit` bytes.
 */
export class Lines {
  readonly #limit: number
  readonly #hold: (bytes: number) => void
  /** The beginning of a line whose end has not come. */
  readonly #begun = new Pieces()

  /** `hold` is told of bytes that are kept, and (negative) of those that are not any longer; what it throws ends it all. */
  constructor(limit: number, hold: (bytes: number) => void = () => {}) {
    this.#limit = limit
    this.#hold = hold
  }

  /** The lines that end in this piece. */
  *add(piece: Buffer): Iterable<Buffer> {
    let from = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, from)) {
      if (end === from && this.#begun.bytes === 0) {
        from++
        continue
      }
      const line = this.#line(piece.subarray(from, end))
      from = end + 1
      if (!isBlank(line)) yield line
    }
    if (from < piece.length) {
      const rest = piece.subarray(from)
      this.#check(rest.length)
      this.#hold(rest.length)
      this.#begun.add(rest)
    }
  }

  /** What stands behind the last line break. */
  *end(): Iterable<Buffer> {
    const line = this.#line(Buffer.alloc(0))
    if (!isBlank(line)) yield line
  }

  #line(last: Buffer): Buffer {
    this.#check(last.length)
    if (this.#begun.bytes === 0) return last
    this.#hold(-this.#begun.bytes)
    this.#begun.add(last)
    return this.#begun.take()
  }

  #check(more: number): void {
    if (this.#begun.bytes + more > this.#limit)
      throw new Problem(413, 'line-too-long', 'A line is too long', `A line may have ${this.#limit} bytes at most`)
  }
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && (byte < 9 || byte > 13)) return false
  return true
}
