import { isFull } from '../store/disk-full.ts'
import type { Store } from '../store/store.ts'
import type { Logger } from '../world/logger.ts'
import { LeaderEpochs } from './leader-epochs.ts'

/** The file, beside the segments. */
export const epochCheckpointName = 'leader-epoch-checkpoint'

export interface EpochCheckpointHost {
  logStartOffset(): number
  /** `unsavedFrom` has grown. */
  saved(): void
  /** The file cannot be kept: stable storage can no longer be promised. */
  failed(error: Error): void
  /** Once, after a while. */
  later(run: () => void): void
}

/**
 * The leader epochs of one log and their file. Read when first asked for, so that opening a log costs nothing; written after
 * each change, one write at a time. Until the file is durable nothing of a new epoch counts as durable: see `unsavedFrom`.
 */
export class EpochCheckpoint {
  readonly #store: Store
  readonly #host: EpochCheckpointHost
  readonly #logger: Logger
  readonly #clean: boolean
  #epochs: LeaderEpochs | null = null
  #unsavedFrom = Number.POSITIVE_INFINITY
  #dirty = false
  #writing: Promise<void> | null = null

  constructor(store: Store, clean: boolean, host: EpochCheckpointHost, logger: Logger) {
    this.#store = store
    this.#clean = clean
    this.#host = host
    this.#logger = logger
  }

  get epochs(): LeaderEpochs {
    if (this.#epochs !== null) return this.#epochs
    const { epochs, changed } = this.#load()
    this.#epochs = epochs
    if (changed) this.#save()
    return epochs
  }

  /** Start of the first epoch that a crash could still make us forget; infinite when there is none. */
  get unsavedFrom(): number {
    return this.#unsavedFrom
  }

  /** Notes that `epoch` writes at `startOffset`. */
  assign(epoch: number, startOffset: number): void {
    if (!this.epochs.assign(epoch, startOffset)) return
    this.#unsavedFrom = Math.min(this.#unsavedFrom, startOffset)
    this.#save()
  }

  truncateFromEnd(endOffset: number): void {
    if (this.epochs.truncateFromEnd(endOffset)) this.#save()
  }

  truncateFromStart(startOffset: number): void {
    if (this.epochs.truncateFromStart(startOffset)) this.#save()
  }

  clear(): void {
    this.epochs.clear()
    this.#save()
  }

  /** At the end of an orderly stop: the file agrees with the log, so that the next start can trust it unseen. */
  async close(): Promise<void> {
    if (!this.#clean) void this.epochs
    await this.settled()
  }

  /** Fulfilled when no write is under way. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  #save(): void {
    this.#dirty = true
    if (this.#writing !== null) return
    this.#writing = this.#write().finally(() => {
      this.#writing = null
      if (this.#dirty) this.#save()
    })
  }

  async #write(): Promise<void> {
    try {
      while (this.#dirty) {
        this.#dirty = false
        await this.#store.put(epochCheckpointName, new TextEncoder().encode(this.epochs.toText()))
      }
      this.#unsavedFrom = Number.POSITIVE_INFINITY
      this.#host.saved()
    } catch (error) {
      if (isFull(error)) this.#host.later(() => this.#save())
      else this.#host.failed(error as Error)
    }
  }

  /**
   * After a crash the file may name epochs whose batches are gone, or miss one whose first batch is there: it is made to
   * agree with the log.
   */
  #load(): { epochs: LeaderEpochs; changed: boolean } {
    const bytes = this.#store.get(epochCheckpointName)
    const read = bytes === null ? new LeaderEpochs() : LeaderEpochs.fromText(new TextDecoder().decode(bytes))
    let epochs = read ?? new LeaderEpochs()
    if (read === null) this.#logger.warn('The leader epoch checkpoint is unreadable; it is rebuilt from the log')
    const { startOffset, endOffset, damage } = this.#store
    // An epoch in which nothing was written begins at the end; one beyond it says that the log was longer.
    const lost = epochs.latestStart > endOffset
    if (this.#clean && read !== null && !lost) return { epochs, changed: false }
    // Of a log that was let go to its end the last epoch is still known, and asked for by those who remember it.
    let changed = epochs.truncateFromEnd(startOffset === endOffset ? endOffset + 1 : endOffset)
    // Of no file at all the last batch proves nothing: behind rot none is found.
    const behind = startOffset < endOffset && (read === null || this.#lastBatchEpoch() !== epochs.latestEpoch)
    if (damage === null && behind) {
      for (const batch of this.#store.scan(Math.max(startOffset, epochs.latestStart))) {
        if (batch.leaderEpoch >= 0) changed = epochs.assign(batch.leaderEpoch, batch.baseOffset) || changed
      }
    }
    const start = this.#host.logStartOffset()
    if (damage === null && epochs.size > 0 && epochs.epochFor(start) < 0) {
      epochs = this.#withFormer(epochs, start)
      changed = true
    }
    changed = epochs.truncateFromStart(start) || changed
    return { epochs, changed }
  }

  /** The log begins where it began before: a crash has forgotten that its head was let go, and the file has not. */
  #withFormer(known: LeaderEpochs, start: number): LeaderEpochs {
    const epochs = new LeaderEpochs()
    for (const batch of this.#store.scan(start)) {
      if (known.epochFor(batch.baseOffset) >= 0) break
      if (batch.leaderEpoch >= 0) epochs.assign(batch.leaderEpoch, batch.baseOffset)
    }
    for (const [epoch, from] of known.entries()) epochs.assign(epoch, from)
    return epochs
  }

  #lastBatchEpoch(): number {
    let epoch = -1
    for (const batch of this.#store.scan(this.#store.endOffset - 1)) epoch = batch.leaderEpoch
    return epoch
  }
}
