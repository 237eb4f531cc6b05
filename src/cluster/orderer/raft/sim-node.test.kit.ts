import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import type { Cluster } from './cluster.test.kit.ts'
import type { Raft } from './raft.ts'
import type {
  ElectionState,
  FetchAnswer,
  FetchResponse,
  RaftIo,
  RaftLog,
  RaftRequest,
  RaftResponse,
  ReplicaKey,
  Target,
  VotersAt,
} from './types.ts'

export interface Entry {
  readonly epoch: number
  readonly value: string
  readonly voters: readonly Voter[] | null
}

interface Content {
  start: number
  startEpoch: number
  entries: Entry[]
  snapshot: (SnapshotId & { readonly voters: readonly Voter[] }) | null
}

const requestTimeoutMs = 700
const settings = { fetchTimeoutMs: 1500, electionTimeoutMs: 500, retryMs: 20, fetchWaitMs: 500 }

const clone = (content: Content): Content => ({ ...content, entries: [...content.entries] })

export class SimNode implements RaftIo<Entry[]> {
  readonly id: number
  readonly voter: Voter
  readonly #cluster: Cluster
  raft!: Raft<Entry[]>
  up = true
  platter: Content = { start: 0, startEpoch: 0, entries: [], snapshot: null }
  cache: Content = { start: 0, startEpoch: 0, entries: [], snapshot: null }
  #platterState: ElectionState = { epoch: 0, leaderId: -1, voted: null }
  #bootstrap: readonly Voter[] = []
  /** Counts lives: what was begun in another one is over. */
  #life = 0
  #diskFree = 0
  #slowUntil = 0
  #pausedUntil = 0
  #flushing = false
  #flushAgain = false
  #highWatermark = 0
  #ledRole = false
  readonly #heardFrom = new Map<number, number>()
  #aloneSince = 0
  #truncated = false
  #timer = Number.POSITIVE_INFINITY

  constructor(cluster: Cluster, id: number) {
    this.#cluster = cluster
    this.id = id
    this.voter = { id, directoryId: `directory-of-${id}`, endpoints: [] }
  }

  get end(): number {
    return this.cache.start + this.cache.entries.length
  }

  begin(voters: readonly Voter[]): void {
    this.#bootstrap = voters
    this.#start()
  }

  entry(offset: number): string {
    const entry = this.cache.entries[offset - this.cache.start]
    return entry === undefined ? 'nothing' : `${entry.epoch} ${entry.value}`
  }

  epochAt(offset: number): number {
    if (offset < this.cache.start) return this.cache.startEpoch
    return this.cache.entries[offset - this.cache.start]?.epoch ?? -1
  }

  /** An event of the state machine, and what must be true after it. */
  #event(run: () => void): void {
    if (!this.up) return
    run()
    const { role, highWatermark } = this.raft
    if (highWatermark < this.#highWatermark) this.#cluster.fail(`high watermark of ${this.id} goes back`)
    if (highWatermark > this.end) this.#cluster.fail(`high watermark ${highWatermark} of ${this.id} is beyond its end`)
    this.#highWatermark = highWatermark
    if (this.#truncated) this.#checkVoters()
    const leads = role === 'leader'
    if (leads && !this.#ledRole) {
      this.#cluster.checkLeader(this)
      this.#heardFrom.clear()
      this.#aloneSince = this.#cluster.now
      this.#cluster.elected()
    }
    this.#ledRole = leads
    if (leads) this.#checkHeard()
    const deadline = this.raft.deadline
    if (deadline < this.#timer && deadline !== Number.POSITIVE_INFINITY) {
      this.#timer = deadline
      const life = this.#life
      this.#cluster.after(Math.max(0, deadline - this.#cluster.now), () => {
        if (life !== this.#life) return
        this.#timer = Number.POSITIVE_INFINITY
        this.receive(() => this.#event(() => this.raft.tick(this.#cluster.now)))
      })
    }
  }

  /** Those of the last change that is still in the log. */
  #checkVoters(): void {
    this.#truncated = false
    const last = this.cache.entries.findLast(({ voters }) => voters !== null)?.voters
    if (last !== undefined && last !== null && last !== this.raft.voters)
      this.#cluster.fail(`${this.id} goes by voters that are not in its log any more`)
  }

  /** A leader that hears from no majority must not lead for long. */
  #checkHeard(): void {
    const { now } = this.#cluster
    const { voters } = this.raft
    const heard = voters.filter(({ id }) => id === this.id || now - (this.#heardFrom.get(id) ?? -1e9) < 1000)
    if (heard.length > voters.length / 2 || now < this.#pausedUntil + 1000) this.#aloneSince = now
    if (now - this.#aloneSince > 5000) this.#cluster.fail(`${this.id} leads although nobody hears it`)
  }

  /** Now, or when we are no longer stopped. */
  receive(run: () => void): void {
    const wait = this.#pausedUntil - this.#cluster.now
    const life = this.#life
    if (wait > 0 && !this.#cluster.healed) this.#cluster.after(wait, () => life === this.#life && this.receive(run))
    else if (this.up) run()
  }

  // What fate does.

  crash(): void {
    if (!this.up) return
    const cluster = this.#cluster
    cluster.tell(`${this.id} crashes`)
    this.up = false
    this.#life++
    // Some of what was not synced may be there all the same.
    const same = this.platter.entries.length
    const contradicts = this.platter.start !== this.cache.start || this.cache.entries.length < same
    const prefix = !contradicts && (same === 0 || this.cache.entries[same - 1] === this.platter.entries[same - 1])
    if (prefix && this.cache.entries.length > same) {
      const kept = same + cluster.random.int(this.cache.entries.length - same + 1)
      this.platter.entries = this.cache.entries.slice(0, kept)
    }
    cluster.after(200 + cluster.random.int(4000), () => this.#restart())
  }

  #restart(): void {
    if (this.up) return
    this.up = true
    this.#life++
    this.#start()
  }

  #start(): void {
    const cluster = this.#cluster
    this.cache = clone(this.platter)
    this.#flushing = this.#flushAgain = false
    this.#diskFree = cluster.now
    this.#pausedUntil = 0
    this.#ledRole = false
    this.#timer = Number.POSITIVE_INFINITY
    const { snapshot, entries, start } = this.platter
    const base: VotersAt =
      snapshot === null
        ? { offset: -1, voters: this.#bootstrap }
        : { offset: snapshot.endOffset - 1, voters: snapshot.voters }
    const voters = [base]
    for (const [index, entry] of entries.entries()) {
      if (entry.voters !== null && start + index > base.offset)
        voters.push({ offset: start + index, voters: entry.voters })
    }
    this.#highWatermark = snapshot?.endOffset ?? 0
    cluster.tell(`${this.id} starts with ${this.end} in epoch ${this.#platterState.epoch}`)
    this.raft = new cluster.raft({
      self: { id: this.id, directoryId: this.voter.directoryId },
      settings,
      log: this.#log(),
      io: this,
      state: this.#platterState,
      voters,
      flushed: this.end,
      committed: this.#highWatermark,
      seeds: cluster.nodes.length,
    })
    this.#event(() => this.raft.start(cluster.now))
  }

  pause(ms: number): void {
    this.#cluster.tell(`${this.id} is stopped for ${ms} ms`)
    this.#pausedUntil = this.#cluster.now + ms
  }

  leave(): void {
    if (!this.up) return
    this.#cluster.tell(`${this.id} leaves`)
    this.#event(() => this.raft.leave(this.#cluster.now))
    const life = this.#life
    this.#cluster.after(300, () => life === this.#life && this.crash())
  }

  heal(): void {
    this.#slowUntil = 0
    this.#pausedUntil = 0
    if (!this.up) this.#restart()
  }

  append(value: string): void {
    this.#push({ epoch: this.raft.epoch, value, voters: null })
    this.#event(() => this.raft.appended(this.#cluster.now))
  }

  changeVoters(voters: readonly Voter[]): void {
    this.#event(() => this.raft.changeVoters(voters, this.#cluster.now))
  }

  /** What waits for the disk is dropped. */
  fillDisk(): void {
    const { length } = this.platter.entries
    if (!this.up || this.platter.start !== this.cache.start || this.cache.entries.length <= length) return
    if (this.cache.entries[length - 1] !== this.platter.entries[length - 1]) return
    this.#cluster.tell(`${this.id} drops from ${this.cache.start + length}: disk full`)
    this.cache.entries.length = length
    this.#truncated = true
    this.#highWatermark = Math.min(this.#highWatermark, this.end)
    this.#event(() => this.raft.dropped(this.end, this.#cluster.now))
    this.#event(() => this.raft.flushed(this.end, this.raft.generation, this.#cluster.now))
  }

  compact(): void {
    const upTo = this.#highWatermark
    const { snapshot, start } = this.cache
    if (!this.up || upTo < (snapshot?.endOffset ?? 0) + 10 || upTo > this.platter.start + this.platter.entries.length)
      return
    if (this.#diskFree > this.#cluster.now) return
    const epoch = this.epochAt(upTo - 1)
    const made = { endOffset: upTo, epoch, voters: this.raft.voterHistory.at(upTo) }
    for (const content of [this.cache, this.platter]) {
      if (snapshot !== null && snapshot.endOffset > start) {
        content.entries = content.entries.slice(snapshot.endOffset - content.start)
        content.start = snapshot.endOffset
        content.startEpoch = snapshot.epoch
      }
      content.snapshot = made
    }
  }

  // The log.

  #log(): RaftLog {
    const node = this
    return {
      get startOffset() {
        return node.cache.start
      },
      get startEpoch() {
        return node.cache.startEpoch
      },
      get endOffset() {
        return node.end
      },
      get lastEpoch() {
        return node.cache.entries.at(-1)?.epoch ?? node.cache.startEpoch
      },
      get snapshot() {
        return node.cache.snapshot
      },
      endOffsetFor(epoch) {
        const { entries, start, startEpoch } = node.cache
        let index = entries.length
        while (index > 0 && entries[index - 1]!.epoch > epoch) index--
        return { epoch: entries[index - 1]?.epoch ?? startEpoch, endOffset: start + index }
      },
    }
  }

  #push(entry: Entry): void {
    const offset = this.end
    const key = `${offset} ${entry.epoch}`
    const what = `${entry.value} after ${this.epochAt(offset - 1)}`
    const known = this.#cluster.written.get(key)
    if (known !== undefined && known !== what) this.#cluster.fail(`at ${key}: ${known}, and at ${this.id} ${what}`)
    this.#cluster.written.set(key, what)
    this.cache.entries.push(entry)
    this.#flush()
  }

  /** The disk does one thing after another. */
  #disk(run: () => void): void {
    const cluster = this.#cluster
    if (cluster.faults.slowDisks && !cluster.healed && cluster.now > this.#slowUntil && cluster.chance(15))
      this.#slowUntil = cluster.now + 3000
    const slow = cluster.now < this.#slowUntil && !cluster.healed
    const ms = slow ? 100 + cluster.random.int(700) : 0.5 + cluster.random.int(4)
    this.#diskFree = Math.max(this.#diskFree, cluster.now) + ms
    const life = this.#life
    cluster.after(this.#diskFree - cluster.now, () => {
      if (life === this.#life) run()
    })
  }

  #flush(): void {
    this.#flushAgain = true
    if (this.#flushing) return
    this.#flushing = true
    this.#flushAgain = false
    const { generation } = this.raft
    const synced = clone(this.cache)
    const end = synced.start + synced.entries.length
    this.#disk(() => {
      this.#flushing = false
      if (generation === this.raft.generation) {
        const { start, startEpoch, snapshot } = this.cache
        const entries = synced.entries.slice(Math.max(0, start - synced.start))
        this.platter = { start, startEpoch, entries, snapshot }
      }
      this.receive(() => this.#event(() => this.raft.flushed(end, generation, this.#cluster.now)))
      if (this.#flushAgain) this.#flush()
    })
  }

  // What the state machine wants.

  persist(state: ElectionState, sequence: number): void {
    this.#disk(() => {
      if (state.epoch < this.#platterState.epoch) this.#cluster.fail(`epoch of ${this.id} goes back on disk`)
      this.#platterState = state
      this.receive(() => this.#event(() => this.raft.persisted(sequence)))
    })
  }

  send(to: Target, request: RaftRequest, token: number): void {
    const cluster = this.#cluster
    this.#checkRequest(request)
    const life = this.#life
    const id = 'id' in to ? to.id : (to.seed % cluster.nodes.length) + 1
    const done = (run: () => void) => {
      if (life === this.#life) this.receive(() => this.#event(run))
    }
    cluster.after(requestTimeoutMs, () => done(() => this.raft.failed(token, cluster.now)))
    const target = cluster.nodes[id - 1]
    if (target === undefined || target === this) return
    cluster.deliver(this.id, id, () => {
      if (!target.up) return
      const theirLife = target.#life
      target.answer(request, response => {
        if (theirLife !== target.#life) return
        target.#checkResponse(request, response)
        cluster.deliver(id, this.id, () => done(() => this.raft.response(token, response, cluster.now)))
      })
    })
  }

  answer(request: RaftRequest, reply: (response: RaftResponse<Entry[]>) => void): void {
    const { now } = this.#cluster
    if (request.type === 'fetch' || request.type === 'fetchSnapshot') this.#heardFrom.set(request.replica.id, now)
    this.#event(() => {
      if (request.type === 'vote') this.raft.vote(request, now, reply)
      else if (request.type === 'begin') this.raft.begin(request, now, reply)
      else if (request.type === 'end') this.raft.end(request, now, reply)
      else if (request.type === 'fetch') this.raft.fetch(request, now, answer => reply(this.#read(answer)))
      else {
        const error = this.raft.leaderError(request.epoch)
        const { snapshot } = this.cache
        const found = snapshot?.endOffset === request.snapshot.endOffset
        this.raft.fetchesSnapshot(request.replica, now)
        const why = error ?? (found ? null : 'SNAPSHOT_NOT_FOUND')
        const bytes = new Uint8Array(why === null ? 10 : 0)
        this.raft.tell(news => reply({ ...news, error: why, size: 20, position: request.position, bytes }))
      }
    })
  }

  #read({ readFrom, ...answer }: FetchAnswer): FetchResponse<Entry[]> {
    const from = readFrom - this.cache.start
    const records = readFrom < 0 ? null : this.cache.entries.slice(from, from + 1 + this.#cluster.random.int(20))
    return { ...answer, records }
  }

  /** Nothing may be told that is not on the platter. */
  #checkRequest(request: RaftRequest): void {
    const cluster = this.#cluster
    const { epoch, voted, leaderId } = this.#platterState
    if (request.epoch > epoch) cluster.fail(`${this.id} tells of epoch ${request.epoch} that is not on its disk`)
    if (request.type === 'vote' && !request.preVote) {
      if (leaderId !== this.id && voted?.id !== this.id) cluster.fail(`${this.id} stands, its vote is not on its disk`)
      this.#checkVote(request.epoch, request.candidate)
    }
    if (request.type !== 'fetch') return
    const { platter } = this
    const end = platter.start + platter.entries.length
    const at = request.fetchOffset - 1 - platter.start
    if (request.fetchOffset > end) cluster.fail(`${this.id} fetches ${request.fetchOffset}, its disk ends at ${end}`)
    if (at >= 0 && platter.entries[at]!.epoch !== request.lastFetchedEpoch)
      cluster.fail(
        `${this.id} fetches from epoch ${request.lastFetchedEpoch}, its disk has ${platter.entries[at]!.epoch}`,
      )
  }

  #checkResponse(request: RaftRequest, response: RaftResponse<Entry[]>): void {
    const { epoch, voted } = this.#platterState
    if (response.epoch > epoch)
      this.#cluster.fail(`${this.id} tells of epoch ${response.epoch} that is not on its disk`)
    if (request.type === 'fetch' && response.epoch !== request.epoch && 'error' in response && response.error === null)
      this.#cluster.fail(`${this.id} leads in ${response.epoch} and answers a Fetch of ${request.epoch}`)
    if (request.type !== 'vote' || request.preVote || !('granted' in response) || !response.granted) return
    if (epoch === request.epoch && voted?.id !== request.candidate.id)
      this.#cluster.fail(`${this.id} gives a vote that is not on its disk`)
    this.#checkVote(request.epoch, request.candidate)
  }

  #checkVote(epoch: number, candidate: ReplicaKey): void {
    const key = `${epoch} ${this.voter.directoryId}`
    const known = this.#cluster.votes.get(key)
    if (known !== undefined && known !== candidate.directoryId) this.#cluster.fail(`${this.id} votes twice in ${epoch}`)
    this.#cluster.votes.set(key, candidate.directoryId)
  }

  appendLeaderChange(epoch: number): number {
    this.#cluster.tell(`${this.id} leads in ${epoch} from ${this.end} on`)
    this.#push({ epoch, value: `leader ${this.id}`, voters: null })
    return this.end
  }

  appendVoters(epoch: number, voters: readonly Voter[]): number {
    this.#push({ epoch, value: `voters ${voters.map(({ id }) => id).join()}`, voters })
    return this.end
  }

  appendFetched(records: Entry[]): readonly VotersAt[] {
    const changes: VotersAt[] = []
    for (const entry of records) {
      if (entry.voters !== null) changes.push({ offset: this.end, voters: entry.voters })
      this.#push(entry)
    }
    return changes
  }

  truncate(to: number, generation: number): void {
    this.#cluster.tell(`${this.id} truncates to ${to}`)
    if (to < this.#highWatermark) this.#cluster.fail(`${this.id} truncates to ${to}, below its high watermark`)
    this.cache.entries.length = to - this.cache.start
    this.#truncated = true
    this.#disk(() => {
      this.platter.entries = this.platter.entries.slice(0, Math.max(0, to - this.platter.start))
      this.receive(() => this.#event(() => this.raft.truncated(generation, this.#cluster.now)))
    })
  }

  takeSnapshot(id: SnapshotId, position: number, bytes: Uint8Array, size: number): void {
    if (position + bytes.length < size) return
    // Its content is what was committed up to there: only Raft's part is looked at here.
    const owner = this.#cluster.nodes.find(({ cache }) => cache.snapshot?.endOffset === id.endOffset)
    const life = this.#life
    const snapshot = owner?.cache.snapshot ?? null
    this.#disk(() => {
      if (life !== this.#life) return
      this.receive(() => {
        if (snapshot === null || snapshot.endOffset <= this.#highWatermark) {
          this.#event(() => this.raft.notInstalled(this.#cluster.now))
          return
        }
        this.#cluster.tell(`${this.id} installs the snapshot at ${id.endOffset}`)
        const content = { start: id.endOffset, startEpoch: id.epoch, entries: [], snapshot }
        this.cache = clone(content)
        this.platter = clone(content)
        this.#event(() => this.raft.installed(id, snapshot.voters, this.#cluster.now))
      })
    })
  }

  committed(highWatermark: number): void {
    this.#cluster.checkCommitted(this, this.#highWatermark, highWatermark)
    if (this.raft.role === 'leader') this.#cluster.checkPlatters(this, highWatermark)
  }

  lead(epoch: number | null): void {
    if (epoch !== null) this.#cluster.tell(`${this.id} serves in ${epoch}`)
  }

  suspect(): void {}

  broken(why: string): void {
    this.#cluster.fail(why)
  }

  random(below: number): number {
    return this.#cluster.random.int(below)
  }
}
