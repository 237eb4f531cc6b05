// For tests: frames as an attacker would send them. Mostly well formed, so that decoding gets far, with lies where it hurts.
import type { SlotType, StructLayout } from './layout.ts'
import { Writer } from './writer.ts'

/** Dice that fall the same way for the same seed: an integer from 0 up to, not including, `below`. */
export type Dice = (below: number) => number

/** A small generator (mulberry32); good enough to choose bytes, not secrets. */
export function dice(seed: number): Dice {
  let state = seed | 0
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** A frame of a message's version in which, now and then, a length lies, a byte is flipped or the end is missing. */
export function hostileFrame(layout: StructLayout, roll: Dice): Buffer {
  const writer = new Writer(1024)
  // A third has honest lengths and is only damaged afterwards; the others lie at one length in eight, or in forty.
  const lies = [0, 8, 40][roll(3)]!
  new Liar(writer, roll, lies).struct(layout, 0)
  return damage(writer.toBytes(), roll)
}

/** A well-formed frame. */
export function honestFrame(layout: StructLayout, roll: Dice): Buffer {
  const writer = new Writer(1024)
  new Liar(writer, roll, 0).struct(layout, 0)
  return writer.toBytes()
}

function damage(frame: Buffer, roll: Dice): Buffer {
  const kind = roll(8)
  if (frame.length === 0 || kind < 3) return frame
  if (kind === 3) return frame.subarray(0, roll(frame.length))
  const damaged = Buffer.from(frame)
  for (let flips = 1 + roll(4); flips > 0; flips--) {
    damaged[roll(damaged.length)] = kind === 4 ? [0, 0x7f, 0x80, 0xff][roll(4)]! : roll(256)
  }
  return damaged
}

class Liar {
  private readonly writer: Writer
  private readonly roll: Dice
  private readonly lies: number

  constructor(writer: Writer, roll: Dice, lies: number) {
    this.writer = writer
    this.roll = roll
    this.lies = lies
  }

  private lying(): boolean {
    return this.lies > 0 && this.roll(this.lies) === 0
  }

  /** A length that is not the truth: negative, nothing, everything, one too many. */
  private lie(truth: number): number {
    return [-2, -1, 0, truth + 1, truth - 1, truth + 1000, 0x7fff, 0x8000, 0x7fff_ffff, -0x8000_0000][this.roll(10)]!
  }

  private compactLength(truth: number): void {
    const length = this.lying() ? this.lie(truth) : truth
    this.writer.uvarint((length + 1) >>> 0)
    // A varint that never ends.
    if (this.lying()) this.writer.raw(Buffer.alloc(this.roll(12), 0xff))
  }

  private length(truth: number): void {
    this.writer.int32(this.lying() ? this.lie(truth) : truth)
  }

  struct(layout: StructLayout, depth: number): void {
    for (const slot of layout.slots) {
      if (slot.place === 'plain') this.value(slot.type, slot.nullable, layout.flexible, depth)
    }
    if (layout.flexible) this.tags(layout, depth)
  }

  private tags(layout: StructLayout, depth: number): void {
    const known = layout.tagged.filter(() => this.roll(2) === 0)
    const unknown = this.roll(6) === 0
    const count = known.length + (unknown ? 1 : 0)
    this.writer.uvarint(this.lying() ? this.lie(count) >>> 0 : count)
    for (const slot of known) {
      const inner = new Writer(64)
      new Liar(inner, this.roll, this.lies).value(slot.type, slot.nullable, true, depth)
      this.tag(slot.tag, inner.toBytes())
    }
    if (unknown) this.tag(1000 + this.roll(1000), this.noise(this.roll(12)))
  }

  private tag(tag: number, bytes: Buffer): void {
    this.writer.uvarint(this.lying() ? this.roll(4) : tag)
    this.writer.uvarint(this.lying() ? this.lie(bytes.length) >>> 0 : bytes.length)
    this.writer.raw(bytes)
  }

  private value(type: SlotType, nullable: boolean, flexible: boolean, depth: number): void {
    const absent = nullable && this.roll(4) === 0
    switch (type.kind) {
      case 'struct':
        if (nullable) this.writer.int8(this.lying() ? this.roll(256) - 128 : absent ? -1 : 1)
        if (!absent) this.struct(type.layout, depth + 1)
        return
      case 'array': {
        const count = absent ? -1 : this.roll(depth > 2 ? 2 : 4)
        if (flexible) this.compactLength(count)
        else this.length(count)
        for (let i = 0; i < count; i++) this.value(type.of, false, flexible, depth + 1)
        return
      }
      case 'string': {
        const text = this.text()
        const length = absent ? -1 : text.length
        if (flexible) this.compactLength(length)
        else this.writer.int16(this.lying() ? (this.lie(length) << 16) >> 16 : length)
        if (!absent) this.writer.raw(text)
        return
      }
      case 'bytes':
      case 'records': {
        const bytes = this.noise(this.roll(24))
        if (flexible) this.compactLength(absent ? -1 : bytes.length)
        else this.length(absent ? -1 : bytes.length)
        if (!absent) this.writer.raw(bytes)
        return
      }
      case 'int64':
        // Beyond 2^53 now and then, which is refused.
        this.writer.int32(this.lying() ? this.roll(2 ** 32) | 0 : this.roll(1 << 21))
        this.writer.int32(this.roll(2 ** 32) | 0)
        return
      case 'varint':
      case 'varlong':
        this.writer.varint(this.roll(2 ** 32) | 0)
        return
      case 'bool':
        this.writer.int8(this.roll(2))
        return
      default:
        this.writer.raw(this.noise(type.smallest))
    }
  }

  private noise(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let i = 0; i < length; i++) bytes[i] = this.roll(256)
    return bytes
  }

  private text(): Buffer {
    const bytes = Buffer.alloc(this.roll(10))
    for (let i = 0; i < bytes.length; i++) bytes[i] = 97 + this.roll(26)
    return bytes
  }
}
