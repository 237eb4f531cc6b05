import { GrpcError } from '../status.ts'

/** A message as it came: still compressed where its flag says so. */
export interface RawMessage {
  readonly compressed: boolean
  readonly bytes: Buffer
}

/** A flag and a length stand before each message. */
export const prefixBytes = 5

/** Fills in the prefix, for which there is room. */
export function framed(bytes: Buffer): Buffer {
  bytes[0] = 0
  bytes.writeUInt32BE(bytes.length - prefixBytes, 1)
  return bytes
}

/**
 * Cuts a call's bytes into messages. Memory grows with the bytes that came, never with a length that was declared. Throws
 * RESOURCE_EXHAUSTED for a message of more than `maxBytes`, INTERNAL for a flag that does not exist.
 */
export class MessageCutter {
  readonly #maxBytes: number
  #pieces: Buffer[] = []
  #held = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of a message that is not complete. */
  get held(): number {
    return this.#held
  }

  /** Gives the messages that are complete now, as views where they came in one piece. */
  push(chunk: Buffer): RawMessage[] {
    const messages: RawMessage[] = []
    let rest = chunk
    // Of many small pieces none is looked at twice: they are joined once there are enough of them.
    if (this.#held > 0) {
      this.#pieces.push(chunk)
      this.#held += chunk.length
      if (this.#held < this.#needed()) return messages
      rest = Buffer.concat(this.#pieces, this.#held)
    }
    for (;;) {
      const length = this.#lengthOf(rest)
      if (length === null || rest.length < prefixBytes + length) break
      messages.push({ compressed: rest[0] === 1, bytes: rest.subarray(prefixBytes, prefixBytes + length) })
      rest = rest.subarray(prefixBytes + length)
    }
    this.#pieces = rest.length > 0 ? [rest] : []
    this.#held = rest.length
    return messages
  }

  /** Null while not even the length is there. */
  #lengthOf(bytes: Buffer): number | null {
    if (bytes.length < prefixBytes) return null
    if (bytes[0]! > 1) throw new GrpcError('INTERNAL', `a message has the flag ${bytes[0]}`)
    const length = bytes.readUInt32BE(1)
    if (length > this.#maxBytes) {
      const what = `a message of ${length} bytes is larger than the limit of ${this.#maxBytes}`
      throw new GrpcError('RESOURCE_EXHAUSTED', what)
    }
    return length
  }

  #needed(): number {
    const first = this.#pieces[0]!
    if (first.length >= prefixBytes) return prefixBytes + first.readUInt32BE(1)
    if (this.#held < prefixBytes) return prefixBytes
    this.#pieces = [Buffer.concat(this.#pieces, this.#held)]
    return prefixBytes + (this.#lengthOf(this.#pieces[0]!) ?? 0)
  }
}
