import type { Volume } from '../store/store.ts'
import type { NodeOptions } from './options.ts'

/** Where the data is kept; only the adapter that is used is loaded. */
export async function openVolume({ config: { config, dataDirectory }, world, logger }: NodeOptions): Promise<Volume> {
  if (dataDirectory === null) {
    const { MemoryVolume } = await import('../store/memory.ts')
    return new MemoryVolume(world.timers)
  }
  const { FileVolume } = await import('../store/file/file-volume.ts')
  return FileVolume.open(dataDirectory, world, logger, { tailBytes: config.get('tail.cache.bytes') })
}
