import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { Begin, Grant, Granted, SettleItem } from './commands.ts'
import type { SkippedRange } from './coordinator.ts'
import type { Shares } from './shares.ts'

export interface PullRequest {
  readonly groupId: string
  readonly topic: string
  readonly begin: Begin
  readonly max: number
  /** ms until it is answered with nothing. */
  readonly waitMs: number
  /** ms; −1: as long as is usual. */
  readonly lockMs: number
  /** Aborted when the worker has gone. */
  readonly signal: AbortSignal | null
}

export interface LeaseDeskOptions {
  readonly shares: Pick<Shares, 'acquire' | 'settle'>
  readonly clock: Clock
  readonly timers: Timers
  /** Pulls under way at this door; more are refused with THROTTLING_QUOTA_EXCEEDED. Default 20,000. */
  readonly maxPulls?: number
  /** Settlements under way at this door. Default 100,000. */
  readonly maxSettlements?: number
}

/** Pulls that one question to the coordinator speaks for, and settlements. */
const mostPulls = 500
const mostItems = 2000
/** ms: a wait that is begun anew in between changes nothing. */
const longestWaitMs = 30_000

interface Pull {
  readonly request: PullRequest
  /** Monotonic ms. */
  readonly until: number
  settle: ((grant: LeaseGrant | null, error?: unknown) => void) | null
}

interface Queue {
  readonly groupId: string
  readonly topic: string
  readonly begin: Begin
  /** Not asked for yet. */
  fresh: Pull[]
  /** There was nothing for them. */
  waiting: Pull[]
  asking: boolean
  parked: boolean
}

interface Settling {
  readonly item: SettleItem
  readonly resolve: (result: ErrorName) => void
  readonly reject: (error: unknown) => void
}

interface SettleQueue {
  readonly groupId: string
  readonly topic: string
  items: Settling[]
  asking: boolean
}

/** Leases for somebody who asked, on records of the topic that has the name now. */
export interface LeaseGrant extends Grant {
  readonly topicId: string
}

const nothing: LeaseGrant = { topicId: '', lockMs: 0, records: [] }

/**
 * What a door asks for all its workers: those who come while a question to the coordinator is under way share the next one,
 * so the busier the door, the fewer questions, and facts in the log, for each record.
 */
export class LeaseDesk {
  readonly #options: LeaseDeskOptions
  readonly #queues = new Map<string, Queue>()
  readonly #settleQueues = new Map<string, SettleQueue>()
  #pulls = 0
  #settlements = 0

  constructor(options: LeaseDeskOptions) {
    this.#options = options
  }

  /** For metrics. */
  get load(): { readonly pulls: number; readonly settlements: number } {
    return { pulls: this.#pulls, settlements: this.#settlements }
  }

  /** Leases on up to `max` records as soon as there is one; none after `waitMs`. Rejects with KafkaError. */
  pull(request: PullRequest): Promise<LeaseGrant> {
    const { clock, timers, maxPulls = 20_000 } = this.#options
    if (this.#pulls >= maxPulls)
      return Promise.reject(new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'too many pulls wait at this node'))
    this.#pulls++
    return new Promise((resolve, reject) => {
      const { waitMs, signal } = request
      let timer: Timer | null = null
      const settle = (grant: LeaseGrant | null, error?: unknown): void => {
        pull.settle = null
        this.#pulls--
        timer?.cancel()
        signal?.removeEventListener('abort', gone)
        if (grant !== null) resolve(grant)
        else reject(error)
      }
      const gone = (): void => pull.settle?.(nothing)
      const pull: Pull = { request, until: clock.mono() + waitMs, settle }
      if (signal?.aborted) {
        settle(nothing)
        return
      }
      signal?.addEventListener('abort', gone, { once: true })
      const queue = this.#queue(request)
      if (waitMs > 0)
        timer = timers.after(waitMs, () => {
          // Who was not asked for yet is asked for once.
          if (!queue.fresh.includes(pull)) pull.settle?.(nothing)
        })
      queue.fresh.push(pull)
      this.#ask(queue)
    })
  }

  /** NONE, or INVALID_RECORD_STATE when the lease is over. Rejects with KafkaError when nobody can tell. */
  settle(groupId: string, topic: string, item: SettleItem): Promise<ErrorName> {
    if (this.#settlements >= (this.#options.maxSettlements ?? 100_000))
      return Promise.reject(new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'too many settlements wait at this node'))
    this.#settlements++
    return new Promise<ErrorName>((resolve, reject) => {
      const key = `${topic} ${groupId}`
      let queue = this.#settleQueues.get(key)
      if (queue === undefined) {
        queue = { groupId, topic, items: [], asking: false }
        this.#settleQueues.set(key, queue)
      }
      queue.items.push({ item, resolve, reject })
      if (!queue.asking) this.#settleSoon(queue)
    })
  }

  /** There are no records there, in the topic of this id. Rejects with KafkaError. */
  async skip(groupId: string, topic: string, topicId: string, ranges: readonly SkippedRange[]): Promise<void> {
    if (ranges.length === 0) return
    await this.#options.shares.settle({ groupId, topic, items: [], skipped: ranges, skippedOf: topicId })
  }

  #queue({ groupId, topic, begin }: PullRequest): Queue {
    const key = `${begin} ${topic} ${groupId}`
    let queue = this.#queues.get(key)
    if (queue === undefined) {
      queue = { groupId, topic, begin, fresh: [], waiting: [], asking: false, parked: false }
      this.#queues.set(key, queue)
    }
    return queue
  }

  #forgetIdle(queue: Queue): void {
    const { begin, topic, groupId, asking, parked, fresh, waiting } = queue
    if (!asking && !parked && fresh.length === 0 && waiting.length === 0)
      this.#queues.delete(`${begin} ${topic} ${groupId}`)
  }

  #ask(queue: Queue): void {
    if (queue.asking) return
    queue.asking = true
    // Those who come in the same turn go together.
    this.#options.timers.soon(() => void this.#askAll(queue))
  }

  async #askAll(queue: Queue): Promise<void> {
    while (queue.fresh.length > 0) {
      const asked = queue.fresh.splice(0, mostPulls).filter(({ settle }) => settle !== null)
      if (asked.length > 0) await this.#acquire(queue, asked, 0)
      const now = this.#options.clock.mono()
      for (const pull of asked) {
        if (pull.settle === null) continue
        if (pull.until <= now) pull.settle(nothing)
        else queue.waiting.push(pull)
      }
    }
    queue.asking = false
    if (queue.waiting.length > 0 && !queue.parked) void this.#park(queue)
    else this.#forgetIdle(queue)
  }

  /** One question waits for all for whom there was nothing. */
  async #park(queue: Queue): Promise<void> {
    queue.parked = true
    for (;;) {
      queue.waiting = queue.waiting.filter(({ settle }) => settle !== null)
      if (queue.waiting.length === 0) break
      const asked = queue.waiting.slice(0, mostPulls)
      const now = this.#options.clock.mono()
      const left = Math.max(...asked.map(({ until }) => until - now))
      await this.#acquire(queue, asked, Math.min(longestWaitMs, Math.max(1, left)))
    }
    queue.parked = false
    this.#forgetIdle(queue)
  }

  /** Never rejects: who asked is told. */
  async #acquire(queue: Queue, asked: readonly Pull[], waitMs: number): Promise<void> {
    const { groupId, topic, begin } = queue
    const wants = asked.map(({ request: { max, lockMs } }) => ({ max, lockMs }))
    const nobody = waitMs > 0 ? whenAllGone(asked) : null
    try {
      const request = { groupId, topic, begin, wants, waitMs, signal: nobody?.signal ?? null }
      const { topicId, grants } = await this.#options.shares.acquire(request)
      for (const [index, pull] of asked.entries()) {
        const grant = grants[index]
        if (grant === undefined || grant.records.length === 0) continue
        if (pull.settle !== null) pull.settle({ topicId, ...grant })
        else this.#giveBack(queue, grant.records)
      }
    } catch (error) {
      for (const pull of asked) pull.settle?.(null, error)
    } finally {
      nobody?.done()
    }
  }

  /** Who asked has gone meanwhile. */
  #giveBack({ groupId, topic }: Queue, records: readonly Granted[]): void {
    for (const { partition, offset, lease } of records)
      this.settle(groupId, topic, { partition, offset, lease, what: 'return', ms: -1, why: '' }).catch(() => {
        // They come back when the lease ends.
      })
  }

  #settleSoon(queue: SettleQueue): void {
    queue.asking = true
    this.#options.timers.soon(() => void this.#settleAll(queue))
  }

  async #settleAll(queue: SettleQueue): Promise<void> {
    const { groupId, topic } = queue
    while (queue.items.length > 0) {
      const sent = queue.items.splice(0, mostItems)
      try {
        const items = sent.map(({ item }) => item)
        const { results } = await this.#options.shares.settle({ groupId, topic, items, skipped: [], skippedOf: null })
        for (const [index, { resolve }] of sent.entries()) resolve(results[index] ?? 'UNKNOWN_SERVER_ERROR')
      } catch (error) {
        for (const { reject } of sent) reject(error)
      }
      this.#settlements -= sent.length
    }
    queue.asking = false
    this.#settleQueues.delete(`${topic} ${groupId}`)
  }
}

/** Aborted when none of these waits any more. */
function whenAllGone(pulls: readonly Pull[]): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const look = (): void => {
    if (pulls.every(({ settle }) => settle === null)) controller.abort()
  }
  // A pull's own listener runs first: it was there before.
  for (const { request } of pulls) request.signal?.addEventListener('abort', look)
  return {
    signal: controller.signal,
    done: () => {
      for (const { request } of pulls) request.signal?.removeEventListener('abort', look)
    },
  }
}
