import { batchOverhead, magic, sizeInBytes } from '../../src/protocol/batches/header.ts'
import type { MemoryDisk } from '../../src/world/memory-disk.ts'
import type { Dice } from './dice.ts'
import type { Server } from './server.ts'

/** What a disk does to bytes that it once had. */

const logOf = /^(.+)-(\d+)$/

/** For partitions' folders: `others` know the server `id` as down, and neither in sync nor eligible to lead. */
export function nobodyCountsOn(others: readonly Server[], id: number): (topic: string, partition: number) => boolean {
  return (topic, partition) =>
    others.every(({ inside }) => {
      if (inside === null) return false
      const { state } = inside.metadata
      const known = state.topics.get(topic)?.partitions[partition]
      if (known === undefined || state.brokers.get(id)?.fenced !== true || !known.replicas.includes(id)) return false
      const { isr, eligibleLeaderReplicas, lastKnownElr } = known
      return ![isr, eligibleLeaderReplicas, lastKnownElr].some(ids => ids.includes(id)) && isr.length > 0
    })
}

/**
 * Spoils the end of one copy: some of its last file is not there any more, or a bit of its last batch is another one. Both
 * are seen by whoever opens it after a crash. Returns what it did; null: nothing.
 */
export function damageCopy(
  disk: MemoryDisk,
  mayBe: (topic: string, partition: number) => boolean,
  dice: Dice,
): string | null {
  // Whoever stopped in order does not look at every batch again.
  if (disk.exists('/data/.kafka_cleanshutdown')) return null
  const folders = disk.look('/data').filter(name => {
    const [, topic, partition] = logOf.exec(name) ?? []
    return topic !== undefined && topic !== '__cluster_metadata' && mayBe(topic, Number(partition))
  })
  if (folders.length === 0) return null
  const folder = `/data/${dice.pick(folders)}`
  const file = disk.look(folder).findLast(name => name.endsWith('.log'))
  const path = `${folder}/${file}`
  const bytes = disk.lookAt(path)
  if (file === undefined || bytes === null || bytes.length === 0) return null
  const last = lastBatch(bytes)
  if (last === null || dice.chance(0.5)) {
    const length = dice.int(bytes.length)
    disk.lose(path, length)
    return `${path} has lost what it had from byte ${length} on`
  }
  const at = last.at + batchOverhead + dice.int(last.size - batchOverhead)
  disk.rot(path, at, 1 << dice.int(8))
  return `a bit of byte ${at} of ${path} has changed`
}

/** Where it lies; null: there is none with records, or what follows it is none. */
function lastBatch(bytes: Uint8Array): { readonly at: number; readonly size: number } | null {
  let last = null
  for (let at = 0; at < bytes.length; ) {
    if (at + batchOverhead > bytes.length || magic(bytes, at) !== 2) return null
    const size = sizeInBytes(bytes, at)
    if (size <= batchOverhead || at + size > bytes.length) return null
    last = { at, size }
    at += size
  }
  return last
}
