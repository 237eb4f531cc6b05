import { ProtocolError } from './protocol-error.ts'
import { INT64_MAX, INT64_MIN, MAX_STRING_BYTES } from './reader.ts'
import { putUuid } from './uuid.ts'

/** Bytes to write: whole, or in pieces that are sent one after another. */
export type Chunks = Uint8Array | readonly Uint8Array[]

/** From this size on, bytes are kept by reference: below it, a copy costs less than one more entry in a vectored write. */
const REFERENCE_FROM = 1024

/** Strings up to this length are tried as ASCII, byte by byte, which is quicker than a native call. */
const ASCII_UP_TO = 48

/** Kafka's primitive types into a growing buffer; large byte fields are not copied but kept as pieces of a rope. */
export class Writer {
  private buffer: Buffer
  private position = 0
  /** Everything before this index of `buffer` is already in `chunks`. */
  private start = 0
  private chunks: Uint8Array[] = []
  private chunked = 0
  /** Depth of fields whose size is patched in afterwards; inside them bytes are copied, so that they can be moved. */
  private sized = 0

  constructor(capacity = 160) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.chunked + this.position - this.start
  }

  /** All that was written, in order. The pieces are views; do not write to this writer afterwards. */
  finish(): Uint8Array[] {
    this.cut()
    return this.chunks
  }

  /** All that was written as one piece; copies when there are several. */
  toBytes(): Buffer {
    if (this.chunks.length === 0) return this.buffer.subarray(this.start, this.position)
    return Buffer.concat(this.finish())
  }

  private cut(): void {
    if (this.position === this.start) return
    this.chunks.push(this.buffer.subarray(this.start, this.position))
    this.chunked += this.position - this.start
    this.start = this.position
  }

  private reserve(size: number): number {
    const at = this.position
    if (at + size > this.buffer.length) return this.grow(size)
    this.position = at + size
    return at
  }

  private grow(size: number): number {
    const kept = this.position - this.start
    const larger = Buffer.allocUnsafe(Math.max(512, (kept + size) * 2))
    this.buffer.copy(larger, 0, this.start, this.position)
    this.buffer = larger
    this.start = 0
    this.position = kept + size
    return kept
  }

  private wrong(type: string, value: unknown): never {
    throw new ProtocolError(`not ${type}: ${String(value)}`)
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') this.wrong('a bool', value)
    this.put8(value ? 1 : 0)
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) this.wrong('an int8', value)
    this.put8(value)
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) this.wrong('an int16', value)
    this.put16(value)
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) this.wrong('a uint16', value)
    this.put16(value)
  }

  // Reserve first, then look at `buffer`: growing replaces it.
  private put8(value: number): void {
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  private put16(value: number): void {
    const at = this.reserve(2)
    const b = this.buffer
    b[at] = value >> 8
    b[at + 1] = value
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.wrong('an int32', value)
    this.put32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) this.wrong('a uint32', value)
    this.put32(value)
  }

  private put32(value: number): void {
    const at = this.reserve(4)
    const b = this.buffer
    b[at] = value >> 24
    b[at + 1] = value >> 16
    b[at + 2] = value >> 8
    b[at + 3] = value
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.hugeInt64(value)
      return
    }
    this.put32(Math.floor(value / 0x1_0000_0000))
    this.put32(value) // the shifts take it modulo 2^32
  }

  private hugeInt64(value: number): void {
    if (value !== INT64_MAX && value !== INT64_MIN) this.wrong('an int64', value)
    this.put32(value > 0 ? 0x7fff_ffff : -0x8000_0000)
    this.put32(value > 0 ? -1 : 0)
  }

  float64(value: number): void {
    if (typeof value !== 'number') this.wrong('a float64', value)
    const at = this.reserve(8)
    this.buffer.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.reserve(16)
    putUuid(this.buffer, at, value)
  }

  uvarint(value: number): void {
    if (value >>> 0 !== value) this.wrong('a uint32', value)
    if (value < 0x80) {
      this.put8(value)
      return
    }
    let rest = value
    while (rest >= 0x80) {
      this.put8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.put8(rest)
  }

  /** Zigzag varint of 32 bits. */
  varint(value: number): void {
    if ((value | 0) !== value) this.wrong('an int32', value)
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** Zigzag varint of 64 bits. */
  varlong(value: number): void {
    if (!Number.isSafeInteger(value)) this.wrong('a safe int64', value)
    const magnitude = value < 0 ? -(value + 1) : value
    // Twice the magnitude may pass 2^53, so the lowest seven bits are taken before doubling.
    let rest = Math.floor(magnitude / 64)
    let byte = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0)
    while (rest > 0) {
      this.put8(byte | 0x80)
      byte = rest % 128
      rest = Math.floor(rest / 128)
    }
    this.put8(byte)
  }

  string(value: string): void {
    if (typeof value !== 'string') this.wrong('a string', value)
    const length = value.length
    if (length <= ASCII_UP_TO) {
      const at = this.reserve(2 + length)
      this.buffer[at] = 0
      this.buffer[at + 1] = length
      if (this.ascii(value, at + 2)) return
      this.position = at
    }
    const bytes = this.textBytes(value)
    this.put16(bytes)
    this.text(value, bytes)
  }

  nullableString(value: string | null): void {
    if (value === null) this.put16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    if (typeof value !== 'string') this.wrong('a string', value)
    const length = value.length
    if (length <= ASCII_UP_TO) {
      const at = this.reserve(1 + length)
      this.buffer[at] = length + 1
      if (this.ascii(value, at + 1)) return
      this.position = at
    }
    const bytes = this.textBytes(value)
    this.uvarint(bytes + 1)
    this.text(value, bytes)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  private ascii(value: string, position: number): boolean {
    const b = this.buffer
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code >= 0x80) return false
      b[position + i] = code
    }
    return true
  }

  private textBytes(value: string): number {
    const bytes = Buffer.byteLength(value)
    if (bytes > MAX_STRING_BYTES) throw new ProtocolError(`string of ${bytes} bytes`)
    return bytes
  }

  private text(value: string, bytes: number): void {
    const at = this.reserve(bytes)
    this.buffer.write(value, at, bytes, 'utf8')
  }

  bytes(value: Chunks): void {
    this.int32(chunksLength(value))
    this.raw(value)
  }

  nullableBytes(value: Chunks | null): void {
    if (value === null) this.put32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Chunks): void {
    this.uvarint(chunksLength(value) + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Chunks | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value)
  }

  /** Bytes without a length. Large ones are kept by reference: they must not change until they have been sent. */
  raw(value: Chunks): void {
    if (value instanceof Uint8Array) this.piece(value)
    else for (const piece of value) this.piece(piece)
  }

  private piece(bytes: Uint8Array): void {
    if (bytes.length < REFERENCE_FROM || this.sized > 0) {
      const at = this.reserve(bytes.length)
      this.buffer.set(bytes, at)
      return
    }
    this.cut()
    this.chunks.push(bytes)
    this.chunked += bytes.length
  }

  arrayLength(length: number): void {
    this.int32(length)
  }

  compactArrayLength(length: number): void {
    this.uvarint(length + 1)
  }

  /** Begins a field whose size in bytes stands before it as an unsigned varint; hand the result to `endSized`. */
  beginSized(): number {
    this.sized++
    this.reserve(1)
    // Relative to what is not yet cut, since growing moves everything down.
    return this.position - this.start
  }

  endSized(begin: number): void {
    this.sized--
    const size = this.position - this.start - begin
    let width = 1
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) width++
    if (width > 1) {
      this.reserve(width - 1)
      const from = this.start + begin
      this.buffer.copyWithin(from + width - 1, from, from + size)
    }
    const end = this.position
    this.position = this.start + begin - 1
    this.uvarint(size)
    this.position = end
  }

  /** Begins a field whose size in bytes stands before it as an int32, such as a frame; hand the result to `endFrame`. */
  beginFrame(): number {
    if (this.chunks.length > 0) throw new ProtocolError('a frame begins at the front of a writer')
    this.put32(0)
    return this.length
  }

  endFrame(begin: number): void {
    const size = this.length - begin
    if (this.chunks.length === 0) this.buffer.writeInt32BE(size, this.start + begin - 4)
    else (this.chunks[0] as Buffer).writeInt32BE(size, begin - 4)
  }
}

function chunksLength(value: Chunks): number {
  if (value instanceof Uint8Array) return value.length
  if (!Array.isArray(value)) throw new ProtocolError(`not bytes: ${String(value)}`)
  let length = 0
  for (const piece of value) length += piece.length
  return length
}
