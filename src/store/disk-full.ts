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
