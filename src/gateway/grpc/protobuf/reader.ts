import { isUtf8 } from 'node:buffer'

/** Bytes that are no message of the kind expected. */
export class WireError extends Error {}

export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * Repeated fields and maps make an object out of two bytes: so many of them one message may hold, whatever its size. Some
 * times what a batch of records needs, and what is read in some ten ms.
 */
const mostElements = 25_000
/** Fields in all, those inside of elements among them; who repeats what stands once in a message means no good. */
const mostFields = 8 * mostElements

/** What an element costs in fields: it is an object, with which something is done afterwards. */
const elementCost = 4
/** Bytes that cost as much as a field. */
const bytesOfField = 64

/** Reads the protocol buffers wire format. Trusts nothing; what it gives out as bytes are views. Throws `WireError`. */
export class ProtoReader {
  readonly #bytes: Buffer
  #position = 0
  #end: number
  #elements = 0
  #fields = 0
  /** The last varint. */
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#end = bytes.length
  }

  get done(): boolean {
    return this.#position >= this.#end
  }

  /** What it took to read so far, and takes to work on, in fields of some 0.2 µs. */
  get cost(): number {
    return this.#fields + this.#elements * elementCost + Math.ceil(this.#position / bytesOfField)
  }

  /** A field's number and wire type, as `number << 3 | type`. */
  tag(): number {
    if (++this.#fields > mostFields) throw new WireError(`a message of more than ${mostFields} fields`)
    const tag = this.uint32()
    if (tag >>> 3 === 0 || this.#high !== 0) throw new WireError('a field has no number')
    return tag
  }

  /** One more element of a repeated field. */
  element(): void {
    if (++this.#elements > mostElements) throw new WireError(`a message of more than ${mostElements} elements`)
  }

  /** Reads up to the end of a length-delimited field. */
  delimited(read: () => void): void {
    const outer = this.#end
    this.#end = this.#length()
    read()
    this.#position = this.#end
    this.#end = outer
  }

  bytes(): Uint8Array {
    const end = this.#length()
    const begin = this.#position
    this.#position = end
    return this.#bytes.subarray(begin, end)
  }

  string(): string {
    const end = this.#length()
    const begin = this.#position
    this.#position = end
    const text = this.#bytes.toString('utf8', begin, end)
    // What stands for wrong bytes may be meant.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(begin, end)))
      throw new WireError('a string is not UTF-8')
    return text
  }

  bool(): boolean {
    this.#varint()
    return (this.#low | this.#high) !== 0
  }

  int32(): number {
    this.#varint()
    return this.#low | 0
  }

  uint32(): number {
    this.#varint()
    return this.#low >>> 0
  }

  /** Throws beyond 2^53, where numbers are not exact any more. */
  int64(): number {
    this.#varint()
    const value = (this.#high | 0) * 0x1_0000_0000 + (this.#low >>> 0)
    if (!Number.isSafeInteger(value)) throw new WireError('a number is out of range')
    return value
  }

  skip(wireType: number): void {
    if (wireType === WireType.varint) this.#varint()
    else if (wireType === WireType.bytes) this.#position = this.#length()
    else if (wireType === WireType.fixed64) this.#advance(8)
    else if (wireType === WireType.fixed32) this.#advance(4)
    else throw new WireError(`a field has the wire type ${wireType}`)
  }

  #advance(count: number): void {
    if (count > this.#end - this.#position) throw new WireError('a field is cut off')
    this.#position += count
  }

  /** Where the field ends whose length stands here. */
  #length(): number {
    this.#varint()
    const length = this.#low >>> 0
    if (this.#high !== 0 || length > this.#end - this.#position) throw new WireError('a field is cut off')
    return this.#position + length
  }

  #varint(): void {
    let low = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      if (this.#position >= this.#end) throw new WireError('a number is cut off')
      const byte = this.#bytes[this.#position++]!
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index === 4) {
        low |= bits << 28
        high = bits >>> 4
      } else high |= bits << (7 * index - 32)
      if (byte < 0x80) {
        this.#low = low
        this.#high = high
        return
      }
    }
    throw new WireError('a number is too long')
  }
}
