import { expiresAt } from '../protocol/batches/expiry.ts'
import { attributes, compressionBits, controlBit } from '../protocol/batches/header.ts'
import { type FoundBatch, iterateBatches } from '../protocol/batches/iterate.ts'
import { readRecords } from '../protocol/batches/records.ts'
import { compressionReady, loadCompression } from '../protocol/compression/compression.ts'
import type { Store } from '../store/store.ts'
import type { Timers } from '../world/world.ts'

/** Read between two turns of the event loop, bytes. */
const bytesPerTurn = 256 * 1024

/**
 * How far from its start on all records of a log have expired one by one (`protocol/batches/expiry.ts`). Looking stops at the
 * first batch that still holds one, and comes back when that one expires: a log whose records live for ever costs the reading
 * of one batch for each oldest segment.
 */
export class ExpiredHead {
  readonly #store: Pick<Store, 'read'>
  readonly #timers: Pick<Timers, 'soon'>
  #end = 0
  /** ms since 1970: when the batch at `end` will have expired. */
  #wakeAt = 0
  #busy = false

  constructor(store: Pick<Store, 'read'>, timers: Pick<Timers, 'soon'>) {
    this.#store = store
    this.#timers = timers
  }

  /** Offset below which all records have expired. */
  get end(): number {
    return this.#end
  }

  /** Whether `look` would read anything. */
  isWorthALook(start: number, upTo: number, now: number): boolean {
    return !this.#busy && upTo > Math.max(start, this.#end) && (start > this.#end || this.#wakeAt <= now)
  }

  /** `start`: of the log; `upTo`: the end of what may go, committed and in closed segments; `now`: ms since 1970. */
  async look(start: number, upTo: number, now: number): Promise<void> {
    if (!this.isWorthALook(start, upTo, now)) return
    this.#busy = true
    try {
      this.#end = Math.max(start, this.#end)
      // What cannot be read does not expire: other rules will take it.
      this.#wakeAt = Number.POSITIVE_INFINITY
      this.#wakeAt = await this.#advance(upTo, now)
    } finally {
      this.#busy = false
    }
  }

  /** Gives when it is worth to go on. */
  async #advance(upTo: number, now: number): Promise<number> {
    while (this.#end < upTo) {
      const pieces = await this.#store.read(this.#end, bytesPerTurn, upTo)
      // Nothing but a gap is left.
      if (pieces.length === 0) this.#end = upTo
      for (const bytes of pieces) {
        for (const batch of iterateBatches(bytes)) {
          const last = await lastExpiry(bytes, batch)
          if (last > now) return last
          this.#end = batch.lastOffset + 1
        }
      }
      await new Promise<void>(resolve => this.#timers.soon(resolve))
    }
    return 0
  }
}

/** When all records of a batch will have expired. Markers of transactions and empty batches keep nothing. */
async function lastExpiry(bytes: Uint8Array, { position }: FoundBatch): Promise<number> {
  const bits = attributes(bytes, position)
  if ((bits & controlBit) !== 0) return 0
  const codec = bits & compressionBits
  if (!compressionReady(codec)) await loadCompression(codec)
  let last = 0
  for (const record of readRecords(bytes, position)) {
    last = Math.max(last, expiresAt(record))
    if (last === Number.POSITIVE_INFINITY) return last
  }
  return last
}
