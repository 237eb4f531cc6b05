import { NotLeader, type OrderedLogListener } from '../../../machine/machine.ts'
import { isFull } from '../../../store/disk-full.ts'
import type { Volume } from '../../../store/store.ts'
import type { Logger } from '../../../world/logger.ts'
import type { Timer, World } from '../../../world/world.ts'
import { newUuid } from '../../commands/context.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { controlBatch } from '../batches.ts'
import type { Orderer, OrdererLeader, QuorumDescription, QuorumReplica, Voter } from '../orderer.ts'
import { encodeSnapshot } from '../snapshot.ts'
import { Alarm } from './alarm.ts'
import { BrokenChain, positionAfter } from './chain.ts'
import { type FencedLog, type Head, StoreUnfit, StoreUnreachable } from './fenced-log.ts'
import { Lead, type Waiting } from './lead.ts'
import { Reader } from './reader.ts'
import { Memory, type Remembered } from './remembered.ts'

export interface FencedOrdererOptions {
  readonly log: FencedLog
  /** Where this node keeps what it has seen. */
  readonly volume: Pick<Volume, 'get' | 'put'>
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly logger: Logger
  readonly clusterId: string
  /** This node, as others are to reach it when it leads. */
  readonly voter: Voter
  /** ms for which a lease is taken. */
  readonly leaseMs: number
  /** ms between two renewals; well below `leaseMs`. */
  readonly renewMs: number
  /** False: a store without a log is waited for (a node that joins never begins a cluster). Default true. */
  readonly create?: boolean
  /** `Head.source` that a person takes for whole, although nobody who led last says so. */
  readonly accept?: string | null
  /** Stable storage can no longer be promised: the node must stop. */
  readonly failed: (error: Error) => void
  /** ms between two attempts, when something is wrong. Default 500. */
  readonly retryMs?: number
}

const defaultRetryMs = 500
/** A little more than the lease: its last ms is not over yet when it says 0. */
const leaseSlackMs = 5
/** ms that who resigns waits for another to lead. */
const resignMs = 500
/** Somebody must look at it: nothing is gained by haste. */
const haltedRetryMs = 2000

/**
 * The metadata log in a store outside of the cluster, led by the node that holds a lease there. The lease only says when to
 * try: epoch, nonce and end of the log are compared in the same atomic step as each append. Every node checks the chain of
 * hashes against what it remembers; where they differ, nothing is decided any more before somebody has looked.
 */
export class FencedOrderer implements Orderer {
  readonly #options: FencedOrdererOptions
  readonly #log: FencedLog
  readonly #logger: Logger
  readonly #memory: Memory
  readonly #reader: Reader
  readonly #alarm: Alarm
  #listener: OrderedLogListener<MetadataRecord> = { load() {}, commit() {}, lead() {} }
  #lead: Lead | null = null
  #head: Head | null = null
  /** The last one that was told of. */
  #told: OrdererLeader | null = null
  readonly #watchers = new Set<(leader: OrdererLeader | null) => void>()
  /** Nonce of a leader whose process is known to be gone: nobody waits for the end of its lease. */
  #gone = ''
  #resigned = false
  #trouble = ''
  #leaseTimer: Timer | null = null
  #closed = false
  #starting: { resolve(): void; reject(error: Error): void } | null = null
  #running: Promise<void> = Promise.resolve()
  #snapshotting: Promise<void> = Promise.resolve()

  constructor(options: FencedOrdererOptions) {
    this.#options = options
    this.#log = options.log
    this.#logger = options.logger
    this.#alarm = new Alarm(options.world.timers)
    this.#memory = new Memory(options.volume)
    this.#reader = new Reader({
      log: options.log,
      memory: this.#memory,
      random: options.world.random,
      clusterId: options.clusterId,
      create: options.create ?? true,
      notNoted: error => this.#memoryFailed(error),
    })
    options.log.watch(() => {
      // A leader knows what it appends; who has taken over from it is said by the next append or renewal.
      if (this.#lead === null) this.#alarm.stir()
    })
  }

  follow(listener: OrderedLogListener<MetadataRecord>): void {
    this.#listener = listener
    this.#reader.follow(listener)
  }

  /** Rejects when it cannot ever work: another cluster's log, a wrong password. Waits for a store that is not there. */
  start(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    this.#running = this.#run()
    return started
  }

  append(epoch: number, records: readonly MetadataRecord[], timestamp: number): number {
    const lead = this.#lead
    if (lead === null || !lead.serving || this.#closed || epoch !== lead.token.epoch) throw new NotLeader()
    const { endOffset } = lead.end
    const bytes = this.#reader.replay.encoder.dataBatch(records, timestamp, endOffset, epoch)
    lead.add(bytes, endOffset + records.length, records, timestamp)
    void this.#pump(lead)
    return endOffset + records.length
  }

  /** Kept in the store when that has confirmed it; the one before stays, with the log behind it. */
  compact(upTo: number, snapshot: Iterable<MetadataRecord>): void {
    const lead = this.#lead
    if (lead === null || this.#closed || upTo > this.#reader.replay.position.endOffset) return
    const records = [...snapshot]
    const { timestamp } = this.#reader.replay
    this.#snapshotting = this.#snapshotting
      .then(() => this.#keepSnapshot(lead, upTo, timestamp, records))
      // The log is still whole: the next snapshot tries again.
      .catch(error =>
        this.#logger.warn('the snapshot of the metadata could not be kept', { upTo, error: String(error) }),
      )
  }

  leader(): OrdererLeader | null {
    return this.#told
  }

  onLeader(run: (leader: OrdererLeader | null) => void): () => void {
    this.#watchers.add(run)
    return () => this.#watchers.delete(run)
  }

  /** The process that leads in this epoch is gone for sure: its lease is broken. Were it not gone, it would be fenced. */
  leaderGone({ id, epoch }: OrdererLeader): void {
    const head = this.#head
    if (this.#lead !== null || head?.leader?.id !== id || head.token.epoch !== epoch) return
    this.#gone = head.token.nonce
    this.#alarm.stir()
  }

  describe(): QuorumDescription {
    const { endOffset } = this.#reader.replay.position
    const leader = this.#told === null ? null : (this.#head?.leader ?? null)
    return {
      leaderId: this.#told?.id ?? -1,
      leaderEpoch: this.#told?.epoch ?? this.#memory.now.epoch,
      highWatermark: endOffset,
      logEndOffset: this.#lead?.end.endOffset ?? endOffset,
      voters: leader === null ? [] : [this.#replicaOf(leader)],
      observers: [],
    }
  }

  /** Who leads is the only one who votes, and has all that there is. */
  #replicaOf(leader: Voter): QuorumReplica {
    if (this.#lead === null) return { ...leader, logEndOffset: -1, lastFetchTimestamp: -1, lastCaughtUpTimestamp: -1 }
    const now = this.#options.world.clock.now()
    const { endOffset } = this.#lead.end
    return { ...leader, logEndOffset: endOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now }
  }

  async resign(): Promise<void> {
    if (this.#resigned || this.#closed) return
    this.#resigned = true
    // Who gives the lead away need not wait for us to take it.
    this.#log.watch(null)
    const lead = this.#lead
    await this.#drain(lead)
    if (lead === null || this.#lead !== lead) return
    const others = await this.#log.release(lead.token).catch(() => 0)
    this.#lose(lead, 'it is about to stop')
    if (others === 0) return
    const { clock } = this.#options.world
    const until = clock.mono() + resignMs
    while (this.#told === null && !this.#closed && clock.mono() < until) await this.#alarm.pause(10)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#starting?.reject(new Error('the node is closing'))
    this.#starting = null
    const lead = this.#lead
    this.#reader.stop()
    if (lead === null) this.#log.close()
    this.#alarm.stir()
    await this.#running
    await this.#drain(lead)
    await this.#snapshotting
    if (lead !== null && this.#lead === lead) await this.#log.release(lead.token).catch(() => {})
    this.#lead = null
    this.#leaseTimer?.cancel()
    this.#log.close()
    await this.#memory.settled()
  }

  /** Fulfilled when all that waits is appended, or the lease has run out before. */
  async #drain(lead: Lead | null): Promise<void> {
    while (lead !== null && this.#lead === lead && (lead.pumping || !lead.idle)) await this.#alarm.pause(5)
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let waitMs: number
      try {
        waitMs = await this.#turn()
        if (this.#trouble !== '') this.#well()
      } catch (error) {
        if (this.#closed) return
        waitMs = this.#ill(error)
      }
      if (!this.#closed) await this.#alarm.sleep(waitMs)
    }
  }

  /** One look at the store, and what follows from it. Returns ms until the next one. */
  async #turn(): Promise<number> {
    const { leaseMs } = this.#options
    if (this.#lead !== null) return this.#renew(this.#lead)
    const head = await this.#reader.catchUp()
    this.#head = head
    if (this.#closed) return 0
    if (head.moved) {
      await this.#confirm(head)
      return 0
    }
    this.#tell(head)
    if (head.leaseMs > 0 && !this.#mine(head) && head.token.nonce !== this.#gone) {
      this.#started()
      return Math.min(head.leaseMs + leaseSlackMs, leaseMs)
    }
    if (this.#resigned) return leaseMs
    return this.#stand(head)
  }

  /** The last leadership was ours. */
  #mine(head: Head): boolean {
    return this.#memory.now.nonces.includes(head.token.nonce)
  }

  /** Durable when fulfilled. */
  async #remember(change: Partial<Remembered>): Promise<void> {
    try {
      await this.#memory.note(change)
    } catch (error) {
      this.#memoryFailed(error as Error)
      throw new Error('what this node must remember cannot be written to the data directory', { cause: error })
    }
  }

  #memoryFailed(error: Error): void {
    if (!isFull(error)) this.#options.failed(error)
  }

  /** Another server answers than the one that confirmed the log: who led last knows whether anything is missing. */
  async #confirm(head: Head): Promise<void> {
    const fresh = head.endOffset === 0 && head.token.epoch === 0
    const ours = this.#mine(head)
    const accepted = this.#options.accept === head.source
    if (!fresh && !ours && !accepted) {
      const who = head.leader === null ? 'the node' : `node ${head.leader.id}`
      throw new BrokenChain(
        `it was restarted, or a copy of it has taken over, and ${who} that led last has not said yet that nothing is ` +
          `missing; start ${who}, or, when it is gone for good, take what is there by ?accept=${head.source}`,
      )
    }
    const outcome = await this.#log.confirm(head)
    if (outcome !== 'ok') return
    this.#logger.warn(
      ours || fresh
        ? `${this.#log.name} was restarted or replaced; the metadata log is whole`
        : `${this.#log.name} was restarted or replaced; its metadata log is taken as it is, because you said so`,
      { endOffset: head.endOffset },
    )
  }

  /** Tries to lead. Returns ms until the next look: soon when somebody else was faster. */
  async #stand(seen: Head): Promise<number> {
    const { world, voter, leaseMs, renewMs, retryMs = defaultRetryMs } = this.#options
    const nonce = newUuid(world.random)
    const former = this.#gone === '' ? this.#memory.now.nonces : [...this.#memory.now.nonces, this.#gone]
    const asked = world.clock.mono()
    // Kept before it can be in force: after a crash it proves that we led last. So does the one in force now.
    await this.#remember({ nonces: this.#mine(seen) ? [seen.token.nonce, nonce] : [nonce] })
    const taken = await this.#log.acquire({ logId: seen.logId, leader: voter, nonce, former, leaseMs })
    if (taken === null || this.#closed) return leaseSlackMs
    await this.#remember({ epoch: taken.token.epoch })
    const head = await this.#reader.catchUp()
    this.#head = head
    if (this.#closed || head.token.nonce !== nonce) return leaseSlackMs
    const lead = new Lead(head.token, this.#reader.replay.position, asked + leaseMs)
    this.#lead = lead
    this.#watchLease(lead)
    this.#beginEpoch(lead)
    await this.#pump(lead)
    return this.#lead === lead ? renewMs : retryMs
  }

  #beginEpoch(lead: Lead): void {
    const { voter, world } = this.#options
    const now = world.clock.now()
    const { epoch } = lead.token
    const { endOffset } = lead.end
    const change = { type: 'leaderChange', leaderId: voter.id, voterIds: [voter.id] } as const
    lead.add(controlBatch([change], now, endOffset, epoch), endOffset + 1, [], now)
    if (!this.#reader.replay.unfinished) return
    const abort = { type: 'AbortTransactionRecord', reason: 'The controller that began it is gone.' } as const
    lead.add(this.#reader.replay.encoder.dataBatch([abort], now, endOffset + 1, epoch), endOffset + 2, [abort], now)
  }

  async #renew(lead: Lead): Promise<number> {
    const { world, leaseMs, renewMs } = this.#options
    const asked = world.clock.mono()
    const outcome = await this.#log.renew(lead.token, leaseMs)
    if (this.#lead !== lead) return 0
    if (outcome !== 'ok') {
      this.#lose(lead, whyLost(outcome))
      return 0
    }
    lead.deadline = asked + leaseMs
    return Math.max(0, asked + renewMs - world.clock.mono())
  }

  /** Ends the lead when the lease is over, whatever keeps us from renewing it. */
  #watchLease(lead: Lead): void {
    const { clock, timers } = this.#options.world
    this.#leaseTimer?.cancel()
    this.#leaseTimer = timers.after(lead.deadline - clock.mono(), () => {
      if (this.#lead !== lead) return
      if (clock.mono() < lead.deadline) this.#watchLease(lead)
      else this.#lose(lead, `${this.#log.name} has not renewed the lease in ${this.#options.leaseMs} ms`)
    })
  }

  /** Appends what waits, one append at a time, as long as we lead. */
  async #pump(lead: Lead): Promise<void> {
    if (lead.pumping) return
    lead.pumping = true
    try {
      while (this.#lead === lead && !lead.idle) await this.#appendNext(lead)
    } catch (error) {
      this.#lose(lead, error instanceof Error ? error.message : String(error))
    } finally {
      lead.pumping = false
    }
  }

  async #appendNext(lead: Lead): Promise<void> {
    const before = this.#reader.replay.position
    const group = lead.take()
    const end = group.at(-1)!.after
    const batchId = newUuid(this.#options.world.random)
    const entries = group.map(({ entry }) => ({ ...entry, batchId }))
    for (;;) {
      let outcome = null
      try {
        outcome = await this.#log.append(lead.token, before, batchId, entries, end)
      } catch (error) {
        this.#ill(error)
      }
      if (this.#lead !== lead) return
      if (outcome === 'ok') break
      if (outcome !== null) return this.#lose(lead, whyLost(outcome))
      // Whether it was done is not known: the same again says it. The lease's end ends this.
      await this.#alarm.pause(Math.min(100, this.#options.renewMs))
      if (this.#lead !== lead) return
    }
    await this.#remember({ position: end })
    if (this.#lead === lead) this.#committed(lead, group)
  }

  #committed(lead: Lead, group: readonly Waiting[]): void {
    for (const { after, records, timestamp } of group) {
      if (this.#lead !== lead) return
      this.#reader.replay.takeOwn(after, lead.token.epoch, records, timestamp)
    }
    if (lead.serving || this.#lead !== lead) return
    lead.serving = true
    const { token } = lead
    this.#logger.info('this node leads the metadata', { epoch: token.epoch, orderer: this.#log.name })
    this.#head = { ...this.#head!, ...lead.end, token, leader: this.#options.voter }
    this.#announce({ id: this.#options.voter.id, epoch: token.epoch })
    this.#listener.lead(token.epoch)
    this.#started()
  }

  #lose(lead: Lead, why: string): void {
    if (this.#lead !== lead) return
    this.#lead = null
    this.#leaseTimer?.cancel()
    this.#announce(null)
    if (this.#closed) return
    const { epoch } = lead.token
    if (this.#resigned) this.#logger.info('this node has given away the lead of the metadata', { epoch })
    else this.#logger.warn(`this node no longer leads the metadata: ${why}`, { epoch })
    // What waited may be in the log or not: it is read anew.
    this.#reader.startAnew()
    if (lead.serving) this.#listener.lead(null)
    this.#alarm.stir()
  }

  #tell(head: Head): void {
    const led = head.leaseMs > 0 && head.leader !== null && !this.#mine(head)
    this.#announce(led ? { id: head.leader!.id, epoch: head.token.epoch } : null)
  }

  #announce(leader: OrdererLeader | null): void {
    if (leader?.id === this.#told?.id && leader?.epoch === this.#told?.epoch) return
    this.#told = leader
    for (const run of this.#watchers) run(leader)
  }

  #started(): void {
    this.#starting?.resolve()
    this.#starting = null
  }

  /** Says what is wrong, once. Returns ms until the next attempt. */
  #ill(error: unknown): number {
    const { retryMs = defaultRetryMs, renewMs } = this.#options
    const { name } = this.#log
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof StoreUnfit && this.#starting !== null) {
      this.#closed = true
      this.#starting.reject(new Error(`${name} cannot be used: ${reason}`))
      this.#starting = null
      this.#log.close()
      return 0
    }
    const halted = error instanceof BrokenChain || error instanceof StoreUnfit
    // There are many ways not to be reached, and one is told of.
    const trouble = error instanceof StoreUnreachable ? error.name : reason
    if (this.#trouble !== trouble) {
      this.#trouble = trouble
      if (halted) this.#logger.error(`changes of metadata are halted, ${name} cannot be trusted: ${reason}`)
      else this.#logger.warn(`waiting for ${name}: ${reason}`)
    }
    if (this.#lead !== null) return Math.min(retryMs, renewMs / 2)
    this.#announce(null)
    if (!halted) return retryMs
    this.#reader.startAnew()
    return haltedRetryMs
  }

  #well(): void {
    this.#trouble = ''
    this.#logger.info(`${this.#log.name} is back`)
  }

  async #keepSnapshot(lead: Lead, upTo: number, timestamp: number, records: readonly MetadataRecord[]): Promise<void> {
    if (this.#lead !== lead) return
    const found = await this.#log.look(upTo - 1)
    const entry = found?.entries[0]
    if (this.#lead !== lead || entry === undefined) return
    // Between two snapshots of one leadership the log does not change below its end.
    if (entry.endOffset !== upTo) throw new Error(`no batch ends at offset ${upTo}`)
    const id = { ...positionAfter(entry), epoch: entry.epoch }
    const bytes = encodeSnapshot(
      { kraftVersion: 0, voters: [], timestamp, records },
      id.epoch,
      this.#options.world.clock.now(),
    )
    const outcome = await this.#log.putSnapshot(lead.token, id, bytes, found!.head.snapshot?.endOffset ?? 0)
    if (outcome !== 'ok' && this.#lead === lead) this.#lose(lead, whyLost(outcome))
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
