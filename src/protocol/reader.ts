import { ProtocolError } from './protocol-error.ts'
import { getUuid } from './uuid.ts'

/** Java's Long.MAX_VALUE, which Kafka uses for "no limit"; the only value beyond ±(2^53−1), with its negative twin, that an int64 may have here. */
export const INT64_MAX = 2 ** 63
export const INT64_MIN = -(2 ** 63)

/** Strings are limited by Kafka to what a signed 16-bit length can say, in every encoding. */
export const MAX_STRING_BYTES = 0x7fff

/** Array elements in one message. A hostile frame of tiny elements must not become a heap of objects. */
const MAX_ELEMENTS = 1 << 23

/** Reads Kafka's primitive types from bytes, and trusts none of them. Every method throws `ProtocolError` only. */
export class Reader {
  readonly buffer: Buffer
  /** Index of the next byte to read, in `buffer`. */
  position: number
  /** Index after the last byte that may be read. */
  readonly end: number
  private elementsLeft = MAX_ELEMENTS

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    // One class of buffer only, so that the engine's inline caches stay monomorphic.
    this.buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  private take(size: number): number {
    const at = this.position
    if (size > this.end - at) throw this.short(size)
    this.position = at + size
    return at
  }

  private short(size: number): ProtocolError {
    return new ProtocolError(`${size} bytes needed at ${this.position}, ${this.end - this.position} left`)
  }

  fail(what: string): never {
    throw new ProtocolError(`${what} at ${this.position}`)
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int8(): number {
    return (this.buffer[this.take(1)]! << 24) >> 24
  }

  int16(): number {
    const b = this.buffer
    const at = this.take(2)
    return (((b[at]! << 8) | b[at + 1]!) << 16) >> 16
  }

  uint16(): number {
    const b = this.buffer
    const at = this.take(2)
    return (b[at]! << 8) | b[at + 1]!
  }

  int32(): number {
    const b = this.buffer
    const at = this.take(4)
    return (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    const value = high * 0x1_0000_0000 + low
    if (high >= 0x20_0000 || high < -0x20_0000 || value === -(2 ** 53)) return this.hugeInt64(high, low)
    return value
  }

  private hugeInt64(high: number, low: number): number {
    if (high === 0x7fff_ffff && low === 0xffff_ffff) return INT64_MAX
    if (high === -0x8000_0000 && low === 0) return INT64_MIN
    return this.fail('int64 beyond 2^53')
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uuid(): string {
    return getUuid(this.buffer, this.take(16))
  }

  /** Unsigned varint of 32 bits, at most five bytes. */
  uvarint(): number {
    const b = this.buffer
    let at = this.position
    if (at >= this.end) throw this.short(1)
    let byte = b[at++]!
    if (byte < 0x80) {
      this.position = at
      return byte
    }
    let value = byte & 0x7f
    for (let shift = 7; shift <= 28; shift += 7) {
      if (at >= this.end) throw this.short(1)
      byte = b[at++]!
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return value >>> 0
      }
    }
    return this.fail('varint longer than 32 bits')
  }

  /** Zigzag varint of 32 bits. */
  varint(): number {
    const value = this.uvarint()
    return (value >>> 1) ^ -(value & 1)
  }

  /** Zigzag varint of 64 bits, at most ten bytes; the value must be a safe integer. */
  varlong(): number {
    let low = 0 // 28 bits
    let middle = 0 // 28 bits
    let high = 0 // 8 bits
    for (let i = 0; i < 10; i++) {
      const byte = this.buffer[this.take(1)]!
      if (i < 4) low |= (byte & 0x7f) << (7 * i)
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4))
      else high |= (byte & 0x7f) << (7 * (i - 8))
      if (byte < 0x80) return this.unzigzag(low, middle, high)
    }
    return this.fail('varlong longer than 64 bits')
  }

  private unzigzag(low: number, middle: number, high: number): number {
    const negative = low & 1
    // The magnitude is the unsigned value shifted right by one bit.
    const magnitude = (low >>> 1) + middle * 2 ** 27 + high * 2 ** 55
    if (magnitude > Number.MAX_SAFE_INTEGER) return this.fail('int64 beyond 2^53')
    return negative === 0 ? magnitude : -magnitude - 1
  }

  private text(length: number): string {
    if (length > MAX_STRING_BYTES) this.fail(`string of ${length} bytes`)
    if (length === 0) return ''
    const at = this.take(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  nullableString(): string | null {
    const length = this.int16()
    if (length >= 0) return this.text(length)
    return length === -1 ? null : this.fail(`string of ${length} bytes`)
  }

  string(): string {
    return this.nullableString() ?? this.fail('null instead of a string')
  }

  compactNullableString(): string | null {
    const length = this.uvarint()
    return length === 0 ? null : this.text(length - 1)
  }

  compactString(): string {
    return this.compactNullableString() ?? this.fail('null instead of a string')
  }

  private view(length: number): Uint8Array {
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  /** A view, not a copy: valid as long as the bytes it was read from are left alone. */
  nullableBytes(): Uint8Array | null {
    const length = this.int32()
    if (length >= 0) return this.view(length)
    return length === -1 ? null : this.fail(`bytes of length ${length}`)
  }

  bytes(): Uint8Array {
    return this.nullableBytes() ?? this.fail('null instead of bytes')
  }

  compactNullableBytes(): Uint8Array | null {
    const length = this.uvarint()
    return length === 0 ? null : this.view(length - 1)
  }

  compactBytes(): Uint8Array {
    return this.compactNullableBytes() ?? this.fail('null instead of bytes')
  }

  /** Number of elements, −1 for null. `smallest` is the size in bytes of the smallest possible element. */
  nullableArrayLength(smallest: number): number {
    const length = this.int32()
    if (length < -1) this.fail(`array of length ${length}`)
    return length > 0 ? this.counted(length, smallest) : length
  }

  arrayLength(smallest: number): number {
    const length = this.nullableArrayLength(smallest)
    return length < 0 ? this.fail('null instead of an array') : length
  }

  compactNullableArrayLength(smallest: number): number {
    const length = this.uvarint() - 1
    return length > 0 ? this.counted(length, smallest) : length
  }

  compactArrayLength(smallest: number): number {
    const length = this.compactNullableArrayLength(smallest)
    return length < 0 ? this.fail('null instead of an array') : length
  }

  private counted(length: number, smallest: number): number {
    if (length * smallest > this.end - this.position) {
      this.fail(`array of ${length} elements in ${this.remaining} bytes`)
    }
    this.elementsLeft -= length
    if (this.elementsLeft < 0) this.fail(`more than ${MAX_ELEMENTS} array elements`)
    return length
  }

  /** Whether a nullable struct follows (Kafka: a byte, negative for null). */
  present(): boolean {
    return this.int8() >= 0
  }

  /** Number of tagged fields that follow; each takes at least two bytes. */
  tagCount(): number {
    const count = this.uvarint()
    if (count * 2 > this.end - this.position) this.fail(`${count} tagged fields in ${this.remaining} bytes`)
    return count
  }

  /** Size of a tagged field, turned into the index at which it ends. */
  tagEnd(): number {
    const size = this.uvarint()
    if (size > this.end - this.position) throw this.short(size)
    return this.position + size
  }

  /** After a known tagged field: it has to have taken exactly the size that was declared. */
  tagDone(end: number): void {
    if (this.position !== end) this.fail('tagged field is not as long as declared')
  }

  skipTags(): void {
    for (let count = this.tagCount(); count > 0; count--) {
      this.uvarint()
      this.position = this.tagEnd()
    }
  }
}
