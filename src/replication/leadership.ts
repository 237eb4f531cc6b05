import { KafkaError } from '../protocol/errors.ts'
import { type FollowerView, grownIsr, nextHighWatermark, shrunkIsr, type TermView } from './in-sync.ts'
import type { IsrAnswer, IsrChanges, IsrProposal } from './isr-changes.ts'
import { Pace, slowReplica } from './pace.ts'
import type { ReplicaReport } from './relay.ts'
import { enoughInSync, isCountedOn, type PartitionRole } from './role.ts'

/** What a leader needs of the node around it. */
export interface Surroundings {
  readonly isrChanges: IsrChanges
  /** Epoch of a broker that may be in an ISR; −1: it may not (fenced, leaving, unknown). */
  eligibleEpoch(node: number): number
  /** Monotonic ms. */
  mono(): number
  /** `replica.lag.time.max.ms` */
  readonly lagMaxMs: number
  /** `replica.slow.after.ms`; −1: never. */
  readonly slowAfterMs: number
  /** `replica.slow.probation.ms` */
  readonly slowProbationMs: number
  /** What is worth a line in the log. */
  warn(message: string, fields: Record<string, unknown>): void
}

/** The leader's own copy. */
export interface LedLog {
  readonly logEndOffset: number
  /** As safe as the topic wants it. */
  readonly flushedOffset: number
  readonly config: { readonly minInsyncReplicas: number; readonly replicationTopology: 'isr' | 'chain' }
}

export interface LeadershipHost {
  readonly node: number
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: LedLog
  readonly highWatermark: number
  /** Not null: our copy is damaged. */
  readonly damagedAt: number | null
  /** False: our disk has refused what was appended last. */
  readonly hasRoom: boolean
  /** The controller has committed this ISR. */
  isrChanged(isr: readonly number[], partitionEpoch: number): void
}

/** ms before a refused ISR is proposed again. */
const afterRefusalMs = 200
/** More replicas of one partition than a move could add. */
const mostStrangers = 16

class Follower implements FollowerView {
  readonly id: number
  endOffset = -1
  brokerEpoch = -1
  /** −1: not known. */
  logStartOffset = -1
  lastCaughtUpMs: number
  /** When it fetched last, and where the leader's log ended then: who reaches that end had caught up by that time. */
  lastFetchMs = Number.NEGATIVE_INFINITY
  endAtLastFetch = 0
  onProbationUntilMs: number
  readonly pace = new Pace()

  constructor(id: number, lastCaughtUpMs: number, onProbationUntilMs: number) {
    this.id = id
    this.lastCaughtUpMs = lastCaughtUpMs
    this.onProbationUntilMs = onProbationUntilMs
  }
}

/** One term of leading a partition that has followers: what they have, what is committed by that, and who is in sync. */
export class Leadership implements TermView {
  readonly #host: LeadershipHost
  readonly #around: Surroundings
  readonly leaderEpoch: number
  readonly epochStartOffset: number
  #role: PartitionRole
  #followers: Follower[]
  /** What was said of replicas that are none yet, as far as we know: in a chain nobody would say it again. */
  readonly #strangers = new Map<number, ReplicaReport>()
  maximalIsr: readonly number[]
  /** The partition epoch that the open proposal goes out from; −1: there is none. */
  #proposedIn = -1
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #over = false
  /** Of our own disk. */
  readonly #pace = new Pace()
  /** Who has been slow since when (monotonic ms); −1: nobody. */
  #slow = -1
  #slowSinceMs = 0
  /** Where the log ended when it was looked at last. */
  #seenEnd: number
  /** Monotonic ms: of the decision that is being made. */
  now: number

  /** `former`: our term before this one, if it was the one just before. */
  constructor(
    host: LeadershipHost,
    around: Surroundings,
    role: PartitionRole,
    epochStartOffset: number,
    former: Leadership | null = null,
  ) {
    this.#host = host
    this.#around = around
    this.#role = role
    this.leaderEpoch = role.leaderEpoch
    this.epochStartOffset = epochStartOffset
    this.maximalIsr = role.isr
    this.now = around.mono()
    this.#seenEnd = host.log.logEndOffset
    this.#followers = role.replicas
      .filter(id => id !== host.node)
      .map(id => this.#newFollower(id, former?.follower(id)?.onProbationUntilMs))
  }

  get leader(): number {
    return this.#host.node
  }

  get followers(): readonly FollowerView[] {
    return this.#followers
  }

  get isr(): readonly number[] {
    return this.#role.isr
  }

  get minIsr(): number {
    return enoughInSync(this.#host.log.config.minInsyncReplicas, this.#role)
  }

  get endOffset(): number {
    return this.#host.log.logEndOffset
  }

  get flushedOffset(): number {
    return this.#host.log.flushedOffset
  }

  get highWatermark(): number {
    return this.#host.highWatermark
  }

  get chain(): boolean {
    return this.#host.log.config.replicationTopology === 'chain'
  }

  get lagMaxMs(): number {
    return this.#around.lagMaxMs
  }

  eligibleEpoch(node: number): number {
    return this.#around.eligibleEpoch(node)
  }

  follower(id: number): FollowerView | undefined {
    return this.#followers.find(follower => follower.id === id)
  }

  /** The same term goes on with other replicas or another ISR. */
  changed(role: PartitionRole): void {
    this.#role = role
    this.#followers = role.replicas
      .filter(id => id !== this.#host.node)
      .map(id => this.#followers.find(follower => follower.id === id) ?? this.#newFollower(id))
    // What was proposed on the ground of an older decision will not be done any more, or this is it.
    if (role.partitionEpoch > this.#proposedIn) this.#proposedIn = -1
    if (this.#proposedIn === -1) this.maximalIsr = role.isr
    for (const { id } of this.#followers) {
      const report = this.#strangers.get(id)
      if (report === undefined) continue
      this.#strangers.delete(id)
      this.reported(report)
    }
  }

  /**
   * A follower has everything below `endOffset` as safe as the topic wants it, and its log is a prefix of ours: the caller
   * has checked its last epoch. Throws NOT_LEADER_OR_FOLLOWER for who is no replica, or is its own former self.
   */
  fetched(id: number, brokerEpoch: number, endOffset: number): void {
    const follower = this.#followers.find(each => each.id === id)
    if (follower === undefined || brokerEpoch < follower.brokerEpoch) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    const now = this.#around.mono()
    follower.brokerEpoch = brokerEpoch
    follower.endOffset = endOffset
    const end = this.endOffset
    follower.pace.look(endOffset, end, now)
    if (endOffset >= end) follower.lastCaughtUpMs = now
    else if (endOffset >= follower.endAtLastFetch)
      follower.lastCaughtUpMs = Math.max(follower.lastCaughtUpMs, follower.lastFetchMs)
    follower.lastFetchMs = now
    follower.endAtLastFetch = end
    this.now = now
    if (endOffset < this.highWatermark && isCountedOn(this.#role, id)) this.#proposeWithout(id)
    else if (this.maximalIsr.length <= this.#followers.length) this.#propose(grownIsr(this))
  }

  /** The first offset that a follower has kept; returns whether that is news. */
  startsAt(id: number, logStartOffset: number): boolean {
    const follower = this.#followers.find(each => each.id === id)
    if (follower === undefined || follower.logStartOffset === logStartOffset) return false
    follower.logStartOffset = logStartOffset
    return true
  }

  /** What every in-sync replica that fetches from us has let go, as far as it has said (KIP-107). */
  lowWatermark(logStartOffset: number): number {
    let lowest = logStartOffset
    for (const follower of this.#followers)
      if (follower.logStartOffset >= 0 && follower.logStartOffset < lowest && this.isr.includes(follower.id))
        lowest = follower.logStartOffset
    return lowest
  }

  /** As `fetched`, from hearsay: another replica that fetches from us has checked. Nonsense is passed over. */
  reported(report: ReplicaReport): void {
    const { replicaId, replicaEpoch, logEndOffset } = report
    const follower = this.#followers.find(({ id }) => id === replicaId)
    if (follower === undefined) this.#remember(report)
    else if (replicaEpoch >= follower.brokerEpoch && logEndOffset <= this.endOffset)
      this.fetched(replicaId, replicaEpoch, logEndOffset)
  }

  /** The others may have heard of a new replica before us. No replica goes within a term: none comes back to it with less. */
  #remember(report: ReplicaReport): void {
    const { replicaId } = report
    if (replicaId !== this.leader && (this.#strangers.has(replicaId) || this.#strangers.size < mostStrangers))
      this.#strangers.set(replicaId, report)
  }

  /** What is committed now. */
  committed(): number {
    this.now = this.#around.mono()
    const { endOffset } = this
    this.#pace.look(this.flushedOffset, endOffset, this.now)
    if (endOffset !== this.#seenEnd) {
      for (const follower of this.#followers) {
        // Whoever had all until now had caught up until now, also when it had no reason to say so again.
        if (follower.endOffset >= this.#seenEnd) follower.lastCaughtUpMs = this.now
        follower.pace.look(follower.endOffset, endOffset, this.now)
      }
      this.#seenEnd = endOffset
    }
    return nextHighWatermark(this)
  }

  /**
   * Now and then: who has not kept up leaves the ISR, and what was refused is tried again. With a damaged copy it is we who
   * leave, and with the ISR the lead, if there is anybody else; without room for records, if there are enough others. So
   * does, or must, whoever holds up all others for long.
   */
  check(): void {
    this.now = this.#around.mono()
    const { isr, eligibleLeaderReplicas = [] } = this.#role
    if (this.#host.damagedAt !== null && isr.length + eligibleLeaderReplicas.length > 1)
      this.#proposeWithout(this.leader)
    else if (!this.#host.hasRoom && isr.length > this.minIsr) this.#propose(isr.filter(id => id !== this.leader))
    else this.#propose(shrunkIsr(this) ?? this.#withoutSlow() ?? grownIsr(this))
  }

  /** The ISR without the one that has been slow for too long; null: nobody is, or too few would be left. */
  #withoutSlow(): number[] | null {
    const { slowAfterMs, slowProbationMs, warn } = this.#around
    if (slowAfterMs < 0 || this.isr.length <= this.minIsr || this.#proposedIn !== -1) return null
    const line = this.isr.map(id => {
      const pace = id === this.leader ? this.#pace : this.#followers.find(each => each.id === id)?.pace
      return { id, ms: pace?.median(this.now) ?? null }
    })
    const slow = slowReplica(this.leader, line, this.chain)
    if (slow !== this.#slow) {
      this.#slow = slow
      this.#slowSinceMs = this.now
    }
    if (slow === -1 || this.now - this.#slowSinceMs < slowAfterMs) return null
    const follower = this.#followers.find(({ id }) => id === slow)
    if (follower !== undefined) follower.onProbationUntilMs = this.now + slowProbationMs
    const { topic, index: partition } = this.#host
    warn('a replica holds up all others: it leaves the in-sync replicas', { topic, partition, slow, ms: line })
    return this.isr.filter(id => id !== slow)
  }

  /** One whose copy lacks what is committed. */
  #proposeWithout(id: number): void {
    this.#propose(
      this.isr.filter(each => each !== id),
      [id],
    )
  }

  end(): void {
    this.#over = true
  }

  #newFollower(id: number, onProbationUntilMs = Number.NEGATIVE_INFINITY): Follower {
    const caughtUpMs = this.#role.isr.includes(id) ? this.#around.mono() : Number.NEGATIVE_INFINITY
    return new Follower(id, caughtUpMs, onProbationUntilMs)
  }

  /** One at a time: the next one would go out from an ISR that nobody knows yet. */
  #propose(isr: readonly number[] | null, lacking: readonly number[] = []): void {
    if (isr === null || this.#proposedIn !== -1 || this.now < this.#notBeforeMs || this.#over) return
    const { topic, topicId, index: partition, node } = this.#host
    const { leaderEpoch, partitionEpoch } = this.#role
    const epochOf = (id: number): number => {
      const known = this.#followers.find(follower => follower.id === id)?.brokerEpoch ?? -1
      return id === node || known < 0 ? this.#around.eligibleEpoch(id) : known
    }
    const members = isr.map(brokerId => ({ brokerId, brokerEpoch: epochOf(brokerId) }))
    const proposal: IsrProposal = { topic, topicId, partition, leaderEpoch, partitionEpoch, isr: members, lacking }
    this.#proposedIn = partitionEpoch
    this.maximalIsr = [...this.#role.isr, ...isr.filter(id => !this.#role.isr.includes(id))]
    const wanted = (): boolean => !this.#over && this.#proposedIn === partitionEpoch
    this.#around.isrChanges.propose(proposal, wanted, answer => {
      if (wanted()) this.#answered(answer)
    })
  }

  #answered(answer: IsrAnswer): void {
    if (answer.is === 'changed') {
      // Our term may be over by that, as in a chain: the metadata will tell.
      if (answer.leaderEpoch !== this.leaderEpoch) return
      this.#proposedIn = -1
      this.maximalIsr = this.#role.isr
      this.#host.isrChanged(answer.isr, answer.partitionEpoch)
    } else if (answer.is === 'refused') {
      this.#proposedIn = -1
      this.maximalIsr = this.#role.isr
      this.#notBeforeMs = this.#around.mono() + afterRefusalMs
    }
  }
}
