import type { Logger } from '../../../world/logger.ts'
import type { Clock, Timer, Timers } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'
import { type GrowthSettings, type GrowthView, nextStep } from './growth.ts'
import type { QuorumNode } from './quorum-node.ts'
import type { ReplicaKey } from './types.ts'
import type { VoterChange, VoterChanges } from './voter-changes.ts'
import { includes, isSame } from './voters.ts'

export interface GrowingOptions {
  readonly orderer: QuorumNode
  readonly changes: VoterChanges
  readonly settings: GrowthSettings
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** Whether a node is drained, or will not come back. */
  readonly leaves: (node: number) => boolean
  /** ms without a Fetch after which a replica counts as gone. */
  readonly goneMs: number
}

/** ms from an application to a look, between two looks, and until a change is given up. */
const soonMs = 50
const lookMs = 500
const changeMs = 5000
/** ms for which an application holds; nodes apply again and again. */
const applicationMs = 10_000
const mostApplications = 100

const isOdd = (voters: readonly Voter[]): boolean => voters.length % 2 === 1
const nameOf = ({ id, directoryId }: ReplicaKey): string => `${id} ${directoryId}`

const noted: VoterChange = { error: null, message: null }
const unwanted: VoterChange = { error: 'POLICY_VIOLATION', message: 'Somebody has removed this voter on purpose.' }

/** Lets the quorum grow, and heals it, while this node leads it: carries out what `nextStep` decides. */
export class Growing {
  readonly #options: GrowingOptions
  readonly #applications = new Map<string, { readonly voter: Voter; readonly at: number }>()
  readonly #removed = new Set<string>()
  #attempt: { readonly added: ReplicaKey; readonly at: number } | null = null
  #timer: Timer | null = null
  readonly #unwatch: () => void
  #busy = false
  #stopped = false

  constructor(options: GrowingOptions) {
    this.#options = options
    const { orderer } = options
    // What the leader before us has begun is ours to finish.
    this.#unwatch = orderer.onLeader(leader => {
      if (leader?.id === orderer.voter.id) this.#lookLater(soonMs)
    })
    this.#lookLater(soonMs)
  }

  /** A node would like to vote when it is needed. */
  applies(voter: Voter): VoterChange {
    const key = nameOf(voter)
    if (this.#removed.has(key)) return unwanted
    this.#applications.delete(key)
    if (this.#applications.size < mostApplications)
      this.#applications.set(key, { voter, at: this.#options.clock.mono() })
    this.#lookLater(soonMs)
    return noted
  }

  /**
   * Somebody removes a voter on purpose: it hears so when it applies again. A node that goes anyway may have its vote back
   * when it stays after all. False: that was known, or is not needed.
   */
  removed(voter: ReplicaKey): boolean {
    const name = nameOf(voter)
    this.#applications.delete(name)
    if (this.#options.leaves(voter.id) || this.#removed.has(name)) return false
    this.#removed.add(name)
    if (this.#removed.size > mostApplications) this.#removed.delete(this.#removed.values().next().value!)
    return true
  }

  /** Somebody makes a node a voter, or it has stayed one. */
  added(voter: ReplicaKey): void {
    this.#removed.delete(nameOf(voter))
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#unwatch()
  }

  #lookLater(ms = lookMs): void {
    if (this.#timer !== null || this.#stopped) return
    this.#timer = this.#options.timers.after(ms, () => {
      this.#timer = null
      void this.#look()
    })
  }

  async #look(): Promise<void> {
    const { orderer, settings } = this.#options
    if (this.#busy || this.#stopped || orderer.raft === null) return
    if (orderer.raft.role !== 'leader') {
      this.#applications.clear()
      this.#attempt = null
      return
    }
    this.#busy = true
    if (isOdd(orderer.raft.voters)) this.#attempt = null
    let changed = false
    try {
      const view = this.#view()
      if (orderer.raft.mayAppend) changed = await this.#step(view, settings)
    } finally {
      this.#busy = false
      // Nobody applies any more, and nothing is unfinished: the next application wakes us, or the next lead.
      const voters = orderer.raft?.voters ?? []
      const unfinished = this.#attempt !== null || (voters.length > 2 && !isOdd(voters))
      if (unfinished || this.#applications.size > 0) this.#lookLater(changed ? soonMs : lookMs)
    }
  }

  /** Whether the voters are others now. */
  async #step(view: GrowthView, settings: GrowthSettings): Promise<boolean> {
    const { changes, logger, orderer, clock } = this.#options
    const step = nextStep(view, settings)
    if (step === null) return false
    const { id: node } = step.voter
    const { error, message } =
      step.do === 'add' ? await changes.add(step.voter, changeMs) : await changes.remove(step.voter, changeMs)
    const voters = orderer.raft?.voters ?? []
    // It may have been appended although it was not committed in time.
    if (step.do === 'add' && includes(voters, step.voter) && !isOdd(voters))
      this.#attempt = { added: step.voter, at: clock.mono() }
    if (error !== null) {
      logger.warn('the voters could not be changed', { do: step.do, node, error, message })
      return false
    }
    logger.info(step.do === 'add' ? 'a node has become a voter' : 'a node is no voter any more', {
      node,
      why: step.why,
    })
    if (step.do === 'remove') this.#attempt = null
    return true
  }

  #view(): GrowthView {
    const { orderer, clock, goneMs, leaves } = this.#options
    const now = clock.mono()
    const { voters, replicas } = orderer.raft!
    const known = [...replicas]
    for (const [key, { at }] of this.#applications) if (now - at > applicationMs) this.#applications.delete(key)
    const candidates = [...this.#applications.values()].filter(({ voter }) => !leaves(voter.id))
    return {
      now,
      goneMs,
      attempt: this.#attempt,
      voters: voters.map(voter => {
        const lastFetch = known.find(({ key }) => isSame(voter, key))?.lastFetch ?? -1
        // One that this leader never heard has been silent for as long as it leads, at least.
        const since = lastFetch >= 0 ? lastFetch : orderer.ledSince
        return { voter, silentMs: isSame(voter, orderer.voter) ? 0 : now - since, leaves: leaves(voter.id) }
      }),
      candidates: candidates.map(({ voter }) => {
        const found = known.find(({ key }) => isSame(voter, key))
        const fetches = found !== undefined && now - found.lastFetch <= goneMs
        return {
          voter,
          caughtUp: fetches && now - found.lastCaughtUp <= goneMs,
          steadyMs: fetches ? now - found.steadySince : 0,
        }
      }),
    }
  }
}
