import type { Clock } from '../../../world/world.ts'

/** Pings that may come at once; clients that measure their bandwidth send some. */
const burst = 20
/** ms for each further one. Clients keep connections alive with one in ten seconds at most. */
const pingMs = 5000

/** Tells a client that keeps its connection alive from one that keeps us busy (gRPC: "too many pings"). */
export class Pings {
  readonly #clock: Pick<Clock, 'mono'>
  #left = burst
  #since: number

  constructor(clock: Pick<Clock, 'mono'>) {
    this.#clock = clock
    this.#since = clock.mono()
  }

  /** Something was sent: pings that follow are answers to it as much as anything. */
  sent(): void {
    this.#left = burst
  }

  /** False: one too many. */
  allow(): boolean {
    const now = this.#clock.mono()
    const more = Math.floor((now - this.#since) / pingMs)
    this.#left = Math.min(burst, this.#left + more)
    this.#since += more * pingMs
    return this.#left-- > 0
  }
}
