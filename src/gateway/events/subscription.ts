import type { Cluster } from '../../client/cluster.ts'
import { isPassing } from '../../client/failures.ts'
import { findOffsets } from '../../client/offsets.ts'
import { sleep, within } from '../../client/retry.ts'
import { isExpired } from '../../protocol/batches/expiry.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { isWanted, keyText, matching, type Wanted } from './batches.ts'
import type { EventCodec, Place } from './codec.ts'
import type { Hub, HubReader } from './hub.ts'
import type { Pace } from './pace.ts'
import type { Position } from './position.ts'
import type { Readers, SharedReads } from './shared-reads.ts'
import { type EventStream, PacedStream } from './stream.ts'

/** Where a subscription begins. */
export interface Start {
  /** null: from now on. */
  readonly from: Position | null
  /** Where the subscriber stood in a former topic of this name: it is told that there is a gap. */
  readonly lost?: Position
}

export interface SubscriptionOptions {
  readonly hub: Hub
  readonly stream: EventStream
  readonly start: Start
  readonly codec: EventCodec
  readonly wanted: Wanted
  /** After so many records it is over. */
  readonly most: number
  /** For what lies behind: its requests are answered at once, so all share it. */
  readonly cluster: Cluster
  readonly readers: Readers
  readonly reads: SharedReads
  readonly pace: Pace
  readonly counters: EventCounters
  /** It is over: with the reason, when it was not the subscriber's. */
  readonly done: (subscription: Subscription, error: unknown) => void
}

/** What all subscriptions of a node did; plain numbers for metrics. */
export interface EventCounters {
  /** Events written to subscribers. */
  delivered: number
  bytes: number
}

/** Bytes of events that somebody who is behind is given at once. */
const chunkBytes = 64 * 1024
/** ms that a subscriber may be ahead of the topic's end as we know it, before we ask whether its records are gone. */
const aheadMs = 2000
/** ms for which reads of a partition may fail, though it is said each time that it can be read. */
const stuckMs = 60_000
/** Between looks at something that must come. */
const restMs = 50
/** ms for which a piece is kept for who takes it bit by bit. */
const holdMs = 200

/**
 * One subscriber of a topic. At the end of the topic it takes the hub's batches as they are; behind, it reads by itself up to
 * where the hub stood when it began, and goes on there. Its position is exact at every moment.
 */
export class Subscription implements HubReader {
  readonly stream: PacedStream
  readonly #options: SubscriptionOptions
  readonly #wantsAll: boolean
  /** Number of the hub's batch that is next; null: it is behind. */
  #cursor: number | null
  #position: Position
  /** The id that the other side has. */
  #told: Position
  /** Records that it may still get. */
  #left: number
  #reading = false
  #aheadSince: number | null = null
  /** Monotonic ms since which each read of a partition has failed. */
  readonly #failingSince = new Map<number, number>()
  #over = false

  constructor(options: SubscriptionOptions) {
    const { hub, stream, start, cluster, codec, wanted } = options
    const { from, lost = [] } = start
    this.#options = options
    this.#wantsAll = wanted.keys === null && wanted.partitions === null
    this.#left = options.most
    this.#cursor = from === null ? hub.ring.next : null
    this.#position = from ?? hub.position
    this.#told = this.#position
    this.stream = new PacedStream(
      stream,
      () => cluster.world.clock.mono(),
      () => this.pump(),
    )
    hub.attach(this)
    this.#say(codec.greeting(this.#place(), cluster.world.random))
    for (const [partition, expected] of lost.entries()) this.#tellGap(partition, expected)
    this.pump()
  }

  get topic(): string {
    return this.#options.hub.topic
  }

  get over(): boolean {
    return this.#over
  }

  /** It reads by itself. */
  get behind(): boolean {
    return this.#cursor === null
  }

  pump(): void {
    if (this.#over) return
    if (this.stream.closed) {
      this.#end(null)
      return
    }
    const { ring } = this.#options.hub
    while (this.#cursor !== null && this.stream.ready) {
      const batch = ring.at(this.#cursor)
      if (batch === undefined) {
        if (this.#cursor >= ring.oldest) return
        // Too slow for what the hub keeps.
        this.#cursor = null
        break
      }
      this.#cursor++
      this.#position = batch.after
      this.#give(batch)
    }
    if (this.#cursor === null && !this.#reading && this.stream.ready) void this.#readBehind()
  }

  hubEnded(error: unknown): void {
    this.#end(error)
  }

  /** Says that it is alive, and how far it is where nothing that it wants came. */
  beat(): void {
    const news = this.#told !== this.#position
    this.#told = this.#position
    this.#say(this.#options.codec.heartbeat(this.#place(), news))
  }

  close(): void {
    this.#end(null)
  }

  #give(batch: Parameters<typeof matching>[0]): void {
    const { wanted, codec } = this.#options
    if (this.#wantsAll && batch.keys.length <= this.#left) {
      this.#told = batch.after
      this.#send(batch.bytes, batch.keys.length)
      return
    }
    this.#sendAll(matching(batch, wanted, codec.headBytes, this.#left))
  }

  /** In one write: whoever hears of room in the middle of it would go on with the next batch. */
  #sendAll(events: readonly Uint8Array[]): void {
    if (events.length === 0) return
    const bytes = events.reduce((sum, { length }) => sum + length, 0)
    this.#send(this.#options.codec.join(events, bytes), events.length)
  }

  #send(bytes: Uint8Array, events: number): void {
    this.#options.counters.delivered += events
    this.#left -= events
    this.#write(bytes)
    if (this.#left === 0) this.#end(null)
  }

  #say(bytes: Uint8Array | null): void {
    if (bytes !== null) this.#write(bytes)
  }

  #place(position: Position = this.#position): Place {
    const { topic, tag } = this.#options.hub
    return { topic, tag, position }
  }

  #write(bytes: Uint8Array): void {
    this.#options.counters.bytes += bytes.length
    this.stream.write(bytes)
  }

  async #readBehind(): Promise<void> {
    this.#reading = true
    try {
      await this.#catchUp()
    } catch (error) {
      this.#end(error)
    } finally {
      this.#reading = false
    }
    this.pump()
  }

  /** Reads up to where the hub stands now, partition by partition in turn, and then follows the hub. */
  async #catchUp(): Promise<void> {
    const { hub } = this.#options
    const [target, next] = [hub.position, hub.ring.next]
    if (await this.#isAhead(target)) return
    for (let turn = 0, rest = target.length; rest > 0 && !this.#over; turn = (turn + 1) % target.length) {
      if (this.#at(turn) >= target[turn]!) {
        rest--
        continue
      }
      rest = target.length
      await this.#readSome(turn, target[turn]!)
      await this.stream.room()
    }
    if (this.#over) return
    this.#position = target
    this.#cursor = next
  }

  #at(partition: number): number {
    const { partitions } = this.#options.wanted
    if (partitions !== null && !partitions.has(partition)) return Number.POSITIVE_INFINITY
    return this.#position[partition] ?? 0
  }

  /**
   * Whoever comes from another node may know more than our hub does: that passes. If it does not, its records are gone (the
   * topic was made anew, or a disk has lost them), and it goes on with the oldest that there are.
   */
  async #isAhead(target: Position): Promise<boolean> {
    const { hub, cluster } = this.#options
    const ahead = this.#position.flatMap((offset, partition) => (offset > (target[partition] ?? 0) ? [partition] : []))
    if (ahead.length === 0) {
      this.#aheadSince = null
      return false
    }
    const now = cluster.world.clock.mono()
    this.#aheadSince ??= now
    if (now - this.#aheadSince < aheadMs) {
      await sleep(cluster.world, restMs)
      return true
    }
    const { topic } = hub
    const ends = await findOffsets(
      cluster,
      ahead.map(partition => ({ topic, partition, start: 'latest' as const })),
    )
    for (const { partition, offset } of ends) if (this.#at(partition) > offset) await this.#goToOldest(partition)
    this.#aheadSince = null
    return true
  }

  async #goToOldest(partition: number): Promise<void> {
    const { cluster, hub } = this.#options
    const [oldest] = await findOffsets(cluster, [{ topic: hub.topic, partition, start: 'earliest' }])
    this.#skip(partition, oldest!.offset)
  }

  /** Records are gone before this subscriber has seen them: it is told, and goes on behind them. */
  #skip(partition: number, to: number): void {
    const expected = this.#at(partition)
    this.#move(partition, to)
    this.#told = this.#position
    this.#tellGap(partition, expected)
  }

  #tellGap(partition: number, expected: number): void {
    const offset = this.#position[partition] ?? 0
    const notice = this.#options.codec.gap(this.#place(), { topic: this.topic, partition, expected, offset })
    if (notice === null) throw new KafkaError('OFFSET_OUT_OF_RANGE', `${this.topic}-${partition} has no ${expected}`)
    this.#write(notice)
  }

  #move(partition: number, offset: number): void {
    const position = this.#copyOfPosition(partition)
    position[partition] = offset
    this.#position = position
  }

  /** With a place for each partition up to this one. */
  #copyOfPosition(partition: number): number[] {
    const position = [...this.#position]
    while (position.length <= partition) position.push(0)
    return position
  }

  /** What others wait for is held only while there is something to read. */
  async #readSome(partition: number, to: number): Promise<void> {
    const { cluster, pace } = this.#options
    const from = this.#at(partition)
    try {
      await pace.run(() => this.#readPiece(partition, to))
    } catch (error) {
      if (this.#over) return
      if (isPassing(error)) await this.#passing(partition, error)
      else if (error instanceof KafkaError && error.errorName === 'OFFSET_OUT_OF_RANGE')
        await this.#goToOldest(partition)
      else throw error
    }
    // A leader that does not know yet what is committed says nothing for a moment; one that is back may be gone again.
    if (this.#at(partition) === from && this.stream.ready) await sleep(cluster.world, restMs)
  }

  /** Waits for the partition; throws when it has been waited for long enough: broken batches fail as if that passed. */
  async #passing(partition: number, error: unknown): Promise<void> {
    const { hub, cluster, reads } = this.#options
    const now = cluster.world.clock.mono()
    const since = this.#failingSince.get(partition) ?? now
    if (now - since >= stuckMs) throw error
    this.#failingSince.set(partition, since)
    await reads.back(hub, partition)
  }

  async #readPiece(partition: number, to: number): Promise<void> {
    const { hub, cluster, readers, reads, pace } = this.#options
    if (this.#over || !this.stream.ready) return
    const piece = await reads.read(readers, hub, partition, this.#at(partition))
    this.#failingSince.delete(partition)
    const records = piece.records.values()
    for (let more = true; more; ) {
      more = await pace.give(() => {
        // As long as too much waits nobody shall have more in hand.
        if (this.#over || !this.stream.ready || pace.full) return false
        return this.#giveSome(partition, to, records, piece.nextOffset)
      })
      // What is not taken soon is fetched again later, so that it does not wait in memory.
      if (more && !this.stream.ready) await reads.hold(() => within(cluster.world, holdMs, this.stream.room()))
      if (this.#over || !this.stream.ready) break
    }
  }

  /** Gives records that lie before `to`, a chunk at most. False when there are no more; then it stands at `next`. */
  #giveSome(partition: number, to: number, records: Iterator<KafkaRecord, unknown>, next: number): boolean {
    const { codec, wanted, cluster } = this.#options
    const events: Uint8Array[] = []
    // One array for all records of the chunk; nobody else has seen it.
    const position = this.#copyOfPosition(partition)
    const now = cluster.world.clock.now()
    let bytes = 0
    let looked = 0
    let more = true
    while (more && bytes < chunkBytes && events.length < this.#left) {
      const step = records.next()
      if (step.done || step.value.offset >= to) {
        position[partition] = Math.min(to, Math.max(position[partition] ?? 0, next))
        more = false
        continue
      }
      looked++
      const record: KafkaRecord = step.value
      position[partition] = record.offset + 1
      const key = wanted.keys === null ? null : keyText(record.key)
      if (isExpired(record, now) || !isWanted(wanted, key, partition)) continue
      const event = codec.record(this.#place(position), partition, record)
      if (event === null) continue
      events.push(event)
      bytes += event.length
    }
    this.#position = position
    this.#options.pace.gave(bytes, looked)
    this.#sendAll(events)
    return more
  }

  #end(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#options.hub.detach(this)
    this.stream.end(error)
    this.#options.done(this, error)
  }
}
