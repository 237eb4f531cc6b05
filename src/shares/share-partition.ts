import type { LookedRecord, RecordState, Run, ShareFacts } from './facts.ts'

/** A record that was handed out and is not finished. */
export interface Unfinished {
  readonly state: Exclude<RecordState, 'finished'>
  readonly deliveryCount: number
  readonly lease: number
  readonly lockMs: number
  readonly until: number
  readonly why: string
}

/**
 * How far one group is in one partition of a topic (KIP-932's share-partition). Only what is unfinished has an entry: all
 * other records below `end` are finished, those from `end` on were never handed out. So the memory that it takes depends on
 * the records in flight, however far the slowest of them is behind.
 */
export class SharePartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** In order of offsets. */
  readonly unfinished = new Map<number, Unfinished>()
  /** Available now, in the order in which they became so. */
  readonly ready = new Set<number>()
  /** Available later. */
  readonly resting = new Set<number>()
  /** Leases that were finished lately, by offset: whoever finished one may ask again. */
  readonly #finished = new Map<number, number>()
  readonly #remembered: number
  #end = 0
  #acquired = 0
  #dying = 0
  /** No lease and no rest ends before. */
  #nextLook = Number.POSITIVE_INFINITY

  constructor(topic: string, topicId: string, partition: number, remembered: number) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.#remembered = remembered
  }

  /** The first offset that is not finished. */
  get start(): number {
    for (const offset of this.unfinished.keys()) return offset
    return this.#end
  }

  /** The first offset that was never handed out. */
  get end(): number {
    return this.#end
  }

  get acquired(): number {
    return this.#acquired
  }

  get dying(): number {
    return this.#dying
  }

  /** ms since 1970; infinite: nothing will ever be due. */
  get nextLook(): number {
    return this.#nextLook
  }

  /** Whether this very lease finished the record: then to finish it again is no news. */
  wasFinishedBy(offset: number, lease: number): boolean {
    return this.#finished.get(offset) === lease
  }

  /** `timestamp`: of the record, ms. */
  apply(facts: ShareFacts, timestamp: number): void {
    if (facts.startOffset !== null) this.#startAnew(facts.startOffset)
    for (const run of facts.runs) {
      if (run.state === 'finished') this.#finish(run)
      else for (let offset = run.firstOffset; offset <= run.lastOffset; offset++) this.#set(offset, run, timestamp)
      this.#end = Math.max(this.#end, run.lastOffset + 1)
    }
  }

  #startAnew(offset: number): void {
    this.unfinished.clear()
    this.ready.clear()
    this.resting.clear()
    this.#finished.clear()
    this.#end = offset
    this.#acquired = 0
    this.#dying = 0
    this.#nextLook = Number.POSITIVE_INFINITY
  }

  #set(offset: number, run: Run, timestamp: number): void {
    this.#leave(offset)
    const { state, deliveryCount, lockMs, until, why } = run
    if (state === 'finished') return
    const lease = run.lease === 0 ? 0 : run.lease + offset - run.firstOffset
    this.unfinished.set(offset, { state, deliveryCount, lease, lockMs, until, why })
    if (state === 'acquired') this.#acquired++
    else if (state === 'dying') this.#dying++
    else if (until > timestamp) this.resting.add(offset)
    else this.ready.add(offset)
    if (state === 'acquired' || (state === 'available' && until > timestamp))
      this.#nextLook = Math.min(this.#nextLook, until)
  }

  /** Takes an offset out of everything but its place in the order. */
  #leave(offset: number): void {
    const state = this.unfinished.get(offset)?.state
    if (state === 'acquired') this.#acquired--
    else if (state === 'dying') this.#dying--
    else if (state === 'available' && !this.ready.delete(offset)) this.resting.delete(offset)
  }

  /** A run may be as long as the log: where records were deleted, or never were. */
  #finish({ firstOffset, lastOffset, lease }: Run): void {
    if (lastOffset - firstOffset < this.unfinished.size) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) this.#finishOne(offset)
    } else {
      for (const offset of [...this.unfinished.keys()])
        if (offset >= firstOffset && offset <= lastOffset) this.#finishOne(offset)
    }
    if (lease === 0) return
    for (let offset = firstOffset; offset <= lastOffset; offset++) {
      this.#finished.delete(offset)
      this.#finished.set(offset, lease + offset - firstOffset)
    }
    for (const offset of this.#finished.keys()) {
      if (this.#finished.size <= this.#remembered) break
      this.#finished.delete(offset)
    }
  }

  #finishOne(offset: number): void {
    this.#leave(offset)
    this.unfinished.delete(offset)
  }

  looked({ rested, next }: LookedRecord): void {
    for (const offset of rested) if (this.resting.delete(offset)) this.ready.add(offset)
    this.#nextLook = next
  }

  /** Each lease begins again at `ms`. */
  renewAll(ms: number): void {
    this.#nextLook = Number.POSITIVE_INFINITY
    for (const [offset, entry] of this.unfinished) {
      const { state, lockMs } = entry
      const until = state === 'acquired' ? ms + lockMs : entry.until
      if (state === 'acquired') this.unfinished.set(offset, { ...entry, until })
      if (state === 'acquired' || this.resting.has(offset)) this.#nextLook = Math.min(this.#nextLook, until)
    }
  }

  /** All of it, as one fact. */
  facts(): ShareFacts {
    const runs: Run[] = []
    let next = this.start
    for (const [offset, entry] of this.unfinished) {
      if (offset > next) runs.push(finishedRun(next, offset - 1))
      appendRun(runs, { firstOffset: offset, lastOffset: offset, ...entry })
      next = offset + 1
    }
    if (next < this.#end) runs.push(finishedRun(next, this.#end - 1))
    return { topic: this.topic, startOffset: this.start, runs }
  }
}

export function finishedRun(firstOffset: number, lastOffset: number, lease = 0): Run {
  return { firstOffset, lastOffset, state: 'finished', deliveryCount: 0, lease, lockMs: 0, until: 0, why: '' }
}

/** Adds a run, or makes the last one longer where the two are of one kind. */
export function appendRun(runs: Run[], run: Run): void {
  const last = runs.at(-1)
  if (last === undefined || !follows(last, run)) runs.push(run)
  else runs[runs.length - 1] = { ...last, lastOffset: run.lastOffset }
}

function follows(last: Run, run: Run): boolean {
  const length = last.lastOffset - last.firstOffset + 1
  return (
    run.firstOffset === last.lastOffset + 1 &&
    run.state === last.state &&
    run.deliveryCount === last.deliveryCount &&
    (last.lease === 0 ? run.lease === 0 : run.lease === last.lease + length) &&
    run.lockMs === last.lockMs &&
    run.until === last.until &&
    run.why === last.why
  )
}
