import type { Log } from '../log/log.ts'
import { KafkaError } from '../protocol/errors.ts'
import { firstRotten, Soundness } from './rot.ts'

/** What of our copy is not what was written, or is gone (bit rot, a truncated file), as far as somebody has come upon it. */
export class Damage {
  readonly #log: Log
  readonly #sound: Soundness
  /** What was read from here on was damaged. */
  #rotAt: number | null = null

  constructor(log: Log) {
    this.#log = log
    this.#sound = new Soundness(log.logEndOffset)
  }

  /** Offset from which it is; null: our copy is whole. */
  get at(): number | null {
    const { damage } = this.#log
    if (damage === null) return this.#rotAt
    return this.#rotAt === null ? damage.offset : Math.min(damage.offset, this.#rotAt)
  }

  found(offset: number): void {
    this.#rotAt = Math.min(this.#rotAt ?? offset, offset)
  }

  /** What a consumer gets from the disk. `alone`: there is no other copy, so its reader may judge: his CRC tells him, too. */
  forConsumer(read: Promise<Uint8Array[]>, from: number, alone: boolean): Promise<Uint8Array[]> {
    if (alone || this.#sound.isOwn(from)) return read
    return read.then(views => mustBeWhole(views, this.#sound.firstRotten(views)))
  }

  /** What comes from the disk becomes another copy, and perhaps the only one: it must be what was written. */
  forReplica(read: Promise<Uint8Array[]>): Promise<Uint8Array[]> {
    return read.then(views => mustBeWhole(views, firstRotten(views)))
  }

  /** The log ends at `to`: what comes then is written by this process. */
  cut(to: number): void {
    this.#sound.cut(to)
  }

  /** All that was damaged is gone, and comes anew. */
  dropped(): void {
    this.#rotAt = null
  }
}

/** Throws CORRUPT_MESSAGE where one of the batches is not what was written. */
function mustBeWhole(views: Uint8Array[], rotten: number): Uint8Array[] {
  if (rotten >= 0) throw new KafkaError('CORRUPT_MESSAGE', `a batch at offset ${rotten} or above is damaged`)
  return views
}
