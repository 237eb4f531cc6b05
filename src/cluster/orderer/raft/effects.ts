import { ZERO_UUID } from '../../../protocol/uuid.ts'
import { isFull } from '../../../store/disk-full.ts'
import type { MetadataLog } from '../metadata-log.ts'
import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import { Downloads } from './downloads.ts'
import type { RaftOrdererOptions } from './orderer-options.ts'
import type { QuorumRecords } from './quorum-records.ts'
import type { Raft } from './raft.ts'
import type { Replay } from './replay.ts'
import type { Records } from './transport.ts'
import type { ElectionState, RaftIo, RaftRequest, Target, VotersAt } from './types.ts'
import type { Whereabouts } from './whereabouts.ts'

/** What the effects need of the orderer whose they are. */
export interface EffectsContext {
  readonly options: RaftOrdererOptions
  readonly log: MetadataLog
  readonly replay: Replay
  readonly records: QuorumRecords
  readonly whereabouts: Whereabouts
  /** Null when it is closed. */
  raft(): Raft<Records> | null
  /** Runs an event of the state machine, and what follows from it. Nothing happens when it is closed. */
  event(run: (raft: Raft<Records>, now: number) => void): void
  /** More of the log may be durable. */
  progress(): void
  probe(node: number): void
  /** Ends a start that is under way; false: there is none. */
  notStarted(error: Error): boolean
}

/** ms between attempts to write where the disk is full. */
const retryMs = 1000
const defaultFetchBytes = 1024 * 1024
const defaultRequestMs = 1500

/** What the state machine wants done, on this node's disk and by its connections. Each completion is an event of it. */
export class Effects implements RaftIo<Records> {
  readonly #context: EffectsContext
  readonly #options: RaftOrdererOptions
  readonly #downloads = new Downloads()
  #transport: Promise<import('./transport.ts').Transport> | null = null
  #leadsIn: number | null = null
  #ledSince = 0
  /** Where our log ended when what the leader gave could not be taken: said once. */
  #refusedAt = -1

  constructor(context: EffectsContext) {
    this.#context = context
    this.#options = context.options
  }

  /** The epoch in which we lead. */
  get leadsIn(): number | null {
    return this.#leadsIn
  }

  /** Monotonic ms: since when we lead, or do no longer. */
  get ledSince(): number {
    return this.#ledSince
  }

  get #closed(): boolean {
    return this.#context.raft() === null
  }

  persist(state: ElectionState, sequence: number): void {
    const { log, records, event, notStarted } = this.#context
    const voterIds = records.kraftVersion === 0 ? [this.#options.voter.id] : null
    const { epoch: leaderEpoch, leaderId, voted } = state
    const file = {
      leaderId,
      leaderEpoch,
      votedId: voted?.id ?? -1,
      votedDirectoryId: voted?.directoryId ?? ZERO_UUID,
      voterIds,
    }
    log.writeQuorumState(file).then(
      () => event(raft => raft.persisted(sequence)),
      error => {
        if (this.#closed) return
        if (!isFull(error)) this.#options.failed(error)
        else if (!notStarted(error)) this.#options.world.timers.after(retryMs, () => this.#persistAgain(sequence))
      },
    )
  }

  #persistAgain(sequence: number): void {
    const raft = this.#context.raft()
    if (raft !== null) this.persist(raft.state, sequence)
  }

  send(to: Target, request: RaftRequest, token: number): void {
    const { whereabouts, event, probe } = this.#context
    const target = 'seed' in to ? this.#options.seeds?.[to.seed] : whereabouts.target(to.id)
    const failed = () => {
      event((raft, now) => raft.failed(token, now))
      if (request.type === 'fetch' && 'id' in to) probe(to.id)
    }
    if (this.#options.peers === null || target === undefined) {
      this.#options.world.timers.soon(failed)
      return
    }
    this.#loadTransport()
      .then(transport => transport.send(target, request))
      .then(
        response => event((raft, now) => raft.response(token, response, now)),
        error => {
          this.#options.logger.debug('a request of the quorum was not answered', { type: request.type, error })
          failed()
        },
      )
  }

  appendLeaderChange(epoch: number, voters: readonly Voter[]): number {
    return this.#context.records.appendLeaderChange(epoch, voters)
  }

  appendVoters(epoch: number, voters: readonly Voter[]): number {
    return this.#context.records.appendVoters(epoch, voters)
  }

  appendFetched(bytes: Records): readonly VotersAt[] {
    const { log, records } = this.#context
    try {
      return records.appendFetched(bytes)
    } catch (error) {
      const offset = log.endOffset
      if (offset !== this.#refusedAt)
        this.#options.logger.error('what the leader gave of the metadata cannot be taken', { offset, error })
      this.#refusedAt = offset
      throw error
    }
  }

  truncate(to: number, generation: number): void {
    const { log, replay, event, progress } = this.#context
    this.#options.logger.info('the end of the metadata log was never committed and goes', { from: to })
    replay.drop(to)
    log.truncate(to).then(
      () => {
        event((raft, now) => raft.truncated(generation, now))
        progress()
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
      this.#options.world.timers.after(retryMs, () => this.#context.event((raft, now) => raft.notInstalled(now)))
    })
  }

  async #install(id: SnapshotId, bytes: Uint8Array): Promise<void> {
    const { log, replay, records, event } = this.#context
    const { decodeSnapshot } = await import('../snapshot.ts')
    const snapshot = decodeSnapshot(bytes)
    replay.replacing()
    try {
      await log.installSnapshot(id, bytes)
    } catch (error) {
      replay.notReplaced()
      throw error
    }
    if (this.#closed) return
    records.kraftVersion = snapshot.kraftVersion
    replay.drop(0)
    replay.load(snapshot.records, id.endOffset, snapshot.timestamp)
    event((raft, now) => raft.installed(id, snapshot.voters, now))
  }

  committed(highWatermark: number): void {
    // Given to the listener when the event is over: it may append.
    this.#context.replay.commitLater(highWatermark)
  }

  lead(epoch: number | null): void {
    this.#leadsIn = epoch
    this.#ledSince = this.#options.world.clock.mono()
  }

  suspect(leaderId: number): void {
    this.#context.probe(leaderId)
  }

  broken(why: string): void {
    this.#options.failed(new Error(`the metadata log of this node cannot be gone on with: ${why}`))
  }

  random(below: number): number {
    return this.#options.world.random.int(below)
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
        learn: (node, address) => this.#context.whereabouts.learn(node, address),
      })
    })
    return this.#transport
  }
}
