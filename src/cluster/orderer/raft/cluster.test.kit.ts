import type { Random } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import type { Raft, RaftOptions } from './raft.ts'
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

/** A whole quorum in one event queue: virtual time, network and disks, all from one seed. */

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

type RaftClass = new (options: RaftOptions<Entry[]>) => Raft<Entry[]>

export class Violation extends Error {}

export interface Faults {
  /** Of 1,000 messages. */
  readonly loss: number
  readonly duplicates: number
  /** ms. */
  readonly delay: number
  /** A message in so many takes up to 3 s; 0: none. */
  readonly strays: number
  readonly slowDisks: boolean
  readonly crashes: boolean
  readonly partitions: boolean
  readonly pauses: boolean
  readonly changes: boolean
  readonly snapshots: boolean
  readonly fullDisks: boolean
  readonly departures: boolean
}

const requestTimeoutMs = 700
const settings = { fetchTimeoutMs: 1500, electionTimeoutMs: 500, retryMs: 20, fetchWaitMs: 500 }

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A binary heap: by time, then by arrival. */
class Queue {
  readonly #events: Event[] = []
  #order = 0

  push(at: number, run: () => void): void {
    const events = this.#events
    let index = events.length
    const event = { at, order: this.#order++, run }
    events.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(event, events[parent]!)) break
      events[index] = events[parent]!
      index = parent
    }
    events[index] = event
  }

  pop(): Event | null {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined) return null
    if (events.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      if (child + 1 < events.length && before(events[child + 1]!, events[child]!)) child++
      if (!before(events[child]!, last)) break
      events[index] = events[child]!
      index = child
    }
    events[index] = last
    return first
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

export class Cluster {
  readonly raft: RaftClass
  readonly random: Random
  readonly faults: Faults
  readonly nodes: SimNode[] = []
  readonly queue = new Queue()
  readonly story: string[] = []
  now = 0
  events = 0
  /** Nothing goes wrong any more. */
  healed = false
  /** (offset → entry) of what anybody has called committed. */
  readonly committed: string[] = []
  /** Who leads, by epoch. */
  readonly leaders = new Map<number, number>()
  /** Who was voted for, by `epoch voter`. */
  readonly votes = new Map<string, string>()
  /** What lies at an offset in an epoch, and the epoch before it. */
  readonly written = new Map<string, string>()
  readonly #cut = new Set<string>()
  #values = 0

  constructor(raft: RaftClass, random: Random, faults: Faults, nodes: number, voters: number) {
    this.raft = raft
    this.random = random
    this.faults = faults
    for (let id = 1; id <= nodes; id++) this.nodes.push(new SimNode(this, id))
    const first = this.nodes.slice(0, voters).map(({ voter }) => voter)
    for (const node of this.nodes) node.begin(node.id <= voters ? first : [])
  }

  chance(of1000: number): boolean {
    return this.random.int(1000) < of1000
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!
  }

  after(ms: number, run: () => void): void {
    this.queue.push(this.now + ms, run)
  }

  tell(what: string): void {
    this.story.push(`${this.now.toFixed(0).padStart(6)} ${what}`)
    if (this.story.length > 400) this.story.shift()
  }

  /** Runs until `until` (ms); false when there were more than `limit` events. */
  run(until: number, limit: number): boolean {
    for (;;) {
      const event = this.queue.pop()
      if (event === null) return true
      if (event.at > until) {
        this.queue.push(event.at, event.run)
        this.now = until
        return true
      }
      this.now = event.at
      event.run()
      if (++this.events > limit) return false
    }
  }

  linked(from: number, to: number): boolean {
    return this.healed || !this.#cut.has(`${from}>${to}`)
  }

  /** A message on its way; it may get lost, come twice, or late. */
  deliver(from: number, to: number, run: () => void): void {
    const { loss, duplicates, delay, strays } = this.faults
    const copies = this.healed ? 1 : this.chance(loss) ? 0 : this.chance(duplicates) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const stray = !this.healed && strays > 0 && this.random.int(strays) === 0
      const ms = 0.3 + this.random.int(this.healed ? 3 : delay) + (stray ? this.random.int(3000) : 0)
      this.after(ms, () => {
        if (this.linked(from, to)) this.nodes[to - 1]!.receive(run)
      })
    }
  }

  /** One thing that clients or fate do; comes again. */
  stir(): void {
    if (this.healed) return
    this.after(20 + this.random.int(100), () => this.stir())
    const { crashes, partitions, pauses, changes, snapshots, fullDisks, departures } = this.faults
    const node = this.pick(this.nodes)
    if (crashes && this.chance(20)) node.crash()
    if (partitions && this.chance(20)) this.#partition()
    if (pauses && this.chance(10)) node.pause(this.random.int(4000))
    if (changes && this.chance(60)) this.changeVoters()
    if (snapshots && this.chance(60)) node.compact()
    if (fullDisks && this.chance(10)) node.fillDisk()
    if (departures && this.chance(10)) node.leave()
    this.produce()
  }

  produce(): void {
    for (const node of this.nodes) if (node.up && node.raft.mayAppend) node.append(`v${++this.#values}`)
  }

  heal(): void {
    this.healed = true
    this.tell('healed')
    for (const node of this.nodes) node.heal()
  }

  changeVoters(): void {
    for (const leader of this.nodes) {
      if (!leader.up || leader.raft.voterChangeProblem() !== null) continue
      const { voters } = leader.raft
      const others = this.nodes.filter(({ id }) => !voters.some(voter => voter.id === id))
      const caughtUp = others.filter(({ voter }) => {
        const known = [...leader.raft.replicas].find(({ key }) => key.directoryId === voter.directoryId)
        return known !== undefined && this.now - known.lastFetch < 1000 && known.offset >= leader.raft.highWatermark
      })
      if (caughtUp.length > 0 && (voters.length < 3 || this.chance(500))) {
        const added = this.pick(caughtUp)
        this.tell(`${leader.id} adds voter ${added.id}`)
        leader.changeVoters([...voters, added.voter])
      } else if (voters.length > 1) {
        const removed = this.pick(voters)
        this.tell(`${leader.id} removes voter ${removed.id}`)
        leader.changeVoters(voters.filter(({ id }) => id !== removed.id))
      }
    }
  }

  #partition(): void {
    this.#cut.clear()
    if (this.chance(300)) return
    const oneWay = this.chance(400)
    for (const a of this.nodes) {
      for (const b of this.nodes) if (a.id < b.id && this.chance(350)) this.#cutBetween(a.id, b.id, oneWay)
    }
    this.tell(`cut ${[...this.#cut].join(' ')}`)
  }

  #cutBetween(a: number, b: number, oneWay: boolean): void {
    if (!oneWay || this.chance(500)) this.#cut.add(`${a}>${b}`)
    if (!oneWay || this.chance(500)) this.#cut.add(`${b}>${a}`)
  }

  fail(what: string): never {
    this.tell(`VIOLATION ${what}`)
    throw new Violation(what)
  }

  /** Somebody says that everything below `upTo` is committed. */
  checkCommitted(node: SimNode, from: number, upTo: number): void {
    for (let offset = Math.max(from, node.cache.start); offset < upTo; offset++) {
      const entry = node.entry(offset)
      const known = this.committed[offset]
      if (known === undefined) this.committed[offset] = entry
      else if (known !== entry) this.fail(`committed at ${offset} was ${known}, ${node.id} says ${entry}`)
    }
  }

  /** A majority of the voters has [0, upTo) on the platter. */
  checkPlatters(node: SimNode, upTo: number): void {
    const { voters } = node.raft
    const epoch = node.epochAt(upTo - 1)
    const holders = voters.filter(({ id }) => {
      const { platter } = this.nodes[id - 1]!
      if (platter.snapshot !== null && platter.snapshot.endOffset >= upTo) return true
      return platter.entries[upTo - 1 - platter.start]?.epoch === epoch
    })
    if (holders.length <= voters.length / 2) {
      this.fail(`${node.id} commits ${upTo} which only ${holders.map(({ id }) => id).join() || 'nobody'} has safely`)
    }
  }

  checkLeader(node: SimNode): void {
    const { epoch } = node.raft
    const other = this.leaders.get(epoch)
    if (other !== undefined && other !== node.id) this.fail(`${other} and ${node.id} lead in epoch ${epoch}`)
    this.leaders.set(epoch, node.id)
    for (let offset = node.cache.start; offset < this.committed.length; offset++) {
      const entry = offset < node.end ? node.entry(offset) : 'nothing'
      if (this.committed[offset] !== undefined && this.committed[offset] !== entry)
        this.fail(`${node.id} leads in ${epoch} with ${entry} at ${offset}, committed is ${this.committed[offset]}`)
    }
  }
}

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
    const leads = role === 'leader'
    if (leads && !this.#ledRole) this.#cluster.checkLeader(this)
    this.#ledRole = leads
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

  leaderChanged(): void {}

  suspect(): void {}

  broken(why: string): void {
    this.#cluster.fail(why)
  }

  random(below: number): number {
    return this.#cluster.random.int(below)
  }
}
