import type { Timers } from '../world/world.ts'

/**
 * No room on the disk, in the quota or for one more open file: errors that pass by themselves, unlike all others of a disk.
 */
export function isFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code as string) || lacksDescriptors(error)
}

/** A file could not be opened because there are too many: nothing was done with it. */
export function lacksDescriptors(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'EMFILE' || code === 'ENFILE'
}

const pauseMs = 100
/** ms between attempts to write where the disk is full. */
const retryMs = 1000

/** Tries again and again while there is no room, and `waits`, which hears of each refusal, says so. Rejects with any other error. */
export async function whenThereIsRoom(
  timers: Timers,
  waits: (error: Error) => boolean,
  run: () => Promise<void> | void,
): Promise<void> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (!isFull(error) || !waits(error as Error)) throw error
      await new Promise<void>(resolve => timers.after(retryMs, resolve))
    }
  }
}

/**
 * A sync that needs a file or folder to be opened first: tried again while connections have taken all descriptors. That is
 * no failed sync, which must never be tried again. `wanted` false ends it.
 */
export async function syncWhenOpened(timers: Timers, wanted: () => boolean, sync: () => Promise<void>): Promise<void> {
  while (wanted()) {
    try {
      return await sync()
    } catch (error) {
      if (!lacksDescriptors(error)) throw error
      await new Promise<void>(resolve => timers.after(pauseMs, resolve))
    }
  }
}
