/** Writes the protocol buffers wire format into memory whose size was worked out before. */
export class ProtoWriter {
  readonly bytes: Buffer
  #position: number

  /** Leaves `prefix` bytes free at the beginning. */
  constructor(size: number, prefix = 0) {
    this.bytes = Buffer.allocUnsafe(prefix + size)
    this.#position = prefix
  }

  /** An integer; negative ones take ten bytes, as the format has it. */
  varint(value: number): void {
    if (value < 0) {
      this.#negative(value)
      return
    }
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.#position++] = (rest % 0x80) | 0x80
      rest = rest > 0x7fff_ffff ? Math.floor(rest / 0x80) : rest >>> 7
    }
    this.bytes[this.#position++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#position)
    this.#position += bytes.length
  }

  /** `length`: its bytes in UTF-8. */
  string(text: string, length: number): void {
    this.bytes.write(text, this.#position, length, 'utf8')
    this.#position += length
  }

  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.#position++] = Number(rest & 0x7fn) | 0x80
    this.bytes[this.#position++] = Number(rest)
  }
}

export function varintSize(value: number): number {
  if (value < 0) return 10
  let size = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++
  return size
}
