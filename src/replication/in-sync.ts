/**
 * Who is in sync, and what is committed: the decisions of a partition's leader, without any effect. Names and rules as in
 * Kafka (KIP-497, 841, 903, 966).
 */

/** What a leader knows of one follower in its term. */
export interface FollowerView {
  readonly id: number
  /** It has everything below, as safe as the topic wants it; −1: it has not fetched in this term. */
  readonly endOffset: number
  /** Of the process that fetched; −1: none did. */
  readonly brokerEpoch: number
  /** Monotonic ms at which it was last known to have all that the leader had; −∞: never. */
  readonly lastCaughtUpMs: number
  /** Monotonic ms until which it stays out, having held up all the others; −∞: it never did. */
  readonly onProbationUntilMs: number
}

/** A leader's view of its partition. */
export interface TermView {
  readonly leader: number
  readonly followers: readonly FollowerView[]
  /** As committed. */
  readonly isr: readonly number[]
  /** With everybody who may be in it already: what was proposed and not answered yet counts. */
  readonly maximalIsr: readonly number[]
  /** `min.insync.replicas`, no more than there are replicas: `enoughInSync`. */
  readonly minIsr: number
  readonly endOffset: number
  /** Of the leader's own copy, as safe as the topic wants it. */
  readonly flushedOffset: number
  readonly highWatermark: number
  /** Where the leader's epoch began. */
  readonly epochStartOffset: number
  /** Monotonic ms. */
  readonly now: number
  /** `replica.lag.time.max.ms` */
  readonly lagMaxMs: number
  /** Each in-sync replica copies from the one before it in the ISR. */
  readonly chain: boolean
  /** Epoch of a broker that may be in an ISR; −1: it may not (fenced, leaving, unknown). */
  eligibleEpoch(node: number): number
}

export function isCaughtUp(term: TermView, follower: FollowerView): boolean {
  return follower.endOffset === term.endOffset || term.now - follower.lastCaughtUpMs <= term.lagMaxMs
}

/** The process that fetches from us is the one that the controller knows, and may be in an ISR. Where one is missing, any will do. */
export function isEligible(term: TermView, follower: FollowerView): boolean {
  if (term.now < follower.onProbationUntilMs && term.isr.length >= term.minIsr) return false
  return follower.brokerEpoch >= 0 && term.eligibleEpoch(follower.id) === follower.brokerEpoch
}

/**
 * The high watermark never goes back. It is what the whole maximal ISR has, and who will be in it in a moment: who keeps up
 * would else never come to be in it under load. As long as the ISR is too small, nothing is committed (KIP-966).
 */
export function nextHighWatermark(term: TermView): number {
  const { highWatermark, maximalIsr } = term
  if (term.isr.length < term.minIsr) return highWatermark
  let offset = term.flushedOffset
  for (const follower of term.followers) {
    if (follower.endOffset >= offset) continue
    if (maximalIsr.includes(follower.id) || (isCaughtUp(term, follower) && isEligible(term, follower)))
      offset = follower.endOffset
  }
  return Math.max(highWatermark, offset)
}

/**
 * A follower may join that has all that is committed, and all that was there when the leader's epoch began: before that,
 * what is committed may lie above the leader's high watermark. It must keep up, too, or it would leave again at once (Kafka
 * does not ask for that: there an ISR may flap while nothing is committed).
 */
export function mayJoin(term: TermView, follower: FollowerView): boolean {
  return (
    !term.maximalIsr.includes(follower.id) &&
    follower.endOffset >= term.highWatermark &&
    follower.endOffset >= term.epochStartOffset &&
    isCaughtUp(term, follower) &&
    isEligible(term, follower)
  )
}

/**
 * The ISR without those that have not kept up; null: all have. In a chain only the first of them goes: those behind it
 * could not do better.
 */
export function shrunkIsr(term: TermView): number[] | null {
  const late = term.isr.filter(id => {
    const follower = term.followers.find(each => each.id === id)
    return id !== term.leader && (follower === undefined || !isCaughtUp(term, follower))
  })
  if (late.length === 0) return null
  const going = term.chain ? late.slice(0, 1) : late
  return term.isr.filter(id => !going.includes(id))
}

/** The ISR with those that have caught up, last; null: there are none. */
export function grownIsr(term: TermView): number[] | null {
  const joining = term.followers.filter(follower => mayJoin(term, follower)).map(({ id }) => id)
  return joining.length === 0 ? null : [...term.isr, ...joining]
}
