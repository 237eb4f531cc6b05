import type { Peers } from '../cluster/peers.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import type { Timers } from '../world/world.ts'

/** A partition that another node leads, and its end as far as we know. */
export interface Watchable {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly end: number
}

export interface LeaderWatchOptions {
  readonly leader: number
  readonly peers: Pick<Peers, 'send'>
  readonly timers: Timers
  /** A log is as long as that now. */
  readonly seen: (watched: Watchable, start: number, end: number) => void
  /** It cannot be told from there: it has to be asked for anew. */
  readonly lost: (watched: Watchable) => void
}

/** ms that the leader holds a question back. */
const waitMs = 500
const requestMs = 2000
/** ms between two questions while there is news: much may come in one answer. */
const paceMs = 5
/** ms after an error. */
const againMs = 200
const readCommitted = 1

/**
 * Hears from the leader of some partitions when they grow: one Fetch for all of them that asks for a single byte, and is
 * answered as soon as there is one. A new question lets the one before it be answered at once, as between replicas.
 */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions
  #watched = new Map<string, Watchable>()
  #turn = 0

  constructor(options: LeaderWatchOptions) {
    this.#options = options
  }

  /** These from now on; their ends as they are known now. */
  watch(wanted: readonly Watchable[]): void {
    const before = this.#watched
    this.#watched = new Map(wanted.map(each => [keyOf(each.topicId, each.partition), each]))
    const news = [...this.#watched].some(([key, { end }]) => before.get(key)?.end !== end)
    if (news) void this.#ask()
  }

  stop(): void {
    this.#watched.clear()
    this.#turn++
  }

  async #ask(): Promise<void> {
    const { leader, peers, timers } = this.#options
    const turn = ++this.#turn
    while (this.#watched.size > 0) {
      let pauseMs = 0
      try {
        const answer = await peers.send(leader, Fetch, this.#request(), {
          lane: 'tails',
          timeoutMs: waitMs + requestMs,
        })
        if (turn !== this.#turn) return
        if (answer.errorCode !== ErrorCode.NONE) pauseMs = againMs
        for (const { topicId, partitions } of answer.responses)
          for (const part of partitions) pauseMs = Math.max(pauseMs, this.#heard(topicId, part))
      } catch {
        if (turn !== this.#turn) return
        pauseMs = againMs
      }
      if (pauseMs > 0) await new Promise<void>(resolve => timers.after(pauseMs, resolve))
      if (turn !== this.#turn) return
    }
  }

  #request() {
    const topics = new Map<string, { topic: string; topicId: string; partitions: ReturnType<typeof partOf>[] }>()
    for (const watched of this.#watched.values()) {
      const { topic, topicId } = watched
      const known = topics.get(topicId)
      if (known === undefined) topics.set(topicId, { topic, topicId, partitions: [partOf(watched)] })
      else known.partitions.push(partOf(watched))
    }
    return { maxWaitMs: waitMs, minBytes: 1, maxBytes: 1, isolationLevel: readCommitted, topics: [...topics.values()] }
  }

  /** Gives the ms to pause before the next question. */
  #heard(topicId: string, part: Part): number {
    const key = keyOf(topicId, part.partitionIndex)
    const watched = this.#watched.get(key)
    if (watched === undefined) return 0
    const { seen, lost } = this.#options
    if (part.errorCode !== ErrorCode.NONE) {
      this.#watched.delete(key)
      lost(watched)
      return againMs
    }
    const end = part.lastStableOffset >= 0 ? part.lastStableOffset : part.highWatermark
    if (end <= watched.end) return 0
    const longer = { ...watched, end }
    this.#watched.set(key, longer)
    seen(longer, part.logStartOffset, end)
    return paceMs
  }
}

interface Part {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
}

const partOf = ({ partition, end }: Watchable) => ({ partition, fetchOffset: end, partitionMaxBytes: 1 })

const keyOf = (topicId: string, partition: number): string => `${topicId} ${partition}`
