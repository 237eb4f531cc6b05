import { mayRetry } from './failures.ts'
import type { ClientWorld } from './options.ts'

export interface RetryOptions {
  readonly apiTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

/** ms to wait before the next attempt: doubled each time, ±20 % so that clients do not move in step (KIP-580). */
export function backoffMs(world: ClientWorld, options: RetryOptions, failures: number): number {
  const calm = Math.min(options.retryBackoffMaxMs, options.retryBackoffMs * 2 ** Math.min(20, failures))
  return (calm * (80 + world.random.int(41))) / 100
}

export function sleep(world: ClientWorld, ms: number): Promise<void> {
  return new Promise(resolve => world.timers.after(ms, resolve))
}

/** Fulfilled when `promise` is settled or `ms` are over. */
export function within(world: ClientWorld, ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise(resolve => {
    const timer = world.timers.after(ms, resolve)
    const done = () => {
      timer.cancel()
      resolve()
    }
    promise.then(done, done)
  })
}

/**
 * Tries until it works, fails for good, or `apiTimeoutMs` are over; then the last error is thrown. `failed` hears of each
 * failure that is retried, to forget what may have caused it; `isWorthIt` says which are.
 */
export async function retry<T>(
  world: ClientWorld,
  options: RetryOptions,
  attempt: () => Promise<T>,
  failed: (error: unknown) => void = () => {},
  isWorthIt: (error: unknown) => boolean = mayRetry,
): Promise<T> {
  const deadline = world.clock.mono() + options.apiTimeoutMs
  for (let failures = 0; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      const pause = backoffMs(world, options, failures)
      if (!isWorthIt(error) || world.clock.mono() + pause > deadline) throw error
      failed(error)
      await sleep(world, pause)
    }
  }
}
