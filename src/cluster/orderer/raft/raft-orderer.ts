import { NotLeader, type OrderedLogListener } from '../../../machine/machine.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/uuid.ts'
import { isFull } from '../../../store/disk-full.ts'
import type { Address, Timer } from '../../../world/world.ts'
import type { Peers } from '../../peers.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { type ControlRecord, controlBatch, RecordEncoder, readMetadataBatches } from '../batches.ts'
import { MetadataLog } from '../metadata-log.ts'
import type { Orderer, OrdererLeader, QuorumDescription, Voter } from '../orderer.ts'
import { encodeSnapshot, type SnapshotId } from '../snapshot.ts'
import { describeQuorum } from './describe.ts'
import { Downloads } from './downloads.ts'
import type { RaftOrdererOptions } from './orderer-options.ts'
import { Raft } from './raft.ts'
import { recover } from './recovery.ts'
import { Replay } from './replay.ts'
import type { Records } from './transport.ts'
import type { RaftRequest, Target } from './types.ts'
import { defaultRaftSettings, type ElectionState, type RaftIo, type RaftSettings, type VotersAt } from './types.ts'
import { includes } from './voters.ts'

/** ms between attempts to write where the disk is full. */
const retryMs = 1000
/** ms that a leader waits for its successor when it goes. */
const resignMs = 1000
const defaultFetchBytes = 1024 * 1024
const defaultRequestMs = 1500

/**
 * The metadata log put in order by the nodes themselves: Raft (`raft.ts`) with Kafka's files (`MetadataLog`) and Kafka's
 * requests (`Transport`). A quorum of one elects itself as soon as it has started. Close it before the volume.
 */
export class RaftOrderer implements Orderer, RaftIo<Records> {
  readonly #options: RaftOrdererOptions
  readonly #settings: RaftSettings
  readonly #log: MetadataLog
  readonly #replay: Replay
  readonly #encoder = new RecordEncoder()
  readonly #downloads = new Downloads()
  readonly #watchers: ((leader: OrdererLeader | null) => void)[] = []
  readonly #learnt = new Map<number, Address>()
  #listener: OrderedLogListener<MetadataRecord> | null = null
  #raft: Raft<Records> | null = null
  #transport: Promise<import('./transport.ts').Transport> | null = null
  #kraftVersion = 0
  /** The epoch in which we lead. */
  #leadsIn: number | null = null
  /** The epoch in which the listener was told to lead. */
  #told: number | null = null
  #known: OrdererLeader | null = null
  #starting: { resolve(): void; reject(error: Error): void } | null = null
  #timer: Timer | null = null
  #timerAt = Number.POSITIVE_INFINITY
  #appendedSoon = false
  #probing = false
  #settling = false
  #unsettled = false
  #ledSince = 0
  #hasLeftQuorum = false
  #applying = false
  /** Noted until somebody has drawn the consequences: that this node had a vote. */
  wasVoter = false
  #applicant: { stop(): void } | null = null
  #unwatch: () => void = () => {}
  #closed = false
  #snapshotting: Promise<void> = Promise.resolve()

  constructor(options: RaftOrdererOptions) {
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
  }

  // The orderer.

  follow(listener: OrderedLogListener<MetadataRecord>): void {
    this.#listener = listener
  }

  async start(): Promise<void> {
    const { voter, joins = false, volume: _, peers, seeds = [] } = this.#options
    const found = await recover(this.#log, this.#replay, voter, joins)
    if (this.#closed) return
    if (joins && seeds.length === 0 && found.voters.at(-1)!.voters.length === 0)
      throw new Error('this node was joining a cluster and does not know its members yet: start it with --join again')
    this.#kraftVersion = found.kraftVersion
    const raft = new Raft<Records>({
      self: voter,
      settings: this.#settings,
      log: this.#log,
      io: this,
      state: found.state,
      voters: found.voters,
      flushed: this.#log.durableOffset,
      committed: found.committed,
      seeds: seeds.length,
    })
    this.#raft = raft
    this.#unwatch = peers?.onLost(node => this.#lost(node)) ?? this.#unwatch
    // What joins says so on its disk: started again on its own it must not begin a cluster.
    if (joins && !found.known) await this.#log.writeQuorumState({ ...noState, voterIds: null })
    const alone = raft.voters.length === 1 && raft.isVoter
    const led = new Promise<void>((resolve, reject) => {
      if (alone) this.#starting = { resolve, reject }
      else resolve()
    })
    this.#event(now => raft.start(now))
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
    const voters = this.#kraftVersion === 0 ? [] : raft.voterHistory.at(upTo)
    const content = { kraftVersion: this.#kraftVersion, voters, timestamp: this.#replay.lastTimestamp }
    const bytes = encodeSnapshot({ ...content, records: [...snapshot] }, epoch, this.#options.world.clock.now())
    const id = { endOffset: upTo, epoch }
    this.#log.roll()
    this.#snapshotting = this.#snapshotting
      .then(() => (this.#closed ? undefined : this.#log.keepSnapshot(id, bytes)))
      // The log is still whole: the next snapshot tries again.
      .catch(error => this.#options.logger.warn('The snapshot of the metadata could not be written', { ...id, error }))
  }

  describe(): QuorumDescription {
    return describeQuorum(this.#raft, this.#log, this.#options)
  }

  leader(): OrdererLeader | null {
    return this.#known
  }

  onLeader(run: (leader: OrdererLeader | null) => void): () => void {
    this.#watchers.push(run)
    return () => {
      const at = this.#watchers.indexOf(run)
      if (at >= 0) this.#watchers.splice(at, 1)
    }
  }

  async resign(): Promise<void> {
    const raft = this.#raft
    if (raft === null || (raft.voters.length === 1 && raft.isVoter)) return
    const { id } = this.#options.voter
    const led = raft.role === 'leader'
    this.#event(now => raft.leave(now))
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
    this.#applicant?.stop()
    this.#replay.close()
    this.#starting?.reject(new Error('the node is closing'))
    await this.#snapshotting
    await this.#log.close()
  }

  // For those who serve what other nodes ask.

  /** Null before the start. */
  get raft(): Raft<Records> | null {
    return this.#closed ? null : this.#raft
  }

  get log(): MetadataLog {
    return this.#log
  }

  get kraftVersion(): number {
    return this.#kraftVersion
  }

  get voter(): Voter {
    return this.#options.voter
  }

  /** Monotonic ms: since when we lead. */
  get ledSince(): number {
    return this.#ledSince
  }

  /** This node was removed from the voters on purpose, and does not apply again. */
  get hasLeftQuorum(): boolean {
    return this.#hasLeftQuorum
  }

  leaveQuorum(): void {
    this.#hasLeftQuorum = true
    this.#options.logger.info('this node was removed from the voters; it applies for a vote no more')
    this.#log
      .note(leftQuorumName, 'This node was removed from the voters.\n')
      .catch(error => this.#options.logger.warn('that could not be written down', { error }))
  }

  /** Somebody has made it a voter again. */
  rejoinQuorum(): void {
    this.#hasLeftQuorum = false
    this.#log.dropNote(leftQuorumName)
  }

  /** Runs an event of the state machine, and what follows from it. */
  event<T>(run: (raft: Raft<Records>, now: number) => T): T {
    const raft = this.raft
    if (raft === null) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'this node is starting or stopping')
    let result: T | undefined
    this.#event(now => {
      result = run(raft, now)
    })
    return result as T
  }

  /** Where a node is, as far as the quorum knows. */
  addressOf(node: number): Address | null {
    const endpoint = this.#raft?.voters.find(({ id }) => id === node)?.endpoints[0]
    return endpoint ?? this.#learnt.get(node) ?? null
  }

  heardOf(node: number): Address | null {
    return this.#learnt.get(node) ?? null
  }

  learn(node: number, address: Address): void {
    this.#learnt.set(node, { host: address.host, port: address.port })
    // Nodes are few; whoever made them many should not take our memory.
    if (this.#learnt.size > 1000) this.#learnt.delete(this.#learnt.keys().next().value!)
  }

  // What the state machine wants.

  persist(state: ElectionState, sequence: number): void {
    const voterIds = this.#kraftVersion === 0 ? [this.#options.voter.id] : null
    const { epoch: leaderEpoch, leaderId, voted } = state
    const file = {
      leaderId,
      leaderEpoch,
      votedId: voted?.id ?? -1,
      votedDirectoryId: voted?.directoryId ?? ZERO_UUID,
      voterIds,
    }
    this.#log.writeQuorumState(file).then(
      () => this.#event(() => this.#raft?.persisted(sequence)),
      error => {
        if (this.#closed) return
        if (!isFull(error)) this.#options.failed(error)
        else if (this.#starting !== null) this.#notStarted(error)
        else this.#options.world.timers.after(retryMs, () => this.#closed || this.persist(this.#raft!.state, sequence))
      },
    )
  }

  send(to: Target, request: RaftRequest, token: number): void {
    const target = 'seed' in to ? this.#options.seeds?.[to.seed] : this.#target(to.id)
    const failed = () => {
      this.#event(now => this.#raft?.failed(token, now))
      if (request.type === 'fetch' && 'id' in to) this.#probe(to.id)
    }
    if (this.#options.peers === null || target === undefined) {
      this.#options.world.timers.soon(failed)
      return
    }
    this.#loadTransport()
      .then(transport => transport.send(target, request))
      .then(
        response => this.#event(now => this.#raft?.response(token, response, now)),
        error => {
          this.#options.logger.debug('a request of the quorum was not answered', { type: request.type, error })
          failed()
        },
      )
  }

  appendLeaderChange(epoch: number, voters: readonly Voter[]): number {
    const { world, voter } = this.#options
    const now = world.clock.now()
    const control: ControlRecord[] = [
      { type: 'leaderChange', leaderId: voter.id, voterIds: voters.map(({ id }) => id) },
    ]
    if (this.#log.endOffset === 0 && this.#kraftVersion > 0) {
      control.push({ type: 'kraftVersion', kraftVersion: this.#kraftVersion })
      control.push({ type: 'voters', voters })
    }
    return this.#log.append(controlBatch(control, now), epoch, now)
  }

  appendVoters(epoch: number, voters: readonly Voter[]): number {
    const now = this.#options.world.clock.now()
    const control: ControlRecord[] = [{ type: 'voters', voters }]
    // A quorum whose voters stood in configuration files has them in the log from here on.
    if (this.#kraftVersion === 0) control.unshift({ type: 'kraftVersion', kraftVersion: 1 })
    const end = this.#log.append(controlBatch(control, now), epoch, now)
    this.#kraftVersion = 1
    return end
  }

  appendFetched(bytes: Records): readonly VotersAt[] {
    const changes: VotersAt[] = []
    const batches = [...readMetadataBatches(bytes)]
    this.#log.appendFetched(bytes, this.#options.world.clock.now())
    for (const { control, records, baseOffset, endOffset: end, timestamp } of batches) {
      for (const record of control) {
        if (record.type === 'voters') changes.push({ offset: baseOffset, voters: record.voters })
        if (record.type === 'kraftVersion') this.#kraftVersion = record.kraftVersion
      }
      if (records.length > 0) this.#replay.add({ records, end, timestamp, own: false })
    }
    return changes
  }

  truncate(to: number, generation: number): void {
    this.#options.logger.info('the end of the metadata log was never committed and goes', { from: to })
    this.#replay.drop(to)
    this.#log.truncate(to).then(
      () => {
        this.#event(now => this.#raft?.truncated(generation, now))
        this.#progress()
      },
      error => this.#closed || this.#options.failed(error),
    )
  }

  takeSnapshot(id: SnapshotId, position: number, bytes: Uint8Array, size: number): void {
    const whole = this.#downloads.take(id, position, bytes, size)
    if (whole === null) return
    this.#install(id, whole).catch(error => {
      if (this.#closed) return
      this.#options.logger.error('The snapshot of the metadata that the leader gave cannot be used', { ...id, error })
      this.#options.world.timers.after(retryMs, () => this.#event(now => this.#raft?.notInstalled(now)))
    })
  }

  committed(highWatermark: number): void {
    // Given to the listener when the event is over: it may append.
    this.#replay.commitLater(highWatermark)
  }

  lead(epoch: number | null): void {
    this.#leadsIn = epoch
    this.#ledSince = this.#options.world.clock.mono()
  }

  leaderChanged(): void {}

  suspect(leaderId: number): void {
    this.#probe(leaderId)
  }

  broken(why: string): void {
    this.#options.failed(new Error(`the metadata log of this node cannot be gone on with: ${why}`))
  }

  random(below: number): number {
    return this.#options.world.random.int(below)
  }

  // In between.

  #event(run: (now: number) => void): void {
    if (this.#closed || this.#raft === null) return
    run(this.#options.world.clock.mono())
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
    if (this.#told !== null && this.#told !== this.#leadsIn) this.#loseLead()
    this.#replay.pump()
    this.#tellLeader()
    this.#arm()
    this.#watchVoters(this.#raft!)
  }

  /** A node of a quorum of several looks after its vote. */
  #watchVoters(raft: Raft<Records>): void {
    if (this.#applicant === null) {
      const { peers, voter } = this.#options
      if (peers === null || this.#applying || (raft.voters.length === 1 && includes(raft.voters, voter))) return
      this.#applying = true
      void this.#startApplicant(peers)
    } else if (!this.wasVoter) this.wasVoter = includes(raft.voterHistory.at(raft.highWatermark), this.#options.voter)
  }

  #loseLead(): void {
    this.#told = null
    this.#listener?.lead(null)
    this.#replay.reload()
  }

  /** All that came before our epoch was given. */
  #takeLead(): void {
    const epoch = this.#leadsIn
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
      this.#event(now => this.#raft?.appended(now))
    })
  }

  #progress(): void {
    this.#event(now => this.#raft?.flushed(this.#log.durableOffset, this.#raft.generation, now))
  }

  #dropped(from: number, error: Error): void {
    if (this.#closed) return
    this.#replay.drop(from)
    this.#event(now => this.#raft?.dropped(from, now))
    if (this.#starting !== null) this.#notStarted(error)
    else this.#progress()
  }

  #notStarted(error: Error): void {
    const starting = this.#starting
    this.#starting = null
    starting?.reject(error)
  }

  #tellLeader(): void {
    const raft = this.#raft!
    const { leaderId: id, epoch } = raft
    // Who leads but has not begun decides nothing yet.
    const none = id < 0 || (id === this.#options.voter.id && this.#told === null)
    if (none ? this.#known === null : this.#known?.id === id && this.#known.epoch === epoch) return
    this.#known = none ? null : { id, epoch }
    for (const run of [...this.#watchers]) run(this.#known)
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
      this.#event(now => this.#raft?.tick(now))
    })
  }

  #target(id: number): number | Address | undefined {
    const voter = this.#raft?.voters.some(voter => voter.id === id && voter.endpoints.length > 0)
    return voter ? id : (this.#learnt.get(id) ?? id)
  }

  #loadTransport(): Promise<import('./transport.ts').Transport> {
    // A quorum of one never needs it.
    this.#transport ??= import('./transport.ts').then(({ Transport }) => {
      const { peers, clusterId, voter, fetchBytes, requestTimeoutMs } = this.#options
      return new Transport({
        peers: peers!,
        clusterId,
        own: () => voter.endpoints,
        maxBytes: fetchBytes ?? defaultFetchBytes,
        timeoutMs: requestTimeoutMs ?? defaultRequestMs,
        learn: (node, address) => this.learn(node, address),
      })
    })
    return this.#transport
  }

  async #startApplicant(peers: Peers): Promise<void> {
    const { Applicant } = await import('./applicant.ts')
    if (this.#closed) return
    this.#hasLeftQuorum = this.#log.hasNote(leftQuorumName)
    const { world, logger, clusterId, applies = true } = this.#options
    this.#applicant = new Applicant({
      orderer: this,
      peers,
      clusterId,
      clock: world.clock,
      timers: world.timers,
      logger,
      applies,
    })
  }

  #lost(node: number): void {
    if (node === this.#raft?.leaderId) this.#probe(node)
  }

  /** Whether somebody still listens where the leader was: when nobody does, nobody need wait for it. */
  #probe(node: number): void {
    const { peers, logger } = this.#options
    if (peers === null || this.#probing || this.#closed || node !== this.#raft?.leaderId) return
    if (node === this.#options.voter.id) return
    this.#probing = true
    peers
      .probe(node)
      .then(found => {
        if (found !== 'refused' || this.#closed) return
        logger.info('the leader of the metadata is gone: nobody listens at its address', { node })
        this.#event(now => this.#raft?.leaderLost(node, now))
      })
      .catch(error => logger.debug('the leader of the metadata could not be probed', { node, error }))
      .finally(() => {
        this.#probing = false
      })
  }

  async #install(id: SnapshotId, bytes: Uint8Array): Promise<void> {
    const { decodeSnapshot } = await import('../snapshot.ts')
    const snapshot = decodeSnapshot(bytes)
    await this.#log.installSnapshot(id, bytes)
    if (this.#closed) return
    this.#kraftVersion = snapshot.kraftVersion
    this.#replay.drop(0)
    this.#replay.load(snapshot.records, id.endOffset, snapshot.timestamp)
    this.#event(now => this.#raft?.installed(id, snapshot.voters, now))
  }
}

/** A file beside the log. */
const leftQuorumName = 'left-quorum'

const noState = { leaderId: -1, leaderEpoch: 0, votedId: -1, votedDirectoryId: ZERO_UUID }
