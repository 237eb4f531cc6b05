import type { Logger } from '../../../world/logger.ts'
import type { Peers } from '../../peers.ts'

export interface LeaderProbeOptions {
  /** Null: there are no others. */
  readonly peers: Pick<Peers, 'probe'> | null
  /** Our own id. */
  readonly self: number
  readonly logger: Logger
  /** Who leads, as we see it; null when we are closed. */
  readonly leader: () => number | null
  /** Nobody listens where this leader was. */
  readonly gone: (leader: number) => void
}

/** Finds out whether somebody still listens where the leader was: when nobody does, nobody need wait for it. */
export class LeaderProbe {
  readonly #options: LeaderProbeOptions
  #probing = false

  constructor(options: LeaderProbeOptions) {
    this.#options = options
  }

  /** Does nothing when `node` does not lead, and when a probe is under way. */
  probe(node: number): void {
    const { peers, self, logger, leader, gone } = this.#options
    if (peers === null || this.#probing || node !== leader() || node === self) return
    this.#probing = true
    peers
      .probe(node)
      .then(found => {
        if (found !== 'refused' || leader() === null) return
        logger.info('the leader of the metadata is gone: nobody listens at its address', { node })
        gone(node)
      })
      .catch(error => logger.debug('the leader of the metadata could not be probed', { node, error }))
      .finally(() => {
        this.#probing = false
      })
  }
}
