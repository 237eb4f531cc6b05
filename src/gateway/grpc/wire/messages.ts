import { Pieces } from '../../pieces.ts'
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
  /** The beginning of a message. */
  readonly #begun = new Pieces()
  /** Bytes with which it is whole, or at least its length is known. */
  #needed = prefixBytes

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of a message that is not complete. */
  get held(): number {
    return this.#begun.bytes
  }

  /** Gives the messages that are complete now, as views where they came in one piece. */
  push(chunk: Buffer): RawMessage[] {
    const messages: RawMessage[] = []
    let rest = chunk
    if (this.#begun.bytes > 0) {
      this.#begun.add(chunk)
      if (this.#begun.bytes < this.#needed) return messages
      rest = this.#begun.take()
    }
    for (;;) {
      const length = this.#lengthOf(rest)
      this.#needed = prefixBytes + (length ?? 0)
      if (length === null || rest.length < this.#needed) break
      messages.push({ compressed: rest[0] === 1, bytes: rest.subarray(prefixBytes, this.#needed) })
      rest = rest.subarray(this.#needed)
    }
    // The little that is left shall not keep all of the chunk.
    this.#begun.add(rest.length * 4 < rest.buffer.byteLength ? Buffer.from(rest) : rest)
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
}
