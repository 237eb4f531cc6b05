import { errorName } from '../protocol/errors.ts'
import { asStorageError } from '../store/disk-error.ts'
import { RottenLog } from '../store/rotten-log.ts'
import type { Partition } from './partition.ts'
import { isCountedOn } from './role.ts'

/** What a source says about one partition (a Fetch response's part). */
export interface FetchedPartition {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  /** An offset of −1 means that the logs do not part. */
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: number }
  readonly records: Uint8Array | null
}

/**
 * - `nothing`: nothing to wait for.
 * - `appended`: the next Fetch must wait until our copy is flushed.
 * - `busy`: the log is being cut; `ready` is called when that is durable.
 * - `again`: something is wrong that may pass: try later.
 * - `over`: this term is over, or we are the leader: whoever follows metadata will tell.
 */
export type Received = 'nothing' | 'appended' | 'busy' | 'again' | 'over'

export interface FollowingEvents {
  /** The log was cut, and that is durable: the next Fetch may ask from its end. */
  ready(): void
  /** The log could not be cut: later. */
  again(following: Following): void
  /** What is worth a line in the log. */
  warn(message: string, fields: Record<string, unknown>): void
  /** Wall clock, ms. */
  now(): number
}

/** One partition that we copy from another replica, for one leader epoch. A new epoch makes a new object. */
export class Following {
  readonly partition: Partition
  readonly leaderEpoch: number
  /** The node that we copy from. */
  readonly source: number
  /** In the source's session; what it was told last. */
  inSession = false
  sentOffset = -1
  sentStart = -1
  /** What the Fetch before asked for: its answer may still come. */
  sentOffsetBefore = -1
  /** Number of the Fetch that changed `sentOffset`, and of the first that named us. */
  sentAt = 0
  namedAt = 0
  state: 'ready' | 'busy' | 'resting' = 'ready'
  /** In a row. */
  failures = 0

  constructor(partition: Partition, leaderEpoch: number, source: number) {
    this.partition = partition
    this.leaderEpoch = leaderEpoch
    this.source = source
  }

  /** What the Fetch with this number asked for; −1: it did not name us. */
  askedIn(fetch: number): number {
    if (fetch < this.namedAt) return -1
    return fetch >= this.sentAt ? this.sentOffset : this.sentOffsetBefore
  }

  /**
   * `asked`: the offset that this answers. An answer to what we do not want any more is passed over: only in the same
   * term, and where our log ends, may anything be appended.
   */
  receive(answer: FetchedPartition, asked: number, events: FollowingEvents): Received {
    const { partition, leaderEpoch } = this
    const { log } = partition
    if (this.state !== 'ready') return 'nothing'
    if (partition.damagedAt !== null) return this.#beyondDamage(partition.damagedAt, answer, asked, events)
    try {
      if (asked !== log.logEndOffset) return this.#passedOver(answer, asked)
      if (answer.errorCode !== 0) return this.#refused(answer, events)
      const { divergingEpoch, records, highWatermark, logStartOffset } = answer
      if (divergingEpoch.endOffset >= 0) return this.#cut(divergingEpoch, logStartOffset, events)
      // In a chain: the one before us does not know yet whether its own log is right.
      if (highWatermark < 0) return 'nothing'
      this.failures = 0
      const appended = records !== null && records.length > 0
      if (appended) partition.appendFetched(records, leaderEpoch, events.now())
      partition.learnCommitted(leaderEpoch, highWatermark, logStartOffset)
      return appended ? 'appended' : 'nothing'
    } catch (error) {
      return this.failed(error, 'what was fetched could not be appended', events)
    }
  }

  /** What a disk refuses one partition must not end the others', nor the process. Throws bugs. */
  failed(error: unknown, what: string, events: FollowingEvents): 'over' | 'again' {
    const { errorName, message } = asStorageError(error)
    if (errorName === 'NOT_LEADER_OR_FOLLOWER') return 'over'
    if (error instanceof RottenLog) this.partition.foundRotten(error.offset)
    this.#warn(what, events, { error: message })
    return 'again'
  }

  /**
   * Of two Fetches that were under way the later one may ask for what the earlier one has brought. That something is committed
   * the source says but once, so it counts all the same.
   */
  #passedOver(
    { errorCode, divergingEpoch, highWatermark, logStartOffset }: FetchedPartition,
    asked: number,
  ): 'nothing' {
    const { partition, leaderEpoch } = this
    const agrees = errorCode === 0 && divergingEpoch.endOffset < 0 && highWatermark >= 0
    if (agrees && asked >= 0 && asked < partition.log.logEndOffset && partition.isVerified)
      partition.learnCommitted(leaderEpoch, highWatermark, logStartOffset)
    return 'nothing'
  }

  /** Where the next Fetch goes on. With a damaged copy it says so, until nobody counts on us any more: then we begin anew there. */
  get position(): number {
    const { damagedAt, log } = this.partition
    return damagedAt === null ? log.logEndOffset : Math.max(damagedAt, log.logStartOffset)
  }

  /**
   * The damaged part of our copy is dropped, if nobody counts on us; `ready` is called when that is durable. Not before: as a
   * leader we would write on where it was, and it would be gone for all.
   */
  heal(events: FollowingEvents): boolean {
    const { partition } = this
    if (partition.damagedAt === null || isCountedOn(partition.role, partition.node)) return false
    this.#drop(partition.damagedAt, events)
    return true
  }

  /** Nobody counts on what was never committed. */
  #beyondDamage(damagedAt: number, answer: FetchedPartition, asked: number, events: FollowingEvents): Received {
    const { errorCode, divergingEpoch, highWatermark } = answer
    const uncommitted = divergingEpoch.endOffset >= 0 || (highWatermark >= 0 && highWatermark <= damagedAt)
    const { isr } = this.partition.role
    if (errorCode !== 0 || asked !== this.position || !uncommitted || isr.includes(this.partition.node)) return 'again'
    return this.#drop(damagedAt, events)
  }

  #drop(damagedAt: number, events: FollowingEvents): Received {
    this.#warn('what is damaged here is copied anew', events, { from: damagedAt })
    return this.#whenDone(this.partition.dropDamaged(this.leaderEpoch), events)
  }

  #refused({ errorCode, logStartOffset }: FetchedPartition, events: FollowingEvents): Received {
    const { log } = this.partition
    // Everything that we have was let go there, or we have nothing at all.
    const empty = log.logEndOffset === log.logStartOffset
    if (
      errorName(errorCode) === 'OFFSET_OUT_OF_RANGE' &&
      logStartOffset >= 0 &&
      (log.logEndOffset < logStartOffset || empty)
    ) {
      return this.#beginAnew(logStartOffset, events)
    }
    return 'again'
  }

  #beginAnew(offset: number, events: FollowingEvents): Received {
    this.#warn('the leader has nothing of what is here: the copy begins anew', events, { offset })
    return this.#whenDone(this.partition.restartAt(this.leaderEpoch, offset), events)
  }

  /** `start`: where the source's log begins. */
  #cut(divergence: { epoch: number; endOffset: number }, start: number, events: FollowingEvents): Received {
    const { partition, leaderEpoch } = this
    const { log } = partition
    const empty = log.logStartOffset === log.logEndOffset
    if (empty && start >= 0 && divergence.endOffset < log.logEndOffset) return this.#beginAnew(start, events)
    // Nothing would go, and the next Fetch would hear the same.
    if (partition.partsAt(divergence) >= log.logEndOffset && log.startOfEpoch(log.latestEpoch) < log.logEndOffset) {
      this.#warn('the source says that the logs part beyond the end of this one', events, { ...divergence })
      return 'again'
    }
    const before = { end: log.logEndOffset, highWatermark: partition.highWatermark }
    const cut = partition.truncateTo(leaderEpoch, divergence).then(to => {
      const fields = { from: before.end, to, highWatermark: before.highWatermark }
      if (to < before.highWatermark) this.#warn('records that were committed are cut off', events, fields)
      else if (to < before.end) this.#warn('the log parts from its leader’s: its end is cut off', events, fields)
    })
    return this.#whenDone(cut, events)
  }

  #whenDone(done: Promise<unknown>, events: FollowingEvents): Received {
    this.state = 'busy'
    done.then(
      () => {
        this.state = 'ready'
        events.ready()
      },
      error => {
        this.#warn('the log could not be cut', events, { error: String(error) })
        events.again(this)
      },
    )
    return 'busy'
  }

  #warn(message: string, events: FollowingEvents, fields: Record<string, unknown>): void {
    const { topic, index, leaderEpoch } = this.partition
    events.warn(message, { topic, partition: index, leaderEpoch, source: this.source, ...fields })
  }
}
