import { newUuid } from '../../../protocol/uuid.ts'
import type { Timer } from '../../../world/world.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { controlBatch } from '../batches.ts'
import { encodeSnapshot } from '../snapshot.ts'
import type { Alarm } from './alarm.ts'
import { positionAfter } from './chain.ts'
import type { Position, Token } from './fenced-log.ts'
import type { FencedOrdererOptions } from './orderer-options.ts'
import { Queue, type Waiting } from './queue.ts'
import type { Reader } from './reader.ts'
import type { Remembered } from './remembered.ts'
import { reasonOf } from './trouble.ts'

/** What a leadership needs of the orderer whose it is. */
export interface LeadContext {
  readonly options: FencedOrdererOptions
  readonly reader: Pick<Reader, 'replay'>
  readonly alarm: Pick<Alarm, 'pause'>
  /** Durable when fulfilled. */
  remember(change: Partial<Remembered>): Promise<void>
  /** An append was not answered. */
  ill(error: unknown): void
  /** Our epoch has begun in the log: from now on commands are served. */
  serves(lead: Lead): void
  /** It is over. */
  lost(lead: Lead, why: string): void
}

/** One leadership of ours: its lease, its appends and its snapshots. After each wait it may be over. */
export class Lead {
  readonly token: Token
  readonly #context: LeadContext
  readonly #queue: Queue
  /** On the monotonic clock, ms: until then the lease is ours, and nobody else can have taken over. */
  #deadline: number
  #leaseTimer: Timer | null = null
  #serving = false
  /** An append is under way. */
  #pumping = false
  #over = false

  constructor(context: LeadContext, token: Token, end: Position, deadline: number) {
    this.#context = context
    this.token = token
    this.#queue = new Queue(token.epoch, end)
    this.#deadline = deadline
  }

  /** We have appended in our own epoch. */
  get serving(): boolean {
    return this.#serving
  }

  /** Nobody else can have taken over by then, or by `now` if that is earlier (monotonic ms). */
  leadsAsOf(now: number): number {
    return this.#serving ? Math.min(now, this.#deadline) : Number.NEGATIVE_INFINITY
  }

  /** Of the log, when all that waits is appended. */
  get end(): Position {
    return this.#queue.end
  }

  /** Fulfilled when the beginning of our epoch is appended, or all is over. */
  begin(): Promise<void> {
    this.#watchLease()
    this.#beginEpoch()
    return this.#pump()
  }

  /** Returns the offset after the records, as `OrderedLog.append`. */
  append(records: readonly MetadataRecord[], timestamp: number): number {
    const { endOffset } = this.#queue.end
    const end = endOffset + records.length
    const { encoder } = this.#context.reader.replay
    this.#queue.add(encoder.dataBatch(records, timestamp, endOffset, this.token.epoch), end, records, timestamp)
    void this.#pump()
    return end
  }

  /** Fulfilled when all that waits is appended, or the lease has run out before. */
  async drain(): Promise<void> {
    while (!this.#over && (this.#pumping || !this.#queue.idle)) await this.#context.alarm.pause(5)
  }

  /** Takes the lease for another while. Returns ms until that is to be done again. */
  async renew(): Promise<number> {
    const { log, world, leaseMs, renewMs } = this.#context.options
    const asked = world.clock.mono()
    const outcome = await log.renew(this.token, leaseMs)
    if (this.#over) return 0
    if (outcome !== 'ok') {
      this.#lose(whyLost(outcome))
      return 0
    }
    this.#deadline = asked + leaseMs
    return Math.max(0, asked + renewMs - world.clock.mono())
  }

  /** `upTo`: where a batch ends. */
  async keepSnapshot(upTo: number, timestamp: number, records: readonly MetadataRecord[]): Promise<void> {
    if (this.#over) return
    const { log, world } = this.#context.options
    const found = await log.look(upTo - 1)
    const entry = found?.entries[0]
    if (this.#over || entry === undefined) return
    // Between two snapshots of one leadership the log does not change below its end.
    if (entry.endOffset !== upTo) throw new Error(`no batch ends at offset ${upTo}`)
    const id = { ...positionAfter(entry), epoch: entry.epoch }
    const content = { kraftVersion: 0, voters: [], timestamp, records }
    const bytes = encodeSnapshot(content, id.epoch, world.clock.now())
    const outcome = await log.putSnapshot(this.token, id, bytes, found!.head.snapshot?.endOffset ?? 0)
    if (outcome !== 'ok') this.#lose(whyLost(outcome))
  }

  /** Nothing is appended or told of any more. */
  stop(): void {
    this.#over = true
    this.#leaseTimer?.cancel()
  }

  /** Ends the lead when the lease is over, whatever keeps us from renewing it. */
  #watchLease(): void {
    const { log, world, leaseMs } = this.#context.options
    const { clock, timers } = world
    this.#leaseTimer?.cancel()
    this.#leaseTimer = timers.after(this.#deadline - clock.mono(), () => {
      if (this.#over) return
      if (clock.mono() < this.#deadline) this.#watchLease()
      else this.#lose(`${log.name} has not renewed the lease in ${leaseMs} ms`)
    })
  }

  #beginEpoch(): void {
    const { options, reader } = this.#context
    const { voter, world } = options
    const now = world.clock.now()
    const { epoch } = this.token
    const { endOffset } = this.#queue.end
    const change = { type: 'leaderChange', leaderId: voter.id, voterIds: [voter.id] } as const
    this.#queue.add(controlBatch([change], now, endOffset, epoch), endOffset + 1, [], now)
    if (!reader.replay.unfinished) return
    const abort = { type: 'AbortTransactionRecord', reason: 'The controller that began it is gone.' } as const
    const bytes = reader.replay.encoder.dataBatch([abort], now, endOffset + 1, epoch)
    this.#queue.add(bytes, endOffset + 2, [abort], now)
  }

  /** Appends what waits, one append at a time, as long as we lead. */
  async #pump(): Promise<void> {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (!this.#over && !this.#queue.idle) await this.#appendNext()
    } catch (error) {
      this.#lose(reasonOf(error))
    } finally {
      this.#pumping = false
    }
  }

  async #appendNext(): Promise<void> {
    const { options, reader, alarm, remember, ill } = this.#context
    const before = reader.replay.position
    const group = this.#queue.take()
    const end = group.at(-1)!.after
    const batchId = newUuid(options.world.random)
    const entries = group.map(({ entry }) => ({ ...entry, batchId }))
    for (;;) {
      let outcome = null
      try {
        outcome = await options.log.append(this.token, before, batchId, entries, end)
      } catch (error) {
        ill(error)
      }
      if (this.#over) return
      if (outcome === 'ok') break
      if (outcome !== null) return this.#lose(whyLost(outcome))
      // Whether it was done is not known: the same again says it. The lease's end ends this.
      await alarm.pause(Math.min(100, options.renewMs))
      if (this.#over) return
    }
    await remember({ position: end })
    if (!this.#over) this.#committed(group)
  }

  #committed(group: readonly Waiting[]): void {
    for (const { after, records, timestamp } of group) {
      if (this.#over) return
      this.#context.reader.replay.takeOwn(after, this.token.epoch, records, timestamp)
    }
    if (this.#serving || this.#over) return
    this.#serving = true
    this.#context.serves(this)
  }

  #lose(why: string): void {
    this.#context.lost(this, why)
  }
}

function whyLost(outcome: 'fenced' | 'conflict' | 'moved'): string {
  switch (outcome) {
    case 'fenced':
      return 'another node has taken over'
    case 'conflict':
      return 'the log does not end where this node left it'
    case 'moved':
      return 'the server behind the log was restarted or replaced'
  }
}
