import { int32At, int64At, putInt32, putInt64 } from '../../protocol/batches/bytes.ts'
import type { Handles } from './handles.ts'

/** One entry of an index: two numbers that both grow from entry to entry. */
export interface IndexEntry {
  readonly key: number
  readonly value: number
}

/** How an entry lies in its file. */
interface Format {
  readonly bytes: number
  read(from: Uint8Array): IndexEntry
  write(into: Uint8Array, at: number, key: number, value: number): void
}

/** `.index`: offset of a batch's last record, relative to the segment's base, and the position of the batch. */
export const offsetEntries: Format = {
  bytes: 8,
  read: from => ({ key: int32At(from, 0), value: int32At(from, 4) }),
  write(into, at, key, value) {
    putInt32(into, at, key)
    putInt32(into, at + 4, value)
  },
}

/** `.timeindex`: the newest timestamp so far, and the relative offset of the last record of the batch that has it. */
export const timeEntries: Format = {
  bytes: 12,
  read: from => ({ key: int64At(from, 0), value: int32At(from, 8) }),
  write(into, at, key, value) {
    putInt64(into, at, key)
    putInt32(into, at + 8, value)
  },
}

/**
 * One index file of a segment. New entries are gathered in memory and written when the segment is closed, checkpointed or
 * let go, not with each append: what a crash forgets is learnt again from the log. Looking up reads a few entries from the
 * page cache and keeps none.
 */
export class SparseIndex {
  readonly path: string
  readonly #handles: Handles
  readonly #format: Format
  readonly #scratch: Uint8Array
  /** Entries in the file; −1: nobody has looked. */
  #stored = -1
  /** Keys and values by turns. */
  #pending: number[] = []
  #last: IndexEntry | null = null
  /** The file was written to, cut, or has to be made. */
  #changed: boolean

  constructor(handles: Handles, path: string, format: Format, isNew: boolean) {
    this.#handles = handles
    this.path = path
    this.#format = format
    this.#scratch = new Uint8Array(format.bytes)
    this.#changed = isNew
    if (isNew) this.#stored = 0
  }

  get count(): number {
    return this.#load() + this.#pending.length / 2
  }

  /** Whether `flush` has something to do. */
  get dirty(): boolean {
    return this.#pending.length > 0
  }

  get last(): IndexEntry | null {
    if (this.#last === null && this.count > 0) this.#last = this.entry(this.count - 1)
    return this.#last
  }

  append(key: number, value: number): void {
    this.#load()
    this.#pending.push(key, value)
    this.#last = { key, value }
  }

  entry(i: number): IndexEntry {
    const stored = this.#load()
    if (i >= stored) {
      const at = 2 * (i - stored)
      return { key: this.#pending[at]!, value: this.#pending[at + 1]! }
    }
    if (this.#handles.get(this.path).read(this.#scratch, i * this.#format.bytes) < this.#format.bytes)
      this.#scratch.fill(0)
    return this.#format.read(this.#scratch)
  }

  /** The last entry whose key is ≤ `key`. */
  floor(key: number): IndexEntry | null {
    const found = this.#countWhere(entry => entry.key <= key)
    return found === 0 ? null : this.entry(found - 1)
  }

  /** Keeps the entries from the front for which `keep` holds. */
  cut(keep: (entry: IndexEntry) => boolean): void {
    this.#keepFirst(this.#countWhere(keep))
  }

  clear(): void {
    this.#keepFirst(0)
  }

  /** Keeps as many entries from the front as make sense one after the other; reads them all. */
  cutNonsense(sensible: (entry: IndexEntry) => boolean): void {
    let before: IndexEntry | null = null
    for (let i = 0; i < this.count; i++) {
      const entry = this.entry(i)
      if ((before !== null && (entry.key <= before.key || entry.value <= before.value)) || !sensible(entry)) {
        this.#keepFirst(i)
        return
      }
      before = entry
    }
  }

  /** Writes what is only in memory. Throws what the disk throws; then it can be called again. */
  flush(): void {
    if (this.#pending.length === 0) return
    const stored = this.#load()
    const { bytes, write } = this.#format
    const entries = this.#pending.length / 2
    const written = new Uint8Array(entries * bytes)
    for (let i = 0; i < entries; i++) write(written, i * bytes, this.#pending[2 * i]!, this.#pending[2 * i + 1]!)
    this.#handles.get(this.path, 'create').write([written], stored * bytes)
    this.#stored = stored + entries
    this.#pending = []
    this.#changed = true
  }

  /** As `flush`; makes an empty file where there is none. True when the file has changed and should be synced. */
  finish(): boolean {
    this.flush()
    if (this.#changed) this.#handles.get(this.path, 'create')
    const changed = this.#changed
    this.#changed = false
    return changed
  }

  /** How many entries from the front satisfy what holds for a prefix only. */
  #countWhere(holds: (entry: IndexEntry) => boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.entry(middle))) low = middle + 1
      else high = middle
    }
    return low
  }

  #keepFirst(count: number): void {
    const stored = this.#load()
    this.#last = null
    this.#pending.length = 2 * Math.max(0, count - stored)
    if (count >= stored) return
    this.#stored = count
    this.#changed = true
    this.#handles.get(this.path).truncate(count * this.#format.bytes)
  }

  #load(): number {
    if (this.#stored >= 0) return this.#stored
    this.#stored = 0
    try {
      this.#stored = Math.floor(this.#handles.get(this.path).size() / this.#format.bytes)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
      this.#changed = true
    }
    // Kafka makes its index files as long as they may ever get, and cuts them when it closes them.
    if (this.#stored > 1 && isZero(this.entry(this.#stored - 1))) {
      const filled = this.#countFilled()
      this.#stored = filled === 0 && isZero(this.entry(0)) ? 0 : 1 + filled
    }
    return this.#stored
  }

  /** Entries after the first one that are not zero. */
  #countFilled(): number {
    let low = 1
    let high = this.#stored
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isZero(this.entry(middle))) high = middle
      else low = middle + 1
    }
    return low - 1
  }
}

function isZero({ key, value }: IndexEntry): boolean {
  return key === 0 && value === 0
}
