import type { Timers } from '../../world/world.ts'

/**
 * Lets others have their turn now and then: `await` it where it gives a promise. A page of many partitions takes longer than
 * anybody should wait for.
 */
export type Breath = () => Promise<void> | null

/** Every `each` calls, once all that came in meanwhile has been handled. */
export function breather(timers: Pick<Timers, 'soon'>, each: number): Breath {
  let calls = 0
  return () => (++calls % each === 0 ? new Promise(resolve => timers.soon(resolve)) : null)
}
