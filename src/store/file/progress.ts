import type { Logger } from '../../world/logger.ts'
import type { Clock } from '../../world/world.ts'

const everyMs = 1000

/** Says how far a recovery has come, when it takes longer than a second. */
export class Progress {
  readonly #clock: Clock
  readonly #logger: Logger
  #saidAt: number | null = null
  /** Bytes read by recoveries of this volume. */
  bytes = 0

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  read(bytes: number, of: string, position: number, end: number): void {
    this.bytes += bytes
    const now = this.#clock.mono()
    this.#saidAt ??= now
    if (now - this.#saidAt < everyMs) return
    this.#saidAt = now
    const percent = Math.floor((100 * position) / Math.max(1, end))
    this.#logger.info('Recovering what was written before a crash', { file: of, percent, bytesChecked: this.bytes })
  }
}
