import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import type { RaftIo, RaftLog, VotersAt } from './types.ts'
import { VoterHistory } from './voters.ts'

export interface CopyOptions {
  readonly log: RaftLog
  /** In the order of the log; never empty. */
  readonly voters: readonly VotersAt[]
  /** Everything below is on stable storage. */
  readonly flushed: number
  /** Everything below is known to be committed. */
  readonly committed: number
}

type CopyIo = Pick<RaftIo<never>, 'truncate' | 'committed' | 'broken'>

/** Our copy of the log: how much of it is safe, how much is committed, and who votes by what stands in it. */
export class Copy {
  readonly log: RaftLog
  readonly voters: VoterHistory
  readonly #io: CopyIo
  #flushed: number
  #highWatermark: number
  /** The most that a leader has said to be committed. */
  #told = 0
  /** Below it our log is known to be the same as that of the leader whom we follow. */
  #matched = 0
  /** Counts truncations: a sync that began before one proves nothing about bytes written after it. */
  #generation = 0
  #truncating = false
  #installing = false

  constructor({ log, voters: [base, ...changes], flushed, committed }: CopyOptions, io: CopyIo) {
    this.log = log
    this.#io = io
    this.voters = new VoterHistory(base!)
    for (const change of changes) this.voters.append(change)
    this.#flushed = flushed
    this.#highWatermark = committed
  }

  get flushed(): number {
    return this.#flushed
  }

  get highWatermark(): number {
    return this.#highWatermark
  }

  get generation(): number {
    return this.#generation
  }

  /** All that there is is on stable storage, and nothing is being exchanged. */
  get settled(): boolean {
    return !this.#truncating && !this.#installing && this.#flushed >= this.log.endOffset
  }

  /** Leader epoch of the last record below what is safe. */
  get flushedEpoch(): number {
    let { epoch } = this.log.endOffsetFor(this.log.lastEpoch)
    while (epoch > 0) {
      const before = this.log.endOffsetFor(epoch - 1)
      if (before.endOffset < this.#flushed || before.epoch >= epoch) break
      epoch = before.epoch
    }
    return epoch
  }

  /** True when it was news. */
  flushedTo(offset: number, generation: number): boolean {
    if (generation !== this.#generation) return false
    this.#flushed = Math.max(this.#flushed, Math.min(offset, this.log.endOffset))
    return true
  }

  /** Never goes back. True when it was news. */
  commit(offset: number): boolean {
    if (offset <= this.#highWatermark) return false
    this.#highWatermark = offset
    // What others have committed without us may still be dropped here: the disk is full.
    this.voters.forgetBefore(Math.min(offset, this.#flushed))
    this.#io.committed(offset)
    return true
  }

  /** Another leader: what we have may not be what it has. */
  unmatched(): void {
    this.#matched = 0
  }

  /** The leader has seen that our log below `offset` is the same as its own. */
  matches(offset: number): void {
    this.#matched = Math.max(this.#matched, offset)
  }

  /** A leader says that everything below is committed. */
  told(highWatermark: number): void {
    this.#told = Math.max(this.#told, highWatermark)
  }

  /** Commits what we were told, as far as it is the same here, and safe. */
  commitTold(): void {
    this.commit(Math.min(this.#told, this.#matched, this.#flushed))
  }

  /** Our end contradicts the leader's log: it goes. False: there was nothing to drop. */
  cut({ epoch, endOffset }: { readonly epoch: number; readonly endOffset: number }): boolean {
    const to = Math.max(this.log.startOffset, Math.min(endOffset, this.log.endOffsetFor(epoch).endOffset))
    if (to >= this.log.endOffset) return false
    if (to < this.#highWatermark) {
      this.#io.broken(`the leader's log contradicts ours at offset ${to}, below ${this.#highWatermark}`)
      return false
    }
    this.dropped(to)
    this.#truncating = true
    this.#io.truncate(to, this.#generation)
    return true
  }

  /** What lies at and above `from` is gone. */
  dropped(from: number): void {
    this.#generation++
    this.#flushed = Math.min(this.#flushed, from)
    this.#matched = Math.min(this.#matched, from)
    // A leader may have called committed what others had safely, and lost it to a full disk itself: as after a start.
    this.#highWatermark = Math.min(this.#highWatermark, from)
    this.voters.truncate(from)
  }

  truncated(generation: number): void {
    if (generation === this.#generation) this.#truncating = false
  }

  install(): void {
    this.#installing = true
  }

  notInstalled(): void {
    this.#installing = false
  }

  /** The log begins behind this snapshot now. */
  installed(id: SnapshotId, voters: readonly Voter[]): void {
    this.#installing = false
    this.#generation++
    this.#flushed = id.endOffset
    this.#matched = id.endOffset
    this.voters.reset({ offset: id.endOffset - 1, voters })
    this.#highWatermark = Math.max(this.#highWatermark, id.endOffset)
  }
}
