import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import { Copy } from './copy.ts'
import { Election } from './election.ts'
import { Following } from './following.ts'
import { beginError, isUpToDate } from './judgements.ts'
import { Leading } from './leading.ts'
import type { RaftOptions } from './options.ts'
import { Outbox, type Pending } from './outbox.ts'
import { Persistence } from './persistence.ts'
import type { ReplicaProgress } from './replicas.ts'
import type {
  BeginRequest,
  ElectionState,
  EndRequest,
  EpochResponse,
  FetchAnswer,
  FetchRequest,
  FetchResponse,
  FetchSnapshotResponse,
  LeaderNews,
  RaftError,
  RaftIo,
  RaftRequest,
  RaftResponse,
  RaftSettings,
  ReplicaKey,
  Target,
  VoteRequest,
  VoteResponse,
} from './types.ts'
import { includes, isSame, othersThan, type VoterHistory } from './voters.ts'

export type Role = 'unattached' | 'follower' | 'prospective' | 'candidate' | 'leader' | 'resigned'

/** A tick that comes so much too late says that we were stopped: others are not to blame (ms; of the fetch timeout, part). */
const lateMs = 500
const latePart = 1 / 3
/** ms, and as much again by dice, by which whom a leader would like less to follow lets the others go first. */
const quickMs = 40

/**
 * Raft as Kafka does it (KIP-595, 630, 853, 996, 1166): followers fetch, and what they ask for says what they have. A
 * state machine: every method is an event with its time (monotonic ms), what it wants done goes to `RaftIo`, and nothing
 * there may call back from inside. It never waits and holds no timer: call `tick` when `deadline` is reached.
 */
export class Raft<Records> {
  readonly #self: ReplicaKey
  readonly #settings: RaftSettings
  readonly #io: RaftIo<Records>
  readonly #copy: Copy
  readonly #persistence: Persistence
  #role: Role = 'unattached'
  #term = 0
  #epoch: number
  #leaderId: number
  #voted: ReplicaKey | null
  readonly #outbox: Outbox
  #leading: Leading | null = null
  #following: Following<Records> | null = null
  /** When there is no leader. */
  readonly #election: Election
  #leaving = false

  constructor(options: RaftOptions<Records>) {
    const { self, settings, io, state, seeds, log } = options
    this.#self = self
    this.#settings = settings
    this.#io = io
    this.#copy = new Copy(options, io)
    this.#outbox = new Outbox(io)
    this.#epoch = Math.max(state.epoch, log.lastEpoch)
    const current = state.epoch === this.#epoch
    this.#leaderId = current ? state.leaderId : -1
    this.#voted = current ? state.voted : null
    this.#persistence = new Persistence(sequence => io.persist(this.state, sequence))
    this.#election = new Election({
      self,
      settings,
      copy: this.#copy,
      io,
      seeds,
      epoch: () => this.#epoch,
      send: (to, request) => this.#sendWhenSafe(to, request, this.#term),
    })
  }

  get role(): Role {
    return this.#role
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Who leads in this epoch; −1: not known, or gone. */
  get leaderId(): number {
    return this.#role === 'follower' || this.#role === 'leader' ? this.#leaderId : -1
  }

  get state(): ElectionState {
    return { epoch: this.#epoch, leaderId: this.#leaderId, voted: this.#voted }
  }

  get highWatermark(): number {
    return this.#copy.highWatermark
  }

  /** What `flushed` is told with. */
  get generation(): number {
    return this.#copy.generation
  }

  get voters(): readonly Voter[] {
    return this.#copy.voters.latest
  }

  get voterHistory(): VoterHistory {
    return this.#copy.voters
  }

  get isVoter(): boolean {
    return includes(this.voters, this.#self)
  }

  /** True when records may be appended: we lead, our epoch has begun, and we do not mean to go. */
  get mayAppend(): boolean {
    return this.#leading?.begun === true && !this.#leading.going
  }

  /**
   * Monotonic ms: whoever has all below `applied` has everything that was committed by then, as far as the leader that we
   * follow was one. A leader knows it as of when it certainly was the only one.
   */
  wholeAsOf(now: number, applied: number): number {
    if (this.#leading === null) return this.#following?.wholeAsOf(applied) ?? Number.NEGATIVE_INFINITY
    return this.#isLate(now) || !this.#leading.begun ? Number.NEGATIVE_INFINITY : this.#leading.leadsAsOf(now)
  }

  /** Leader: how far the others are. */
  get replicas(): Iterable<ReplicaProgress> {
    return this.#leading?.replicas.all() ?? []
  }

  /** When `tick` wants to be called. */
  get deadline(): number {
    if (this.#leading !== null) return this.#leading.deadline
    if (this.#following !== null) return this.#following.deadline
    return this.#election.deadline
  }

  start(now: number): void {
    if (this.#isAlone) this.#electSelf(now)
    else if (this.#leaderId === this.#self.id) {
      // Bytes that we had led may have been lost with us: never again in that epoch.
      this.#enter('resigned')
      this.#election.wait(now)
    } else if (this.#leaderId >= 0) this.#follow(this.#epoch, this.#leaderId, now)
    else this.#detach(this.#epoch, now)
  }

  tick(now: number): void {
    if (now < this.deadline) return
    this.#noticePause(now)
    if (this.#leading !== null) this.#leading.tick(now)
    else if (this.#following !== null) {
      if (now >= this.#following.doubtAt) this.#stand(now)
      else this.#following.tick(now)
    } else if (now >= this.#election.standAt) this.#stand(now)
    else this.#election.tick(now)
  }

  // What became durable.

  persisted(sequence: number): void {
    this.#persistence.persisted(sequence)
  }

  /** Everything below `offset` is on stable storage; said of the log as it is since truncation number `generation`. */
  flushed(offset: number, generation: number, now: number): void {
    if (!this.#copy.flushedTo(offset, generation)) return
    if (this.#leading !== null) this.#leading.advance(now)
    else this.#copyChanged(now)
  }

  truncated(generation: number, now: number): void {
    this.#copy.truncated(generation)
    this.#copyChanged(now)
  }

  /** What was appended from `from` on is gone: the disk was full. */
  dropped(from: number, now: number): void {
    this.#copy.dropped(from)
    // Followers may have what we have not any more: the same offsets must not be given again in this epoch.
    if (this.#leading !== null) this.#step(now)
    else this.#following?.askLater(now)
    // Votes that were asked for a longer log do not count.
    this.#election.end()
  }

  /** All parts of a snapshot were there, and our log begins behind it now. */
  installed(id: SnapshotId, voters: readonly Voter[], now: number): void {
    this.#copy.installed(id, voters)
    this.#copyChanged(now)
  }

  notInstalled(now: number): void {
    this.#copy.notInstalled()
    this.#following?.askLater(now)
  }

  /** Leader: records were appended. */
  appended(now: number): void {
    this.#leading?.appended(now)
  }

  // What others ask.

  vote(request: VoteRequest, now: number, answer: (response: VoteResponse) => void): void {
    let error: RaftError | null = null
    let granted = false
    if (!isSame(request.voter, this.#self)) error = 'INVALID_VOTER_KEY'
    else if (request.epoch < this.#epoch) error = 'FENCED_LEADER_EPOCH'
    else {
      if (request.epoch > this.#epoch) this.#detach(request.epoch, now)
      granted = request.preVote ? this.#wouldVote(request, now) : this.#vote(request, now)
      if (!granted && request.preVote && this.#following?.confirmed) this.#io.suspect(this.#leaderId)
    }
    this.tell(news => answer({ ...news, error, granted }))
  }

  begin(request: BeginRequest, now: number, answer: (response: EpochResponse) => void): void {
    const error = beginError(request, this.#self, this.#epoch)
    if (error === null) {
      this.#election.absence.clear()
      const known = this.#following !== null && request.epoch === this.#epoch && request.leaderId === this.#leaderId
      if (!known && (request.epoch > this.#epoch || this.#leading === null))
        this.#follow(request.epoch, request.leaderId, now)
      this.#following?.heard(now)
    }
    this.tell(news => answer({ ...news, error }))
  }

  end(request: EndRequest, now: number, answer: (response: EpochResponse) => void): void {
    const over = request.epoch < this.#epoch
    if (request.epoch > this.#epoch) this.#detach(request.epoch, now)
    const known = this.#leaderId < 0 || this.#leaderId === request.leaderId
    if (!over && known && this.#leading === null && request.leaderId !== this.#self.id) {
      const place = request.candidates.findIndex(candidate => isSame(candidate, this.#self))
      this.#afterEnd(request.leaderId, place, now)
    }
    this.tell(news => answer({ ...news, error: over ? 'FENCED_LEADER_EPOCH' : null }))
  }

  /** `answer` may be called later: a Fetch to which there is nothing new to say is kept for a while. */
  fetch(request: FetchRequest, now: number, answer: (answer: FetchAnswer) => void): void {
    const error = this.leaderError(request.epoch)
    this.#noticePause(now)
    if (error === null && this.#leading !== null) this.#leading.fetch(request, now, answer)
    else {
      const nothing = { highWatermark: -1, diverging: null, snapshot: null, readFrom: -1 }
      this.tell(news => answer({ ...news, error: error ?? 'NOT_LEADER_OR_FOLLOWER', ...nothing }))
    }
  }

  /** Why we cannot answer as the leader of `epoch`; null: we can. */
  leaderError(epoch: number): RaftError | null {
    if (epoch < this.#epoch) return 'FENCED_LEADER_EPOCH'
    if (epoch > this.#epoch) return 'UNKNOWN_LEADER_EPOCH'
    return this.#leading === null ? 'NOT_LEADER_OR_FOLLOWER' : null
  }

  /** Who fetches a snapshot is alive, too. */
  fetchesSnapshot(replica: ReplicaKey, now: number): void {
    this.#noticePause(now)
    this.#leading?.replicas.heard(replica, this.voters, now)
  }

  /** Tells who leads, as we see it now, when that is on stable storage. */
  tell(answer: (news: LeaderNews) => void): void {
    // Two that know a dead leader by hearsay only must not keep telling each other of it.
    const known = this.#leading !== null || this.#following?.confirmed
    const news = { epoch: this.#epoch, leaderId: known ? this.#leaderId : -1 }
    this.#persistence.answer(() => answer(news))
  }

  // What others answer.

  response(token: number, response: RaftResponse<Records>, now: number): void {
    const pending = this.#outbox.take(token)
    if (pending === null) return
    const { request, term } = pending
    if (!this.#learn(response, now)) this.#notAnswered(pending, now)
    else if (this.#term !== term) return
    else if (request.type === 'vote') this.#voteAnswered(request, response as VoteResponse, now)
    else if (request.type === 'begin') {
      if ((response as EpochResponse).error === null) this.#leading?.saidLoyal(request)
    } else if (request.type === 'fetch') {
      if (this.#following !== null) this.#following.fetched(request, response as FetchResponse<Records>, now)
      else this.#lookFurther(now)
    } else if (request.type === 'fetchSnapshot')
      this.#following?.gotPart(request, response as FetchSnapshotResponse, now)
  }

  /** A request was not answered, or nobody was there. */
  failed(token: number, now: number): void {
    const pending = this.#outbox.take(token)
    if (pending !== null) this.#notAnswered(pending, now)
  }

  /** Nobody listens any more where this node was: its process is gone. */
  leaderLost(id: number, now: number): void {
    if (this.#following === null || id !== this.#leaderId) return
    this.#isGone(id, now)
    this.#stand(now)
  }

  // What the operator wants.

  /** We are going to stop: somebody else should lead, and we stand for no other election. */
  leave(now: number): void {
    this.#noticePause(now)
    this.#leaving = true
    if (this.#leading === null) return
    if (this.#isAlone) this.#step(now)
    else this.#leading.go(now)
  }

  /** What lies at `offset` cannot be read here: somebody who has it, too, should lead. False: there is nobody. */
  cannotGive(offset: number, now: number): boolean {
    const leading = this.#leading
    if (!leading?.hasHeir(offset, now)) return false
    leading.go(now)
    return true
  }

  /** Why the voters cannot be changed now; null: they can. */
  voterChangeProblem(): 'notLeader' | 'notBegun' | 'changing' | null {
    if (this.#leading === null || this.#leading.going) return 'notLeader'
    if (!this.#leading.begun) return 'notBegun'
    return this.#copy.voters.changedAt < this.#copy.highWatermark ? null : 'changing'
  }

  /** In force at once; committed when the high watermark has reached what this returns. At most one voter more or less. */
  changeVoters(voters: readonly Voter[], now: number): number {
    this.#noticePause(now)
    if (this.voterChangeProblem() !== null) throw new Error('the voters cannot be changed now')
    const offset = this.#copy.log.endOffset
    const end = this.#io.appendVoters(this.#epoch, voters)
    this.#copy.voters.append({ offset, voters })
    this.#leading?.appended(now)
    this.#leading?.votersChanged(now)
    return end
  }

  // Roles.

  #enter(role: Role): void {
    const leading = this.#leading
    this.#leading = null
    this.#following = null
    this.#election.end()
    this.#role = role
    this.#term++
    if (leading === null) return
    if (leading.begun) this.#io.lead(null)
    for (const tell of leading.end()) this.#persistence.reveal(tell)
  }

  #setEpoch(epoch: number, leaderId: number, voted: ReplicaKey | null): void {
    const essential = epoch !== this.#epoch || voted !== this.#voted
    if (!essential && leaderId === this.#leaderId) return
    this.#epoch = epoch
    this.#leaderId = leaderId
    this.#voted = voted
    this.#persistence.save(essential)
  }

  /** Nobody is known to lead in `epoch`. */
  #detach(epoch: number, now: number): void {
    const { standAt } = this.#election
    const waits = this.#leading === null && this.#following === null && standAt !== Number.POSITIVE_INFINITY
    if (epoch > this.#epoch) this.#setEpoch(epoch, -1, null)
    this.#enter('unattached')
    // Who has begun to wait goes on: candidates that are refused must not keep us from standing.
    if (!waits) this.#election.wait(now)
    if (!this.#mayStand) this.#election.lookForLeader(now)
  }

  #follow(epoch: number, leaderId: number, now: number): void {
    this.#setEpoch(epoch, leaderId, epoch === this.#epoch ? this.#voted : null)
    this.#enter('follower')
    const term = this.#term
    const context = {
      self: this.#self,
      epoch,
      settings: this.#settings,
      copy: this.#copy,
      io: this.#io,
      send: (to: Target, request: () => RaftRequest) => this.#sendWhenSafe(to, request, term),
    }
    this.#following = new Following<Records>(context, leaderId, now)
    this.#election.absence.endsWith(epoch)
    this.#following.ask(now)
  }

  /** Asks whether others would vote for us; in a quorum of one there is nobody to ask. */
  #stand(now: number): void {
    if (this.#isAlone && !this.#leaving) {
      this.#electSelf(now)
      return
    }
    this.#enter(this.#mayStand ? 'prospective' : 'unattached')
    this.#election.wait(now)
    if (this.#role === 'prospective') this.#election.ask(true)
    else this.#election.lookForLeader(now)
  }

  #electSelf(now: number): void {
    this.#enter('candidate')
    this.#election.standAt = Number.POSITIVE_INFINITY
    this.#setEpoch(this.#epoch + 1, this.#self.id, null)
    const { granted } = this.#election.ask(false)
    this.#whenSafe(this.#term, () => this.#win(granted, now))
  }

  #becomeCandidate(now: number): void {
    this.#enter('candidate')
    this.#election.wait(now)
    this.#setEpoch(this.#epoch + 1, -1, this.#self)
    this.#election.ask(false)
  }

  #win(granted: readonly ReplicaKey[], now: number): void {
    this.#enter('leader')
    this.#setEpoch(this.#epoch, this.#self.id, this.#voted)
    const start = this.#copy.log.endOffset
    try {
      this.#io.appendLeaderChange(this.#epoch, this.voters, granted)
    } catch {
      this.#step(now)
      return
    }
    const context = {
      self: this.#self,
      epoch: this.#epoch,
      fetchTimeoutMs: this.#settings.fetchTimeoutMs,
      copy: this.#copy,
      io: this.#io,
      send: (to: Target, request: RaftRequest) => void this.#send(to, request),
      step: (at: number) => this.#step(at),
    }
    this.#leading = new Leading(context, start, now)
    this.#election.absence.endsWith(this.#epoch)
    this.#leading.tick(now)
    this.#leading?.advance(now)
  }

  /** Leads no longer, of its own will; others are told who should. */
  #step(now: number): void {
    const candidates = this.#leading?.candidates() ?? []
    this.#enter('resigned')
    this.#election.standAt = now + this.#settings.electionTimeoutMs + this.#election.waitMs(now)
    for (const { id } of othersThan(this.#self, this.voters))
      this.#send({ id }, { type: 'end', epoch: this.#epoch, leaderId: this.#self.id, candidates })
  }

  /** The leader said that it goes; `place`: ours among those whom it would like to follow. */
  #afterEnd(leaderId: number, place: number, now: number): void {
    this.#setEpoch(this.#epoch, leaderId, this.#voted)
    this.#isGone(leaderId, now)
    if (place === 0 && this.#mayStand && !this.#isAlone) {
      this.#becomeCandidate(now)
      return
    }
    this.#enter('unattached')
    this.#election.standAt = now + quickMs * Math.max(1, place) + this.#io.random(quickMs)
  }

  #isGone(id: number, now: number): void {
    this.#election.absence.note(id, this.#epoch, now + 2 * this.#settings.fetchTimeoutMs)
  }

  // Votes.

  #wouldVote(request: VoteRequest, now: number): boolean {
    if (this.#leading !== null) return false
    if (this.#following?.confirmed && now < this.#following.doubtAt) return false
    return isUpToDate(request, this.#copy.log)
  }

  #vote(request: VoteRequest, now: number): boolean {
    const before = this.#voted
    const may =
      before === null ? this.#leaderId < 0 && isUpToDate(request, this.#copy.log) : isSame(before, request.candidate)
    if (!may) return false
    if (before === null) this.#setEpoch(this.#epoch, -1, request.candidate)
    // Only who gives a vote waits for another full time: a refused candidate must not keep us from standing.
    this.#election.wait(now)
    return true
  }

  #voteAnswered({ voter }: VoteRequest, { granted, error }: VoteResponse, now: number): void {
    const won = granted && error === null ? this.#election.grant(voter) : null
    if (won === null) return
    if (won.preVote) this.#becomeCandidate(now)
    else this.#win(won.granted, now)
  }

  // In common.

  /** The log, or what we know of it, may have become what the follower waited for. */
  #copyChanged(now: number): void {
    this.#copy.commitTold()
    this.#following?.ask(now)
  }

  /** What an answer tells of epochs and leaders. False: it is of an epoch that is over. */
  #learn({ epoch, leaderId }: LeaderNews, now: number): boolean {
    if (epoch < this.#epoch) return false
    const leads = leaderId >= 0 && leaderId !== this.#self.id
    if (epoch > this.#epoch) {
      if (leads) this.#follow(epoch, leaderId, now)
      else this.#detach(epoch, now)
      return true
    }
    const looking = this.#role === 'unattached' || this.#role === 'prospective' || this.#role === 'candidate'
    if (leads && looking && !this.#election.absence.of(leaderId, epoch, now)) this.#follow(epoch, leaderId, now)
    return true
  }

  #notAnswered({ request, term }: Pending, now: number): void {
    if (term !== this.#term) return
    if (request.type === 'vote') this.#election.notReached(request.voter, now)
    else if (request.type === 'fetch' || request.type === 'fetchSnapshot') {
      if (this.#following !== null) this.#following.failed(request, now)
      else this.#lookFurther(now)
    }
  }

  #lookFurther(now: number): void {
    if (!this.#mayStand) this.#election.lookFurther(now)
  }

  #send(to: Target, request: RaftRequest): void {
    this.#outbox.send(to, request, this.#term)
  }

  #sendWhenSafe(to: Target, request: () => RaftRequest, term: number): void {
    this.#whenSafe(term, () => this.#send(to, request()))
  }

  /** When our epoch and vote are on stable storage, unless we have become something else by then. */
  #whenSafe(term: number, run: () => void): void {
    this.#persistence.reveal(() => {
      if (this.#term === term) run()
    })
  }

  #isLate(now: number): boolean {
    return now - this.deadline > Math.min(lateMs, this.#settings.fetchTimeoutMs * latePart)
  }

  /** What should have come while we were stopped is still to be read. */
  #noticePause(now: number): void {
    if (!this.#isLate(now)) return
    if (this.#following?.confirmed) this.#following.heard(now)
    this.#leading?.paused(now)
    this.#election.forgive(now)
  }

  /** Until a removal is known to be committed, who was removed by it may be the only one who has it. */
  get #mayStand(): boolean {
    const { voters, highWatermark } = this.#copy
    if (this.#leaving) return false
    return this.isVoter || (voters.changedAt >= highWatermark && includes(voters.previous, this.#self))
  }

  get #isAlone(): boolean {
    return this.voters.length === 1 && this.isVoter
  }
}
