import { expiresAfterHeader, expiresAtHeader } from '../protocol/batches/expiry.ts'
import type { RecordHeader } from '../protocol/batches/records.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { ShareConfig } from './config.ts'
import type { SharePartition, Unfinished } from './share-partition.ts'
import type { ShareTerm } from './share-term.ts'

export interface DeadRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** How dead letters leave. */
export interface DeadLetterPort {
  /** Null: it is not there any more. Rejects when that cannot be told now. */
  read(topic: string, partition: number, offset: number): Promise<DeadRecord | null>
  /** Fulfilled when it is safe; makes the dead-letter topic when it is not there. It comes `from` a partition of `like`. */
  write(topic: string, like: string, from: number, record: DeadRecord): Promise<void>
}

export interface DeadLettersOptions {
  readonly port: DeadLetterPort
  readonly config: ShareConfig
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

/** Of one partition, written side by side. */
const atOnce = 100
/** ms after a failure, doubled with each further one, within these. */
const firstPauseMs = 500
const lastPauseMs = 30_000

interface Burial {
  readonly term: ShareTerm
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

const keyOf = ({ groupId, topicId, partition }: Burial): string => `${topicId} ${partition} ${groupId}`

/**
 * Brings records that nobody could do anything with to their dead-letter topic, then tells the machine. Who is deposed
 * between the two leaves it to his successor, so a dead letter may come twice, and is never lost.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #burials = new Map<string, Burial>()
  #working = false
  #pauses = 0
  #pause: Timer | null = null
  /** Since the node was started. */
  written = 0
  failures = 0

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** There is something to do. Called in the midst of changes, also of those that are only read: notes it, no more. */
  note(term: ShareTerm, groupId: string, { topicId, partition }: SharePartition): void {
    const burial = { term, groupId, topicId, partition }
    this.#burials.set(keyOf(burial), burial)
    if (term.leading) this.#workSoon()
  }

  /** The term leads: what was noted while its log was read can be done. */
  begin(term: ShareTerm): void {
    if (term.leading && this.#burials.size > 0) this.#workSoon()
  }

  end(term: ShareTerm): void {
    for (const [key, burial] of this.#burials) if (burial.term === term) this.#burials.delete(key)
  }

  #workSoon(): void {
    if (this.#working || this.#pause !== null) return
    this.#working = true
    this.#options.timers.soon(() => void this.#work())
  }

  async #work(): Promise<void> {
    const failed: Burial[] = []
    try {
      for (const [key, burial] of this.#burials) {
        if (!burial.term.leading) continue
        this.#burials.delete(key)
        try {
          await this.#bury(burial)
        } catch (error) {
          if (failed.length === 0) this.#failed(burial, error)
          failed.push(burial)
        }
      }
    } finally {
      this.#working = false
    }
    if (failed.length === 0) this.#pauses = 0
    for (const burial of failed) if (burial.term.leading) this.#burials.set(keyOf(burial), burial)
    if ([...this.#burials.values()].some(({ term }) => term.leading)) this.#workSoon()
  }

  #failed({ groupId, topicId }: Burial, error: unknown): void {
    const { timers, logger } = this.#options
    this.failures++
    const afterMs = Math.min(lastPauseMs, firstPauseMs * 2 ** Math.min(10, this.#pauses++))
    logger.warn('dead letters cannot be written; tried again', {
      group: groupId,
      topicId,
      afterMs,
      error: String(error),
    })
    this.#pause = timers.after(afterMs, () => {
      this.#pause = null
      if (this.#burials.size > 0) this.#workSoon()
    })
  }

  async #bury(burial: Burial): Promise<void> {
    const { term, groupId, topicId, partition } = burial
    // Answered when all that was decided is safe: a death that is not may be forgotten again.
    await term.ask<'Describe'>({ type: 'Describe', groups: [] })
    const share = term.state.find(groupId, topicId, partition)
    if (share === undefined || share.dying === 0) return
    const dying: [number, Unfinished][] = []
    for (const [offset, entry] of share.unfinished) {
      if (entry.state === 'dying') dying.push([offset, entry])
      if (dying.length === atOnce) break
    }
    await Promise.all(dying.map(([offset, entry]) => this.#write(share, groupId, offset, entry)))
    if (!term.leading) return
    await term.ask<'Bury'>({ type: 'Bury', groupId, topicId, partition, offsets: dying.map(([offset]) => offset) })
    if (share.dying > 0 && term.leading) this.note(term, groupId, share)
  }

  async #write(share: SharePartition, groupId: string, offset: number, entry: Unfinished): Promise<void> {
    const { port, config } = this.#options
    const { topic, partition } = share
    if (config.deadLetterTopic === null) return
    const record = await port.read(topic, partition, offset)
    if (record === null) return
    const { key, value } = record
    // A dead letter shall not expire as what it was once.
    const kept = record.headers.filter(header => header.key !== expiresAfterHeader && header.key !== expiresAtHeader)
    const headers = [...kept, ...deadLetterHeaders({ topic, partition, offset, groupId, ...entry })]
    const to = deadLetterTopicOf(config.deadLetterTopic, topic)
    try {
      await port.write(to, topic, partition, { key, value, headers })
    } catch (error) {
      if (!(error instanceof KafkaError) || error.errorName !== 'MESSAGE_TOO_LARGE') throw error
      // With its headers it is too large. They say where to find it.
      await port.write(to, topic, partition, { key: null, value: null, headers })
    }
    this.written++
  }
}

/** What Kafka allows as the length of a name. */
const longestName = 249

/** `<topic>` in the setting stands for the topic's name, or as much of it as there is room for. */
export function deadLetterTopicOf(pattern: string, topic: string): string {
  const places = pattern.split('<topic>').length - 1
  const room = longestName - (pattern.length - places * '<topic>'.length)
  return pattern.replaceAll('<topic>', topic.slice(0, Math.floor(Math.max(0, room) / Math.max(1, places))))
}

/** From where, how often, why: the names are those of Kafka's dead-letter queues for share groups (KIP-1191). */
export function deadLetterHeaders(letter: {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly groupId: string
  readonly deliveryCount: number
  readonly why: string
}): RecordHeader[] {
  const header = (name: string, value: string | number): RecordHeader => ({
    key: `__dlq.errors.${name}`,
    value: Buffer.from(String(value)),
  })
  return [
    header('topic', letter.topic),
    header('partition', letter.partition),
    header('offset', letter.offset),
    header('group', letter.groupId),
    header('delivery.count', letter.deliveryCount),
    header('message', letter.why),
  ]
}
