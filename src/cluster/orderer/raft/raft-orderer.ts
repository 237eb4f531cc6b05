import { NotLeader, type OrderedLogListener } from '../../../machine/machine.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/uuid.ts'
import type { Address, Timer } from '../../../world/world.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { RecordEncoder } from '../batches.ts'
import { KnownLeader } from '../known-leader.ts'
import { MetadataLog, metadataTopic } from '../metadata-log.ts'
import type { Orderer, OrdererLeader, QuorumDescription, Voter } from '../orderer.ts'
import { encodeSnapshot } from '../snapshot.ts'
import { describeQuorum } from './describe.ts'
import { Effects } from './effects.ts'
import { LeaderProbe } from './leader-probe.ts'
import type { RaftOrdererOptions } from './orderer-options.ts'
import { OwnVote } from './own-vote.ts'
import type { QuorumNode } from './quorum-node.ts'
import { QuorumRecords } from './quorum-records.ts'
import { Raft } from './raft.ts'
import { checkNothingIsLost, recover } from './recovery.ts'
import { Replay } from './replay.ts'
import type { Records } from './transport.ts'
import { defaultRaftSettings, type RaftSettings } from './types.ts'
import { Whereabouts } from './whereabouts.ts'

/** ms that a leader waits for its successor when it goes. */
const resignMs = 1000

const noState = { leaderId: -1, leaderEpoch: 0, votedId: -1, votedDirectoryId: ZERO_UUID }

/**
 * The metadata log put in order by the nodes themselves: Raft (`raft.ts`) with Kafka's files (`MetadataLog`) and Kafka's
 * requests (`Transport`). A quorum of one elects itself as soon as it has started. Close it before the volume.
 */
export class RaftOrderer implements Orderer, QuorumNode {
  readonly whereabouts = new Whereabouts(() => this.#raft?.voters ?? [])
  readonly vote: OwnVote
  readonly #options: RaftOrdererOptions
  readonly #settings: RaftSettings
  readonly #log: MetadataLog
  readonly #replay: Replay
  readonly #encoder = new RecordEncoder()
  readonly #records: QuorumRecords
  readonly #effects: Effects
  readonly #probe: LeaderProbe
  readonly #leader = new KnownLeader()
  #listener: OrderedLogListener<MetadataRecord> | null = null
  #raft: Raft<Records> | null = null
  /** The epoch in which the listener was told to lead. */
  #told: number | null = null
  #starting: { resolve(): void; reject(error: Error): void } | null = null
  #timer: Timer | null = null
  #timerAt = Number.POSITIVE_INFINITY
  #appendedSoon = false
  #settling = false
  #unsettled = false
  #unwatch: () => void = () => {}
  #closed = false
  #snapshotting: Promise<void> = Promise.resolve()

  constructor(options: RaftOrdererOptions) {
    const { voter, world, peers, logger, volume } = options
    if (!volume.list().some(({ topic }) => topic === metadataTopic.topic)) checkNothingIsLost(volume)
    this.#options = options
    this.#settings = { ...defaultRaftSettings, ...options.settings }
    this.#log = new MetadataLog(options, {
      progress: () => this.#progress(),
      dropped: (from, error) => this.#dropped(from, error),
      failed: error => options.failed(error),
    })
    this.#replay = new Replay({
      log: this.#log,
      listener: () => this.#listener,
      follow: record => this.#encoder.follow(record),
      failed: error => options.failed(error),
    })
    this.#replay.onCaughtUp(() => this.#takeLead())
    this.#records = new QuorumRecords(this.#log, this.#replay, voter, world.clock)
    this.#probe = new LeaderProbe({
      peers,
      self: voter.id,
      logger,
      leader: () => this.raft?.leaderId ?? null,
      gone: leader => this.#event((raft, now) => raft.leaderLost(leader, now)),
    })
    this.#effects = new Effects({
      options,
      log: this.#log,
      replay: this.#replay,
      records: this.#records,
      whereabouts: this.whereabouts,
      raft: () => this.raft,
      event: run => this.#event(run),
      progress: () => this.#progress(),
      probe: node => this.#probe.probe(node),
      notStarted: error => this.#notStarted(error),
    })
    this.vote = new OwnVote(this, this.#log, options)
  }

  // The orderer.

  follow(listener: OrderedLogListener<MetadataRecord>): void {
    this.#listener = listener
  }

  async start(): Promise<void> {
    const { voter, joins = false, peers, seeds = [] } = this.#options
    const found = await recover(this.#log, this.#replay, this.#options)
    if (this.#closed) return
    if (joins && seeds.length === 0 && found.voters.at(-1)!.voters.length === 0)
      throw new Error('this node was joining a cluster and does not know its members yet: start it with --join again')
    this.#records.kraftVersion = found.kraftVersion
    const raft = new Raft<Records>({
      self: voter,
      settings: this.#settings,
      log: this.#log,
      io: this.#effects,
      state: found.state,
      voters: found.voters,
      flushed: this.#log.durableOffset,
      committed: found.committed,
      seeds: seeds.length,
    })
    this.#raft = raft
    this.#unwatch = peers?.onLost(node => this.#probe.probe(node)) ?? this.#unwatch
    // What joins says so on its disk: started again on its own it must not begin a cluster.
    if (joins && !found.known) await this.#log.writeQuorumState({ ...noState, voterIds: null })
    const alone = raft.voters.length === 1 && raft.isVoter
    const led = new Promise<void>((resolve, reject) => {
      if (alone) this.#starting = { resolve, reject }
      else resolve()
    })
    this.#event((_, now) => raft.start(now))
    await led
  }

  append(epoch: number, records: readonly MetadataRecord[], timestamp: number): number {
    if (this.#told !== epoch || !this.#raft?.mayAppend || this.#closed) throw new NotLeader()
    const end = this.#log.append(this.#encoder.dataBatch(records, timestamp), epoch, timestamp)
    this.#replay.add({ records, end, timestamp, own: true })
    this.#announce()
    return end
  }

  compact(upTo: number, snapshot: Iterable<MetadataRecord>): void {
    const raft = this.#raft
    const epoch = this.#log.epochAt(upTo - 1)
    if (raft === null || epoch < 0 || upTo > raft.highWatermark || this.#closed) return
    if (upTo <= (this.#log.snapshot?.endOffset ?? 0)) return
    const { kraftVersion } = this.#records
    const voters = kraftVersion === 0 ? [] : raft.voterHistory.at(upTo)
    const content = { kraftVersion, voters, timestamp: this.#replay.lastTimestamp }
    const bytes = encodeSnapshot({ ...content, records: [...snapshot] }, epoch, this.#options.world.clock.now())
    const id = { endOffset: upTo, epoch }
    // The log is still whole: the next snapshot tries again.
    const failed = (error: unknown): void =>
      this.#options.logger.warn('The snapshot of the metadata could not be written', { ...id, error })
    try {
      this.#log.roll()
    } catch (error) {
      failed(error)
      return
    }
    this.#snapshotting = this.#snapshotting
      .then(() => (this.#closed ? undefined : this.#log.keepSnapshot(id, bytes)))
      .catch(failed)
  }

  describe(): QuorumDescription {
    return describeQuorum(this.#raft, this.#log, this.#options)
  }

  wholeAsOf(): number {
    const { raft } = this
    // A leader has all; its listener has when it was told to lead.
    if (raft === null || (raft.role === 'leader' && this.#told === null)) return Number.NEGATIVE_INFINITY
    return raft.wholeAsOf(this.#options.world.clock.mono(), this.#replay.given)
  }

  leader(): OrdererLeader | null {
    return this.#leader.now
  }

  onLeader(run: (leader: OrdererLeader | null) => void): () => void {
    return this.#leader.watch(run)
  }

  heardOf(node: number): Address | null {
    return this.whereabouts.heard(node)
  }

  async resign(): Promise<void> {
    const raft = this.#raft
    if (raft === null || (raft.voters.length === 1 && raft.isVoter)) return
    const { id } = this.#options.voter
    const led = raft.role === 'leader'
    this.#event((_, now) => raft.leave(now))
    if (!led) return
    await new Promise<void>(resolve => {
      const done = () => {
        timer.cancel()
        unwatch()
        resolve()
      }
      const timer = this.#options.world.timers.after(resignMs, done)
      const unwatch = this.onLeader(leader => {
        if (leader !== null && leader.id !== id) done()
      })
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#told = null
    this.#timer?.cancel()
    this.#unwatch()
    this.vote.stop()
    this.#replay.close()
    this.#starting?.reject(new Error('the node is closing'))
    await this.#snapshotting
    await this.#log.close()
  }

  // For those who serve what other nodes ask.

  get raft(): Raft<Records> | null {
    return this.#closed ? null : this.#raft
  }

  get log(): MetadataLog {
    return this.#log
  }

  get voter(): Voter {
    return this.#options.voter
  }

  get ledSince(): number {
    return this.#effects.ledSince
  }

  event<T>(run: (raft: Raft<Records>, now: number) => T): T {
    const raft = this.raft
    if (raft === null) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'this node is starting or stopping')
    let result: T | undefined
    this.#event((_, now) => {
      result = run(raft, now)
    })
    return result as T
  }

  // In between.

  #event(run: (raft: Raft<Records>, now: number) => void): void {
    if (this.#closed || this.#raft === null) return
    run(this.#raft, this.#options.world.clock.mono())
    this.#unsettled = true
    if (this.#settling) return
    this.#settling = true
    try {
      while (this.#unsettled && !this.#closed) {
        this.#unsettled = false
        this.#settle()
      }
    } finally {
      this.#settling = false
    }
  }

  /** Whoever is told something may make the next event of it. */
  #settle(): void {
    if (this.#told !== null && this.#told !== this.#effects.leadsIn) this.#loseLead()
    this.#replay.pump()
    this.#tellLeader()
    this.#arm()
    this.vote.watch(this.#raft!)
  }

  #loseLead(): void {
    this.#told = null
    this.#listener?.lead(null)
    this.#replay.reload()
  }

  /** All that came before our epoch was given. */
  #takeLead(): void {
    const epoch = this.#effects.leadsIn
    if (epoch === null || this.#told !== null || this.#closed) return
    if (this.#replay.unfinished) this.#abortTransaction(epoch)
    this.#told = epoch
    this.#listener?.lead(epoch)
    this.#starting?.resolve()
    this.#starting = null
  }

  /** The controller of a Kafka that began it is gone. */
  #abortTransaction(epoch: number): void {
    const now = this.#options.world.clock.now()
    const abort = { type: 'AbortTransactionRecord', reason: 'The controller that began it is gone.' } as const
    this.#log.append(this.#encoder.dataBatch([abort], now), epoch, now)
    this.#replay.abort()
    this.#announce()
  }

  /** Followers hear of what was appended in this turn of the event loop at once, in one go. */
  #announce(): void {
    if (this.#appendedSoon) return
    this.#appendedSoon = true
    this.#options.world.timers.soon(() => {
      this.#appendedSoon = false
      this.#event((raft, now) => raft.appended(now))
    })
  }

  #progress(): void {
    this.#event((raft, now) => raft.flushed(this.#log.durableOffset, raft.generation, now))
  }

  #dropped(from: number, error: Error): void {
    if (this.#closed) return
    this.#replay.drop(from)
    this.#event((raft, now) => raft.dropped(from, now))
    if (!this.#notStarted(error)) this.#progress()
  }

  /** False: no start is under way. */
  #notStarted(error: Error): boolean {
    const starting = this.#starting
    this.#starting = null
    starting?.reject(error)
    return starting !== null
  }

  #tellLeader(): void {
    const raft = this.#raft!
    const { leaderId: id, epoch } = raft
    // Who leads but has not begun decides nothing yet.
    const none = id < 0 || (id === this.#options.voter.id && this.#told === null)
    this.#leader.is(none ? null : { id, epoch })
  }

  #arm(): void {
    const { deadline } = this.#raft!
    if (deadline === this.#timerAt || this.#closed) return
    this.#timer?.cancel()
    this.#timer = null
    this.#timerAt = deadline
    if (deadline === Number.POSITIVE_INFINITY) return
    const { clock, timers } = this.#options.world
    this.#timer = timers.after(Math.max(0, deadline - clock.mono()), () => {
      this.#timerAt = Number.POSITIVE_INFINITY
      this.#event((raft, now) => raft.tick(now))
    })
  }
}
