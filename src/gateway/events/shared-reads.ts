import type { Cluster } from '../../client/cluster.ts'
import { isPassing } from '../../client/failures.ts'
import { type ReadRecords, readPartition } from '../../client/read-partition.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { Slots } from './slots.ts'

/** What is fetched at once. */
const limits = { maxBytes: 128 * 1024, maxRecords: 1000, isolation: 'read_committed' } as const
/** Pieces under way at one time: each holds a fetched batch in memory. */
const atOnce = 8
/** Readers that may keep a piece in hand while they wait. */
const mostHeld = 16
/** Pieces that are remembered, for how long (ms), and what memory each may hold. */
const mostKept = 16
const keptMs = 1000
const mostKeptBytes = 1024 * 1024

/** Another topic that takes the name has another id, and other records. */
export interface ReadTopic {
  readonly topic: string
  readonly topicId: string
}

/** Clients of the same cluster. */
export interface Readers {
  /** Gives up soon: others wait for it. */
  readonly quick: Cluster
  /** Waits for partitions that cannot be read. */
  readonly patient: Cluster
}

interface Kept {
  readonly piece: Promise<ReadRecords>
  /** Monotonic ms. */
  readonly at: number
}

/**
 * Reads for subscribers who are behind. Few at a time; and since after the end of a node, or of a connection that many came
 * over, many ask for the same, what was read just now is given to all of them.
 */
export class SharedReads {
  readonly #slots = new Slots(atOnce)
  readonly #kept = new Map<string, Kept>()
  /** Partitions that cannot be read at the moment, and when that is over. */
  readonly #lost = new Map<string, Promise<void>>()
  #held = 0
  /** Pieces that were asked for, and those that had to be fetched. */
  asked = 0
  fetched = 0

  /** Committed records of one partition from `offset` on: what is there now. Throws as `readPartition`; see `back`. */
  read(readers: Readers, { topic, topicId }: ReadTopic, partition: number, offset: number): Promise<ReadRecords> {
    this.asked++
    const now = readers.quick.world.clock.mono()
    this.#forgetOld(now)
    const name = `${topicId}-${partition} ${offset}`
    const known = this.#kept.get(name)
    if (known !== undefined) return known.piece
    const piece = this.#slots.run(() => this.#fetch(readers, { topic, topicId }, partition, offset))
    const kept = { piece, at: now }
    this.#kept.set(name, kept)
    const forget = () => {
      if (this.#kept.get(name) === kept) this.#kept.delete(name)
    }
    piece.then(({ records }) => {
      // Where nothing was, there may be something a moment later.
      if (records.length === 0 || memoryOf(records) > mostKeptBytes) forget()
    }, forget)
    return piece
  }

  /**
   * After a passing error: when the partition can be read again. Those who want it wait for that, where they are in nobody's
   * way, and one request asks for all of them. Rejects when patience is at its end. Undefined: nothing is known to be wrong.
   */
  back({ topicId }: ReadTopic, partition: number): Promise<void> | undefined {
    return this.#lost.get(`${topicId}-${partition}`)
  }

  /** Waits with a piece in hand, unless too many do. */
  async hold(wait: () => Promise<void>): Promise<void> {
    if (this.#held >= mostHeld) return
    this.#held++
    await wait()
    this.#held--
  }

  clear(): void {
    this.#kept.clear()
  }

  async #fetch(
    { quick, patient }: Readers,
    { topic, topicId }: ReadTopic,
    partition: number,
    offset: number,
  ): Promise<ReadRecords> {
    const name = `${topicId}-${partition}`
    // Who stood in line need not find out for himself.
    if (this.#lost.has(name)) throw new KafkaError('LEADER_NOT_AVAILABLE', `${topic}-${partition} cannot be read now`)
    this.fetched++
    try {
      return await readPartition(quick, { topic, partition }, { ...limits, topicId, offset })
    } catch (error) {
      if (isPassing(error) && !this.#lost.has(name)) {
        const little = { ...limits, maxBytes: 1, maxRecords: 1 }
        const back = readPartition(patient, { topic, partition }, { ...little, topicId, offset })
          .then(() => {}, answered)
          .finally(() => this.#lost.delete(name))
        // There may be nobody left who wants to know.
        back.catch(() => {})
        this.#lost.set(name, back)
      }
      throw error
    }
  }

  /** Entries stand in the order in which they came. */
  #forgetOld(now: number): void {
    for (const [name, { at }] of this.#kept) {
      if (this.#kept.size <= mostKept && now - at < keptMs) return
      this.#kept.delete(name)
    }
  }
}

/** That it has no such offset is an answer, too. */
function answered(error: unknown): void {
  if (!(error instanceof KafkaError && error.errorName === 'OFFSET_OUT_OF_RANGE')) throw error
}

/** Keys and values are views: of what came over the wire, or of what a batch unfolded to. */
function memoryOf(records: ReadRecords['records']): number {
  const buffers = new Set<ArrayBufferLike>()
  let bytes = 0
  for (const { key, value } of records)
    for (const part of [key, value])
      if (part !== null && !buffers.has(part.buffer)) {
        buffers.add(part.buffer)
        bytes += part.buffer.byteLength
      }
  return bytes
}
