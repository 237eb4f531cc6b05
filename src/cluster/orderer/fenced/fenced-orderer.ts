import { NotLeader, type OrderedLogListener } from '../../../machine/machine.ts'
import { newUuid } from '../../../protocol/uuid.ts'
import { isFull } from '../../../store/disk-full.ts'
import type { Logger } from '../../../world/logger.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { KnownLeader } from '../known-leader.ts'
import type { Orderer, OrdererLeader, QuorumDescription, QuorumReplica, Voter } from '../orderer.ts'
import { Alarm } from './alarm.ts'
import { type FencedLog, type Head, StoreUnfit } from './fenced-log.ts'
import { Lead, type LeadContext } from './lead.ts'
import type { FencedOrdererOptions } from './orderer-options.ts'
import { Reader } from './reader.ts'
import { Memory, type Remembered } from './remembered.ts'
import { Succession } from './succession.ts'
import { reasonOf, Trouble } from './trouble.ts'

const defaultRetryMs = 500
/** A little more than the lease: its last ms is not over yet when it says 0. */
const leaseSlackMs = 5
/** ms after which who is asked how fresh his copy is looks again. */
const lookMs = 1000
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
  readonly #trouble: Trouble
  readonly #succession: Succession
  readonly #leadContext: LeadContext
  #listener: OrderedLogListener<MetadataRecord> = { load() {}, commit() {}, lead() {} }
  #lead: Lead | null = null
  #head: Head | null = null
  /** Monotonic ms: when we asked what there is, and then had all of it. */
  #lookedAt = Number.NEGATIVE_INFINITY
  readonly #leader = new KnownLeader()
  /** Nonce of a leader whose process is known to be gone: nobody waits for the end of its lease. */
  #gone = ''
  #resigned = false
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
      accept: options.accept ?? null,
      notNoted: error => this.#memoryFailed(error),
    })
    this.#trouble = new Trouble(options.log.name, options.logger)
    this.#succession = new Succession(options, this.#memory, this.#reader, change => this.#remember(change))
    this.#leadContext = {
      options,
      reader: this.#reader,
      alarm: this.#alarm,
      remember: change => this.#remember(change),
      ill: error => this.#ill(error),
      serves: lead => this.#serves(lead),
      lost: (lead, why) => this.#lose(lead, why),
    }
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
    return lead.append(records, timestamp)
  }

  /** Kept in the store when that has confirmed it; the one before stays, with the log behind it. */
  compact(upTo: number, snapshot: Iterable<MetadataRecord>): void {
    const lead = this.#lead
    if (lead === null || this.#closed || upTo > this.#reader.replay.position.endOffset) return
    const records = [...snapshot]
    const { timestamp } = this.#reader.replay
    this.#snapshotting = this.#snapshotting
      .then(() => lead.keepSnapshot(upTo, timestamp, records))
      // The log is still whole: the next snapshot tries again.
      .catch(error =>
        this.#logger.warn('the snapshot of the metadata could not be kept', { upTo, error: String(error) }),
      )
  }

  wholeAsOf(): number {
    const now = this.#options.world.clock.mono()
    if (this.#lead !== null) return this.#lead.leadsAsOf(now)
    if (now - this.#lookedAt > lookMs) this.#alarm.stir()
    return this.#lookedAt
  }

  leader(): OrdererLeader | null {
    return this.#leader.now
  }

  onLeader(run: (leader: OrdererLeader | null) => void): () => void {
    return this.#leader.watch(run)
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
    const { now } = this.#leader
    const leader = now === null ? null : (this.#head?.leader ?? null)
    return {
      leaderId: now?.id ?? -1,
      leaderEpoch: now?.epoch ?? this.#memory.now.epoch,
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
    await lead?.drain()
    if (lead === null || this.#lead !== lead) return
    const others = await this.#log.release(lead.token).catch(() => 0)
    this.#lose(lead, 'it is about to stop')
    if (others === 0) return
    const { clock } = this.#options.world
    const until = clock.mono() + resignMs
    while (this.#leader.now === null && !this.#closed && clock.mono() < until) await this.#alarm.pause(10)
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
    await lead?.drain()
    await this.#snapshotting
    if (lead !== null && this.#lead === lead) await this.#log.release(lead.token).catch(() => {})
    this.#lead?.stop()
    this.#lead = null
    this.#log.close()
    await this.#memory.settled()
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let waitMs: number
      try {
        waitMs = await this.#turn()
        this.#trouble.isOver()
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
    if (this.#lead !== null) return this.#lead.renew()
    const asked = this.#options.world.clock.mono()
    const head = await this.#reader.catchUp()
    this.#head = head
    if (this.#closed) return 0
    if (this.#succession.isOpen(head)) {
      this.#leader.is(null)
      return this.#succession.confirm(head)
    }
    this.#lookedAt = asked
    this.#tell(head)
    if (head.leaseMs > 0 && !this.#memory.ledLast(head) && head.token.nonce !== this.#gone) {
      this.#succession.isOver()
      this.#started()
      return Math.min(head.leaseMs + leaseSlackMs, leaseMs)
    }
    if (this.#resigned) return leaseMs
    if (this.#succession.isBound(head)) return this.#succession.waitBound(head)
    this.#succession.isOver()
    return this.#stand(head)
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

  /** Tries to lead. Returns ms until the next look: soon when somebody else was faster. */
  async #stand(seen: Head): Promise<number> {
    const { world, voter, leaseMs, renewMs, retryMs = defaultRetryMs } = this.#options
    const nonce = newUuid(world.random)
    const former = this.#gone === '' ? this.#memory.now.nonces : [...this.#memory.now.nonces, this.#gone]
    const asked = world.clock.mono()
    // Kept before it can be in force: after a crash it proves that we led last. So does the one in force now.
    await this.#remember({ nonces: this.#memory.ledLast(seen) ? [seen.token.nonce, nonce] : [nonce] })
    const taken = await this.#log.acquire({ logId: seen.logId, leader: voter, nonce, former, leaseMs })
    if (taken === null || this.#closed) return leaseSlackMs
    await this.#remember({ epoch: taken.token.epoch })
    const head = await this.#reader.catchUp()
    this.#head = head
    if (this.#closed || head.token.nonce !== nonce) return leaseSlackMs
    if (this.#resigned) {
      // Meanwhile: who goes does not begin to decide.
      await this.#log.release(head.token)
      return leaseMs
    }
    const lead = new Lead(this.#leadContext, head.token, this.#reader.replay.position, asked + leaseMs)
    this.#lead = lead
    await lead.begin()
    return this.#lead === lead ? renewMs : retryMs
  }

  #serves({ token, end }: Lead): void {
    const { voter } = this.#options
    this.#logger.info('this node leads the metadata', { epoch: token.epoch, orderer: this.#log.name })
    this.#head = { ...this.#head!, ...end, token, leader: voter }
    this.#leader.is({ id: voter.id, epoch: token.epoch })
    this.#listener.lead(token.epoch)
    this.#started()
  }

  #lose(lead: Lead, why: string): void {
    if (this.#lead !== lead) return
    this.#lead = null
    lead.stop()
    this.#leader.is(null)
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
    const led = head.leaseMs > 0 && head.leader !== null && !this.#memory.ledLast(head)
    this.#leader.is(led ? { id: head.leader!.id, epoch: head.token.epoch } : null)
  }

  #started(): void {
    this.#starting?.resolve()
    this.#starting = null
  }

  /** Says what is wrong. Returns ms until the next attempt. */
  #ill(error: unknown): number {
    const { retryMs = defaultRetryMs, renewMs } = this.#options
    if (error instanceof StoreUnfit && this.#starting !== null) {
      this.#closed = true
      this.#starting.reject(new Error(`${this.#log.name} cannot be used: ${reasonOf(error)}`))
      this.#starting = null
      this.#log.close()
      return 0
    }
    const halted = this.#trouble.is(error)
    if (this.#lead !== null) return Math.min(retryMs, renewMs / 2)
    this.#leader.is(null)
    if (!halted) return retryMs
    this.#reader.startAnew()
    return haltedRetryMs
  }
}
