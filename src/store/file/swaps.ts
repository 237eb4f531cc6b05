import type { VolumeContext } from './context.ts'
import { HeaderCursor } from './cursor.ts'
import {
  fileName,
  indexSuffix,
  logSuffix,
  offsetIn,
  swapSuffix,
  timeIndexSuffix,
  transactionIndexSuffix,
} from './names.ts'

const suffixes = [indexSuffix, timeIndexSuffix, transactionIndexSuffix, logSuffix]

/**
 * Compaction writes a segment anew, names it `.swap` when it is complete, and only then removes what it replaces. Kafka may
 * have been stopped in between: the swap is what counts, and whatever lies within its offsets goes.
 */
export function finishSwaps(context: VolumeContext, directory: string): void {
  const { disk } = context.world
  const names = disk.list(directory)
  const swapped = names.filter(name => offsetIn(name, logSuffix + swapSuffix) !== null)
  if (!names.some(name => name.endsWith(swapSuffix))) return
  for (const name of swapped) {
    const base = offsetIn(name, logSuffix + swapSuffix)!
    const end = endOf(context, `${directory}/${name}`, base)
    for (const old of names) {
      const offset = offsetIn(old, logSuffix)
      if (offset === null || (offset !== base && (offset < base || offset >= end))) continue
      for (const suffix of suffixes) removeIfThere(context, `${directory}/${fileName(offset, suffix)}`)
    }
    // The log last: until then a restart finds the swap again.
    for (const suffix of suffixes) {
      const path = `${directory}/${fileName(base, suffix)}`
      if (disk.exists(path + swapSuffix)) disk.rename(path + swapSuffix, path)
    }
  }
  for (const name of names) if (name.endsWith(swapSuffix)) removeIfThere(context, `${directory}/${name}`)
}

function endOf(context: VolumeContext, path: string, base: number): number {
  const walk = new HeaderCursor(() => context.handles.get(path), 0, context.world.disk.size(path), base)
  let end = base
  for (let header = walk.next(); header !== null; header = walk.next()) end = header.lastOffset + 1
  context.handles.forget(path)
  return end
}

function removeIfThere(context: VolumeContext, path: string): void {
  if (context.world.disk.exists(path)) context.world.disk.remove(path)
}
