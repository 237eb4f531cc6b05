import type { CommittedMetadata } from '../cluster/committed.ts'
import type { MetadataRecord } from '../cluster/records/records.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock } from '../world/world.ts'
import type { Membership } from './membership.ts'

/** ms by which clocks may differ before somebody should know: timestamps of records, retention and sessions look odd then. */
const mostMs = 2_000
/** ms between two warnings. */
const quietMs = 60_000

/** Compares this node's clock with the controller's, by the timestamps of the facts that it sends. */
export class ClockCheck {
  readonly #clock: Clock
  readonly #logger: Logger
  #warnedAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** A fact of which we know that it was stamped at the controller between `sent` (wall clock, ms) and now. */
  stamped(timestamp: number, sent: number): void {
    const now = this.#clock.now()
    const ahead = timestamp < sent ? sent - timestamp : timestamp > now ? now - timestamp : 0
    if (Math.abs(ahead) <= mostMs || this.#clock.mono() - this.#warnedAt < quietMs) return
    this.#warnedAt = this.#clock.mono()
    const seconds = (Math.abs(ahead) / 1000).toFixed(1)
    const direction = ahead > 0 ? 'ahead of' : 'behind'
    this.#logger.warn(`the clock of this machine is ${seconds} s ${direction} the controller's: set both by NTP`, {
      offsetMs: Math.round(ahead),
    })
  }
}

/** By our own registration: the controller has stamped it, some time since we began. */
export function compareClocks(
  metadata: Pick<CommittedMetadata, 'subscribe'>,
  { incarnationId, begun }: Membership,
  clock: Clock,
  logger: Logger,
): void {
  const check = new ClockCheck(clock, logger)
  metadata.subscribe({
    load: () => {},
    commit: (_, records, timestamp) => {
      const own = (record: MetadataRecord) =>
        record.type === 'RegisterBrokerRecord' && record.incarnationId === incarnationId
      if (records.some(own)) check.stamped(timestamp, begun)
    },
  })
}
