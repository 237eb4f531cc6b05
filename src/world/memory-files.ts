import type { Random } from './world.ts'

/** What a memory disk is made of: files and folders that know which part of them is on the platter. */

type Dice = Pick<Random, 'int'>

const sectorBytes = 512

/** Bytes from … to that were written since the last sync that covered them. */
interface Dirty {
  from: number
  to: number
  /** A sync has begun to write them: what is written now is no part of that. */
  taken: boolean
}

/** What a sync has begun to make durable. */
export interface Syncing {
  readonly length: number
  readonly parts: readonly { readonly dirty: Dirty; readonly bytes: Buffer }[]
}

/** A file's bytes, and what of them is on the platter. */
export class Inode {
  #memory: Buffer = Buffer.alloc(0)
  #length = 0
  #stable: Buffer = Buffer.alloc(0)
  #stableLength = 0
  #dirty: Dirty[] = []
  /** A sync failed: the kernel takes these bytes for written and will not write them, unless they are written anew. */
  #lost: { readonly from: number; readonly to: number }[] = []

  get length(): number {
    return this.#length
  }

  /** A view, good until the next change. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  /** What a power cut certainly leaves, if the name of the file is there. A view, good until the next change. */
  get stable(): Buffer {
    return this.#stable.subarray(0, this.#stableLength)
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    const from = Math.min(position, this.#length)
    const to = position + bytes.length
    if (to > this.#length) {
      this.#memory = enlarged(this.#memory, to)
      this.#length = to
    }
    this.#memory.set(bytes, position)
    this.#touch(from, to)
  }

  truncate(length: number): void {
    if (length > this.#length) this.write(Buffer.alloc(length - this.#length), this.#length)
    else this.#memory.fill(0, length, this.#length)
    this.#length = length
  }

  beginSync(): Syncing {
    const parts = this.#dirty.map(dirty => {
      dirty.taken = true
      const bytes = Buffer.from(this.#memory.subarray(dirty.from, Math.min(dirty.to, this.#length)))
      return { dirty, bytes }
    })
    return { length: this.#length, parts }
  }

  endSync({ length, parts }: Syncing): void {
    this.#stable = enlarged(this.#stable, length)
    if (length < this.#stableLength) this.#stable.fill(0, length, this.#stableLength)
    this.#stableLength = length
    for (const { dirty, bytes } of parts)
      if (dirty.from < length) this.#stable.set(bytes.subarray(0, length - dirty.from), dirty.from)
    this.#dirty = this.#dirty.filter(dirty => !parts.some(part => part.dirty === dirty))
  }

  failSync(): void {
    this.#lost.push(...this.#dirty.map(({ from, to }) => ({ from, to })))
    this.#dirty = []
  }

  /** A bit goes wrong by itself, on the platter and in memory. */
  rot(position: number, mask: number): void {
    if (position < this.#length) this.#memory[position]! ^= mask
    if (position < this.#stableLength) this.#stable[position]! ^= mask
  }

  /** Its end is gone, on the platter and in memory. */
  lose(length: number): void {
    this.#memory.fill(0, length)
    this.#stable.fill(0, length)
    this.#length = Math.min(this.#length, length)
    this.#stableLength = Math.min(this.#stableLength, length)
    this.#dirty = this.#dirty.filter(({ from }) => from < length)
  }

  afterPowerCut(random: Dice): Inode {
    const left = this.#torn(random)
    const copied = new Inode()
    copied.#memory = left
    copied.#stable = Buffer.from(left)
    copied.#length = copied.#stableLength = left.length
    return copied
  }

  #touch(from: number, to: number): void {
    this.#lost = this.#lost.flatMap(lost => [
      ...(lost.from < from ? [{ from: lost.from, to: Math.min(lost.to, from) }] : []),
      ...(lost.to > to ? [{ from: Math.max(lost.from, to), to: lost.to }] : []),
    ])
    const last = this.#dirty.at(-1)
    if (last === undefined || last.taken || from > last.to || from < last.from) {
      this.#dirty.push({ from, to, taken: false })
    } else last.to = Math.max(last.to, to)
  }

  /** The length is one that the file had or might have had; each sector is the old or the new one. */
  #torn(random: Dice): Buffer {
    const { stable: old, bytes: now } = this
    if (old.equals(now)) return Buffer.from(old)
    const [short, long] = [Math.min(old.length, now.length), Math.max(old.length, now.length)]
    const left = Buffer.alloc(random.int(3) === 0 ? now.length : short + random.int(long - short + 1))
    // Often all of it got there, often nothing; the rest is a lottery.
    const odds = [0, 4, 2, 1][random.int(4)]!
    for (let at = 0; at < left.length; at += sectorBytes) {
      const lost = this.#lost.some(({ from, to }) => from < at + sectorBytes && to > at)
      const from = odds > 0 && random.int(odds) === 0 && !lost ? now : old
      if (at < from.length) from.copy(left, at, at, Math.min(at + sectorBytes, left.length))
    }
    return left
  }
}

type Change = readonly (readonly [name: string, node: Inode | Folder | null])[]

/** Names in a folder, and which changes of them are on the platter. */
export class Folder {
  readonly names = new Map<string, Inode | Folder>()
  readonly #stable = new Map<string, Inode | Folder>()
  /** Changes that are durable. */
  settled = 0
  #unsynced: Change[] = []

  change(change: Change): void {
    apply(this.names, change)
    this.#unsynced.push(change)
  }

  /** How many changes a sync that begins now makes durable. */
  get unsynced(): number {
    return this.#unsynced.length
  }

  settle(changes = this.#unsynced.length): void {
    for (const change of this.#unsynced.splice(0, changes)) apply(this.#stable, change)
    this.settled += changes
  }

  stableNames(): string[] {
    return [...this.#stable.keys()]
  }

  /** As a power cut would certainly leave it. */
  stable(name: string): Inode | Folder | undefined {
    return this.#stable.get(name)
  }

  afterPowerCut(random: Dice): Folder {
    const kept = random.int(this.#unsynced.length + 1)
    const names = new Map(this.#stable)
    for (const change of this.#unsynced.slice(0, kept)) apply(names, change)
    const copied = new Folder()
    for (const [name, node] of names) copied.change([[name, node.afterPowerCut(random)]])
    copied.settle()
    return copied
  }
}

function apply(names: Map<string, Inode | Folder>, change: Change): void {
  for (const [name, node] of change) {
    if (node === null) names.delete(name)
    else names.set(name, node)
  }
}

/** At least so large, zeros behind what was there. */
function enlarged(memory: Buffer, length: number): Buffer {
  if (length <= memory.length) return memory
  const larger = Buffer.alloc(Math.max(length, memory.length * 2, 256))
  memory.copy(larger)
  return larger
}
