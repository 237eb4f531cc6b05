import type { SnapshotId } from '../snapshot.ts'
import type { Copy } from './copy.ts'
import { Freshness } from './freshness.ts'
import type {
  FetchRequest,
  FetchResponse,
  FetchSnapshotResponse,
  RaftIo,
  RaftRequest,
  RaftSettings,
  ReplicaKey,
  Target,
} from './types.ts'

/** What a follower needs of the replica that it is. */
export interface FollowingContext<Records> {
  readonly self: ReplicaKey
  readonly epoch: number
  readonly settings: RaftSettings
  readonly copy: Copy
  readonly io: Pick<RaftIo<Records>, 'appendFetched' | 'takeSnapshot'>
  /** Sends when our epoch is on stable storage, unless our role has ended by then. */
  send(to: Target, request: () => RaftRequest): void
}

/** One epoch of a follower, voter or not: fetches what the leader has, and says by that what it has itself. */
export class Following<Records> {
  readonly leaderId: number
  readonly #context: FollowingContext<Records>
  /** A Fetch or FetchSnapshot is on its way. */
  #asked = false
  /** When the last one was wanted. */
  #askedAt = 0
  readonly #freshness = new Freshness()
  #askAt = Number.POSITIVE_INFINITY
  #keepAliveAt = Number.POSITIVE_INFINITY
  /** When the leader is doubted. */
  #doubtAt: number
  #confirmed = false
  /** Answers in a row that could not be taken. */
  #refusals = 0
  #download: { readonly id: SnapshotId; position: number } | null = null

  constructor(context: FollowingContext<Records>, leaderId: number, now: number) {
    this.#context = context
    this.leaderId = leaderId
    this.#doubtAt = now + context.settings.fetchTimeoutMs
    context.copy.unmatched()
  }

  /** The leader itself was heard: until then we only know from others, or from before, who it may be. */
  get confirmed(): boolean {
    return this.#confirmed
  }

  get doubtAt(): number {
    return this.#doubtAt
  }

  /** Monotonic ms: what was committed by then is applied, for sure, when all below `applied` is. */
  wholeAsOf(applied: number): number {
    const { copy, epoch } = this.#context
    // A snapshot may hold all that there is of this epoch.
    const begin = copy.log.startEpoch >= epoch ? -1 : copy.log.endOffsetFor(epoch - 1).endOffset
    return this.#freshness.asOf(applied, begin)
  }

  get deadline(): number {
    return Math.min(this.#askAt, this.#keepAliveAt, this.#doubtAt)
  }

  /** The leader is there. */
  heard(now: number): void {
    this.#confirmed = true
    this.#doubtAt = now + this.#context.settings.fetchTimeoutMs
  }

  tick(now: number): void {
    if (now >= this.#askAt) this.ask(now)
    if (now < this.#keepAliveAt) return
    this.#keepAliveAt = Number.POSITIVE_INFINITY
    if (this.#context.copy.settled) return
    // Our disk is slow, or busy: that neither the leader nor we are dead must be said all the same.
    this.#keepAliveAt = now + this.#context.settings.fetchTimeoutMs / 3
    this.#context.send({ id: this.leaderId }, () => this.#fetchRequest(true))
  }

  /** The next Fetch goes when everything fetched before is on stable storage: what it names is what we have. */
  ask(now: number): void {
    this.#askAt = Number.POSITIVE_INFINITY
    if (this.#asked) return
    const { copy, settings, epoch, self, send } = this.#context
    if (!copy.settled) {
      this.#keepAliveAt = Math.min(this.#keepAliveAt, now + settings.fetchTimeoutMs / 3)
      return
    }
    this.#keepAliveAt = Number.POSITIVE_INFINITY
    this.#asked = true
    this.#askedAt = now
    send({ id: this.leaderId }, () => {
      const part = this.#download
      if (part === null) return this.#fetchRequest(false)
      return { type: 'fetchSnapshot', epoch, replica: self, snapshot: part.id, position: part.position }
    })
  }

  /** Later and later where what comes cannot be taken: it may stay so. But so that the leader knows us to be there. */
  askLater(now: number): void {
    const { retryMs, fetchTimeoutMs } = this.#context.settings
    const pauseMs = Math.min(retryMs * 2 ** Math.min(this.#refusals, 10), Math.max(retryMs, fetchTimeoutMs / 3))
    this.#askAt = Math.min(this.#askAt, now + pauseMs)
  }

  failed(request: RaftRequest, now: number): void {
    if (this.#settles(request)) this.askLater(now)
  }

  fetched(request: FetchRequest, response: FetchResponse<Records>, now: number): void {
    const settles = this.#settles(request)
    if (response.error !== null) {
      // It leads, and cannot read what we want.
      if (response.error === 'KAFKA_STORAGE_ERROR') {
        this.heard(now)
        this.#refusals++
      }
      if (settles) this.askLater(now)
      return
    }
    this.heard(now)
    const { copy } = this.#context
    if (response.diverging === null && response.snapshot === null) copy.matches(request.fetchOffset)
    copy.told(response.highWatermark)
    const current = response.diverging === null && response.snapshot === null && response.highWatermark >= 0
    if (settles && current) this.#freshness.note(this.#askedAt, response.highWatermark)
    const took = settles && this.#took(request, response)
    copy.commitTold()
    if (!settles) return
    if (took) this.ask(now)
    else this.askLater(now)
  }

  gotPart(request: RaftRequest & { type: 'fetchSnapshot' }, response: FetchSnapshotResponse, now: number): void {
    this.#settles(request)
    this.heard(now)
    if (this.#tookPart(request.position, response)) this.ask(now)
    else this.askLater(now)
  }

  /** What was asked is answered: another may be. */
  #settles(request: RaftRequest): boolean {
    if (request.type === 'fetch' && request.keepAlive) return false
    this.#asked = false
    return true
  }

  /** False: try again, but not at once. */
  #took(request: FetchRequest, response: FetchResponse<Records>): boolean {
    const { copy, io } = this.#context
    if (response.diverging !== null) return copy.cut(response.diverging)
    if (response.snapshot !== null) {
      // What is committed here is never thrown away for something older.
      if (response.snapshot.endOffset < copy.highWatermark) return false
      this.#download = { id: response.snapshot, position: 0 }
    } else if (response.records !== null) {
      if (request.fetchOffset !== copy.log.endOffset) return false
      try {
        for (const change of io.appendFetched(response.records)) copy.voters.append(change)
        copy.matches(copy.log.endOffset)
      } catch {
        this.#refusals++
        return false
      }
    }
    this.#refusals = 0
    return true
  }

  #tookPart(position: number, response: FetchSnapshotResponse): boolean {
    const { copy, io } = this.#context
    const part = this.#download
    if (part === null) return false
    if (response.error !== null || response.position !== position || part.position !== position) {
      this.#download = null
      return false
    }
    part.position += response.bytes.length
    if (part.position >= response.size) {
      this.#download = null
      copy.install()
    } else if (response.bytes.length === 0) return false
    io.takeSnapshot(part.id, position, response.bytes, response.size)
    return true
  }

  #fetchRequest(keepAlive: boolean): FetchRequest {
    const { epoch, self, copy, settings } = this.#context
    return {
      type: 'fetch',
      epoch,
      replica: self,
      fetchOffset: copy.flushed,
      lastFetchedEpoch: copy.flushedEpoch,
      highWatermark: copy.highWatermark,
      maxWaitMs: keepAlive ? 0 : settings.fetchWaitMs,
      keepAlive,
    }
  }
}
