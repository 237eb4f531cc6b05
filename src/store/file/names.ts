import type { TopicPartition } from '../store.ts'

/** How Kafka names the folders and files of a data directory. */

/** The longest name that common file systems take (NAME_MAX). */
const maxNameBytes = 255
const digits = 20

export const lockName = '.lock'
export const cleanMarkName = '.kafka_cleanshutdown'
/** Ours: the disk failed, and what the page cache has may never have got there. Kafka passes over it. */
export const distrustName = '.ottla_disk_failed'
export const recoveryPointsName = 'recovery-point-offset-checkpoint'
export const logStartsName = 'log-start-offset-checkpoint'
export const highWatermarksName = 'replication-offset-checkpoint'
/** Kafka's: up to where it has compacted each partition. */
export const cleanedName = 'cleaner-offset-checkpoint'
export const partitionMetadataName = 'partition.metadata'

export const logSuffix = '.log'
export const indexSuffix = '.index'
export const timeIndexSuffix = '.timeindex'
export const transactionIndexSuffix = '.txnindex'
/** Kafka's mark for files that are about to be removed. */
export const deletedSuffix = '.deleted'
/** Half of a compaction: not valid yet. */
export const cleanedSuffix = '.cleaned'
/** A compaction that was decided but not finished: takes the place of what it names. */
export const swapSuffix = '.swap'
/** Ours: bytes that recovery cut off. Kafka passes over it. */
export const tornSuffix = '.torn'
/** Ours, empty: the segment of this name begins after offsets that have no records. Kafka passes over it. */
export const gapSuffix = '.gap'
/** A file in the making. */
export const makingSuffix = '.tmp'

/** `00000000000000000042.log` and its kin. */
export function fileName(offset: number, suffix: string): string {
  return String(offset).padStart(digits, '0') + suffix
}

/** The offset in a name such as `fileName` makes; null in any other. */
export function offsetIn(name: string, suffix: string): number | null {
  if (name.length !== digits + suffix.length || !name.endsWith(suffix)) return null
  const text = name.slice(0, digits)
  const offset = Number(text)
  return /^\d+$/.test(text) && Number.isSafeInteger(offset) ? offset : null
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** Throws RangeError for what must not become a path: the floors above have checked it long before. */
export function directoryName(topicPartition: TopicPartition): string {
  const { topic, partition } = topicPartition
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || topic === '.' || topic === '..') {
    throw new RangeError(`${JSON.stringify(topic)} is no topic name`)
  }
  if (!Number.isInteger(partition) || partition < 0 || partition > 0x7fffffff) {
    throw new RangeError(`${partition} is no partition`)
  }
  const name = keyOf(topicPartition)
  if (name.length > maxNameBytes) throw new RangeError(`${name} is too long for the name of a folder`)
  return name
}

/** Null for all folders that are not a partition's: those being deleted, moved, or strays, and foreign ones. */
export function partitionIn(name: string): TopicPartition | null {
  const [, topic, digitsOfPartition] = /^([a-zA-Z0-9._-]+)-(\d{1,10})$/.exec(name) ?? []
  if (topic === undefined || digitsOfPartition === undefined) return null
  const partition = Number(digitsOfPartition)
  return topic.length <= 249 && partition <= 0x7fffffff && String(partition) === digitsOfPartition
    ? { topic, partition }
    : null
}

/**
 * Kafka's names for a partition's folder that is to be removed (`topic-0.<32 hex digits>-delete`, the topic cut short), and
 * for one that belongs to no topic (`-stray`).
 */
export function departedDirectoryName(
  { topic, partition }: TopicPartition,
  unique: Uint8Array,
  fate: 'delete' | 'stray',
): string {
  const suffix = `-${partition}.${Buffer.from(unique).toString('hex')}-${fate}`
  return topic.slice(0, maxNameBytes - suffix.length) + suffix
}

export function isDeletedDirectory(name: string): boolean {
  return /-\d+\.[0-9a-f]{32}-delete$/.test(name)
}

/** Throws RangeError for anything but a plain file name. */
export function checkFileName(name: string): string {
  if (!/^\.?[a-zA-Z0-9_][a-zA-Z0-9._-]{0,200}$/.test(name))
    throw new RangeError(`${JSON.stringify(name)} is no file name`)
  return name
}
