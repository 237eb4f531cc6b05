import { showAddress } from '../client/address.ts'
import type { Orderer, Voter } from '../cluster/orderer/orderer.ts'
import type { Peers } from '../cluster/peers.ts'
import type { Logger } from '../world/logger.ts'
import type { Timer, Timers } from '../world/world.ts'

export interface LeaderWatchOptions {
  readonly nodeId: number
  readonly orderer: Pick<Orderer, 'leader' | 'onLeader' | 'describe'>
  readonly peers: Pick<Peers, 'probe'>
  readonly timers: Timers
  readonly logger: Logger
}

/** ms without a leader after which somebody should know, and between words to whoever knows already. */
const patienceMs = 5_000
const againMs = 60_000

/** Says when nobody leads the voters of the metadata for long: which of them this node cannot reach, and what that means. */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions
  readonly #unwatch: () => void
  #timer: Timer | null = null
  #said = false
  #stopped = false

  constructor(options: LeaderWatchOptions) {
    this.#options = options
    this.#unwatch = options.orderer.onLeader(() => this.#look())
    this.#look()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#unwatch()
  }

  #look(): void {
    const leader = this.#options.orderer.leader()
    if (leader === null) {
      this.#timer ??= this.#options.timers.after(patienceMs, () => void this.#speak())
      return
    }
    this.#timer?.cancel()
    this.#timer = null
    if (this.#said) this.#options.logger.info('the metadata of the cluster is led again', { node: leader.id })
    this.#said = false
  }

  async #speak(): Promise<void> {
    const { orderer, nodeId, peers, timers, logger } = this.#options
    const voters = orderer.describe().voters
    const others = voters.filter(({ id }) => id !== nodeId)
    const found = await Promise.all(others.map(({ id }) => peers.probe(id).catch(() => 'unknown')))
    if (this.#stopped || orderer.leader() !== null) return
    const missing = others.filter((_, i) => found[i] !== 'alive')
    this.#timer = timers.after(missing.length > 0 ? againMs : patienceMs, () => void this.#speak())
    if (missing.length === 0) return
    this.#said = true
    logger.warn(sentence(voters, missing))
  }
}

function sentence(voters: readonly Voter[], missing: readonly Voter[]): string {
  const one = missing.length === 1
  const most = Math.floor(voters.length / 2) + 1
  const who = `${one ? 'node' : 'nodes'} ${missing.map(show).join(', ')} cannot be reached`
  return (
    `nobody decides about the metadata: that takes ${most} of ${voters.length} voters, and ${who}; topics, leaders and ` +
    'members stay as they are until then (a node that has a new address finds the others with --join and one of theirs)'
  )
}

function show({ id, endpoints: [endpoint] }: Voter): string {
  return endpoint === undefined ? String(id) : `${id} (${showAddress(endpoint)})`
}
