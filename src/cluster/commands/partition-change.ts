import { enoughInSync } from '../../replication/role.ts'
import type { RecordOf } from '../records/records.ts'
import type { PartitionState, TopicState } from '../state.ts'
import { type Configs, type Context, directoryOf, isUsable, valueInForce } from './context.ts'

/** Who may lead: also those who are not in sync (`unclean`), or the first replica before all others (`preferred`). */
export type Election = 'online' | 'preferred' | 'unclean'

/** What somebody wants of a partition; what is not named stays as it is, unless it follows from the rest. */
export interface PartitionWish {
  readonly isr?: readonly number[]
  readonly replicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  /** 0: what an unclean election has left behind is dealt with. */
  readonly leaderRecoveryState?: number
  /** Brokers that may lack what is committed (an end without a sync, a damaged copy): they are in nobody's place any more. */
  readonly lacking?: readonly number[]
  /** Of those, brokers whose copy is gone altogether. */
  readonly gone?: readonly number[]
  readonly election?: Election
  /** A leader epoch begins in any case: the former process of the leader may not go on. */
  readonly newEpoch?: boolean
}

/** What a change depends on besides the partition itself. */
export interface Rules {
  /** Whether a broker may lead and be in sync, as it will be after the present decision. */
  usable(id: number): boolean
  directoryOf(id: number): string
  readonly minIsr: number
  /** Whether somebody out of sync may lead when nobody else can. */
  readonly unclean: boolean
  /** The ordered ISR is a chain: each change of it is a new leader epoch. */
  readonly chain: boolean
}

export type PartitionChange = RecordOf<'PartitionChangeRecord'>

/** `usable`, `configs`: where the present decision changes who is, or what is set. */
export function rulesOf(
  topic: TopicState,
  context: Context,
  usable?: (id: number) => boolean,
  configs?: Configs,
): Rules {
  const { state } = context
  const value = (name: string) => valueInForce(name, topic.name, context, configs)
  return {
    usable: usable ?? (id => isUsable(state, id)),
    directoryOf: id => directoryOf(state, id),
    minIsr: Number(value('min.insync.replicas') ?? 1),
    unclean: value('unclean.leader.election.enable') === 'true',
    chain: value('replication.topology') === 'chain',
  }
}

/**
 * The one place where a partition's leader, ISR and ELR are decided (KIP-455, 497, 903, 966): completes a reassignment
 * whose replicas are in sync, keeps those who left a small ISR as eligible leaders, elects. Null: nothing changes.
 */
export function changePartition(
  topicId: string,
  partitionId: number,
  before: PartitionState,
  wish: PartitionWish,
  rules: Rules,
): PartitionChange | null {
  const draft = new Draft(before, wish, rules)
  const completed = draft.completeReassignment()
  draft.keepEligible()
  draft.elect(completed && wish.election === undefined ? 'preferred' : (wish.election ?? 'online'))
  return draft.record({ type: 'PartitionChangeRecord', partitionId, topicId }, wish.newEpoch ?? false)
}

class Draft {
  readonly #before: PartitionState
  readonly #wish: PartitionWish
  readonly #rules: Rules
  #replicas: readonly number[]
  #isr: readonly number[]
  #adding: readonly number[]
  #removing: readonly number[]
  #eligible: readonly number[] = []
  #lastKnown: readonly number[] = []
  #leader: number
  #recovery: number

  constructor(before: PartitionState, wish: PartitionWish, rules: Rules) {
    this.#before = before
    this.#wish = wish
    this.#rules = rules
    this.#replicas = wish.replicas ?? before.replicas
    this.#isr = wish.isr ?? before.isr
    this.#adding = wish.addingReplicas ?? before.addingReplicas
    this.#removing = wish.removingReplicas ?? before.removingReplicas
    this.#leader = before.leader
    this.#recovery = wish.leaderRecoveryState ?? before.leaderRecoveryState
  }

  /**
   * Replicas go when all that come are in sync and enough are left: the ISR does not fall below `min.insync.replicas`
   * for it, nor below what it is where it is lower already.
   */
  completeReassignment(): boolean {
    if (this.#adding.length === 0 && this.#removing.length === 0) return false
    const target = without(this.#replicas, this.#removing)
    const isr = without(this.#isr, this.#removing)
    if (!this.#adding.every(id => isr.includes(id))) return false
    const enough = Math.min(this.#rules.minIsr, target.length, Math.max(1, this.#isr.length))
    if (isr.length < enough) return false
    this.#replicas = target
    this.#isr = isr
    this.#adding = []
    this.#removing = []
    return true
  }

  /**
   * While the ISR is smaller than `min.insync.replicas` nothing is committed, so whoever left it since has everything
   * that is (KIP-966). The last one that has it stays, whatever happened to it: nobody knows more. Only with an empty disk it
   * must not lead those who have something still; they wait for somebody to decide.
   */
  keepEligible(): void {
    const { isr, eligibleLeaderReplicas, lastKnownElr } = this.#before
    if (this.#isr.length >= this.#enough()) return
    const whole = union(eligibleLeaderReplicas, isr).filter(id => this.#replicas.includes(id))
    const left = without(whole, this.#isr)
    const gone = this.#replicas.length > 1 ? (this.#wish.gone ?? []) : []
    const sure = without(left, this.#wish.lacking ?? [])
    this.#eligible = this.#isr.length === 0 && sure.length === 0 ? without(left, gone) : sure
    this.#lastKnown = without(union(whole, lastKnownElr), [...this.#isr, ...this.#eligible, ...gone]).filter(id =>
      this.#replicas.includes(id),
    )
  }

  elect(election: Election): void {
    const chosen = this.#choose(election)
    this.#leader = chosen ?? -1
    if (chosen === undefined) return
    if (this.#isr.includes(chosen)) {
      if (this.#rules.chain) this.#lineUp(chosen)
      return
    }
    // From the ELR nothing is lost; anybody else has to live with what it has.
    const clean = this.#eligible.includes(chosen)
    if (!clean) this.#recovery = 1
    this.#isr = [chosen]
    const enough = this.#isr.length >= this.#enough()
    this.#eligible = clean && !enough ? without(this.#eligible, [chosen]) : []
    this.#lastKnown = clean && !enough ? without(this.#lastKnown, [chosen]) : []
  }

  #enough(): number {
    return enoughInSync(this.#rules.minIsr, { replicas: this.#replicas, addingReplicas: this.#adding })
  }

  #choose(election: Election): number | undefined {
    const valid = this.#isr.length > 0 ? this.#isr : this.#eligible
    const may = (id: number) => valid.includes(id) && this.#replicas.includes(id) && this.#rules.usable(id)
    const first = this.#replicas[0]!
    if (election === 'preferred' && may(first)) return first
    if (may(this.#leader)) return this.#leader
    // The next in a chain has at least what all behind it have.
    const line = this.#rules.chain ? this.#isr.concat(this.#replicas) : this.#replicas
    const inSync = line.find(may)
    if (inSync !== undefined) return inSync
    if (valid.length === 0 && this.#before.lastKnownElr.length === 1) {
      const last = this.#before.lastKnownElr[0]!
      if (this.#replicas.includes(last) && this.#rules.usable(last)) return last
    }
    if (election !== 'unclean' && !this.#rules.unclean) return undefined
    return this.#replicas.find(id => this.#rules.usable(id))
  }

  /** The leader is the head; who was behind it in the line of replicas follows in that order, then the others. */
  #lineUp(head: number): void {
    if (this.#isr[0] === head) return
    const line = this.#isr.filter(id => id !== head)
    this.#isr = head === this.#replicas[0] ? this.#replicas.filter(id => this.#isr.includes(id)) : [head, ...line]
  }

  record(empty: PartitionChange, newEpoch: boolean): PartitionChange | null {
    const { replicas, isr, addingReplicas, removingReplicas, leader } = this.#before
    const changed: { -readonly [Key in keyof PartitionChange]: PartitionChange[Key] } = { ...empty }
    if (!same(this.#isr, isr)) changed.isr = this.#isr
    if (!same(this.#replicas, replicas)) {
      changed.replicas = this.#replicas
      changed.directories = this.#directories()
    }
    if (!same(this.#adding, addingReplicas)) changed.addingReplicas = this.#adding
    if (!same(this.#removing, removingReplicas)) changed.removingReplicas = this.#removing
    if (!same(this.#eligible, this.#before.eligibleLeaderReplicas)) changed.eligibleLeaderReplicas = this.#eligible
    if (!same(this.#lastKnown, this.#before.lastKnownElr)) changed.lastKnownElr = this.#lastKnown
    if (this.#recovery !== this.#before.leaderRecoveryState) changed.leaderRecoveryState = this.#recovery
    // Whoever is taken out must hear that its epoch is over, and so must every hop of a chain that was linked anew.
    const removed = replicas.some(id => !this.#replicas.includes(id))
    const linkedAnew = this.#rules.chain && changed.isr !== undefined
    if (this.#leader !== leader || newEpoch || (this.#leader !== -1 && (removed || linkedAnew))) {
      changed.leader = this.#leader
    }
    return Object.keys(changed).length > Object.keys(empty).length ? changed : null
  }

  #directories(): string[] {
    const { replicas, directories } = this.#before
    return this.#replicas.map(id => directories[replicas.indexOf(id)] ?? this.#rules.directoryOf(id))
  }
}

export function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}

export function without(list: readonly number[], out: readonly number[]): number[] {
  return list.filter(id => !out.includes(id))
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...a, ...b.filter(id => !a.includes(id))]
}
