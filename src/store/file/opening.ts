import { KafkaError } from '../../protocol/errors.ts'
import type { Damage, StoreOptions } from '../store.ts'
import { topicIdIn } from './checkpoints.ts'
import type { VolumeContext } from './context.ts'
import {
  cleanedSuffix,
  deletedSuffix,
  gapSuffix,
  indexSuffix,
  logSuffix,
  makingSuffix,
  offsetIn,
  partitionMetadataName,
  timeIndexSuffix,
} from './names.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { checkSegment } from './recovery.ts'
import { FileSegment } from './segment.ts'
import { finishSwaps } from './swaps.ts'
import { type Cut, cutTail, setAside } from './torn.ts'

/** What the volume knows of a partition before it opens it. */
export interface Opening {
  readonly topicId: string
  readonly options: StoreOptions
  readonly recoveryPoint: number
  /** A compaction may have left gaps between segments below. */
  readonly cleanedTo: number
  /** It was closed in order. */
  readonly clean: boolean
  /** The folder is there. */
  readonly exists: boolean
  /** Until then nothing may be written. */
  readonly ready?: Promise<void> | null
}

/** What was found in a partition's folder. */
export interface Opened {
  readonly segments: FileSegment[]
  readonly endOffset: number
  /** Everything below was on stable storage before. */
  readonly durableOffset: number
  readonly damage: Damage | null
  /** What recovery cut off. The bytes are still in the files. */
  readonly cuts: readonly Cut[]
}

const nothing: Opened = { segments: [], endOffset: 0, durableOffset: 0, damage: null, cuts: [] }

/** Throws INCONSISTENT_TOPIC_ID when the folder belongs to another topic of the same name. */
export function openPartition(
  context: VolumeContext,
  directory: PartitionDirectory,
  topicId: string,
  options: StoreOptions,
  { recoveryPoint, cleanedTo, clean }: Pick<Opening, 'recoveryPoint' | 'cleanedTo' | 'clean'>,
): Opened {
  if (!directory.exists) return nothing
  if (!clean) directory.inherited()
  checkTopicId(context, directory, topicId)
  const segments = load(context, directory)
  const last = segments.at(-1)
  if (last === undefined) return { ...nothing, ...missing(0, recoveryPoint) }
  for (const [i, segment] of segments.entries()) segment.endOffset = segments[i + 1]?.baseOffset ?? segment.baseOffset
  if (clean && last.loadTail(options.indexIntervalBytes) === null) {
    return {
      segments,
      endOffset: last.endOffset,
      durableOffset: last.endOffset,
      cuts: [],
      ...missing(last.endOffset, recoveryPoint),
    }
  }
  return recover(context, directory, segments, options, recoveryPoint, cleanedTo)
}

function missing(endOffset: number, recoveryPoint: number): { damage: Damage | null } {
  if (endOffset >= recoveryPoint) return { damage: null }
  const reason = `the log ends at offset ${endOffset}, but ${recoveryPoint} had been reached on stable storage`
  return { damage: { offset: endOffset, reason } }
}

function checkTopicId(context: VolumeContext, directory: PartitionDirectory, topicId: string): void {
  const path = `${directory.path}/${partitionMetadataName}`
  const { disk } = context.world
  const known = disk.exists(path) ? topicIdIn(disk.readFile(path).toString()) : null
  if (known === topicId) return
  if (known !== null) {
    throw new KafkaError('INCONSISTENT_TOPIC_ID', `${directory.path} belongs to topic id ${known}, not to ${topicId}`)
  }
  directory.noteTopicId()
}

/** The segments by their files; finishes and clears away what an interruption left behind. */
function load(context: VolumeContext, directory: PartitionDirectory): FileSegment[] {
  const { disk } = context.world
  const at = (name: string): string => `${directory.path}/${name}`
  finishSwaps(context, directory.path)
  const names = disk.list(directory.path)
  const logs = names.filter(name => offsetIn(name, logSuffix) !== null)
  const bases = new Set(logs.map(name => offsetIn(name, logSuffix)))
  const gaps = new Set(names.map(name => offsetIn(name, gapSuffix)))
  for (const name of names) {
    const gap = offsetIn(name, gapSuffix)
    if (gap !== null && !bases.has(gap)) disk.remove(at(name))
    const leftover = [deletedSuffix, cleanedSuffix, makingSuffix].some(suffix => name.endsWith(suffix))
    const index = offsetIn(name, indexSuffix) ?? offsetIn(name, timeIndexSuffix)
    if (leftover || (index !== null && !bases.has(index))) disk.remove(at(name))
  }
  return logs.map(name => {
    const baseOffset = offsetIn(name, logSuffix)!
    const segment = new FileSegment(context.handles, directory.path, baseOffset, disk.size(at(name)), false)
    segment.afterGap = gaps.has(baseOffset)
    return segment
  })
}

/**
 * A segment that ends before the next one begins: its end never reached the disk, though the next one's name did. Not so
 * where everything was on the disk before, or was compacted.
 */
function hole(endOffset: number, next: FileSegment | undefined, soundTo: number): string | null {
  if (next === undefined || next.afterGap || endOffset >= next.baseOffset || next.baseOffset <= soundTo) return null
  return `it ends at offset ${endOffset}, the next one begins at ${next.baseOffset}`
}

/** Walks over everything that may not have reached the disk in order, and cuts where it stops making sense. */
function recover(
  context: VolumeContext,
  directory: PartitionDirectory,
  segments: FileSegment[],
  options: StoreOptions,
  recoveryPoint: number,
  cleanedTo: number,
): Opened {
  const cuts: Cut[] = []
  // The segment before the point, too: what was cut off from its end may be there again.
  const first = segments.findLastIndex(({ baseOffset }) => baseOffset < recoveryPoint)
  for (let i = Math.max(0, first); i < segments.length; i++) {
    const segment = segments[i]!
    const next = segments[i + 1]?.baseOffset
    const bad = checkSegment(context, segment, recoveryPoint, next, options.indexIntervalBytes)
    const { endOffset } = segment
    const problem = bad ?? hole(endOffset, segments[i + 1], Math.max(recoveryPoint, cleanedTo))
    if (problem !== null && endOffset < recoveryPoint && endOffset !== next) {
      const damage = { offset: endOffset, reason: `${segment.path}, byte ${segment.sizeInBytes}: ${problem}` }
      return { segments, endOffset, durableOffset: endOffset, damage, cuts: [] }
    }
    if (next !== undefined) segment.noteMaxTimestamp()
    if (problem !== null) cuts.push(cutTail(context, directory.path, segment, problem))
    if (next === undefined) break
    segment.endOffset = next
    if (problem === null || endOffset === next) continue
    // Records are missing here: those of later segments cannot stay without them.
    segment.endOffset = endOffset
    const later = segments.splice(i + 1)
    const bytes = later.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0)
    const cut = cuts.pop()!
    cuts.push({ ...cut, bytes: cut.bytes + bytes, doubtful: cut.doubtful || bytes > 0 })
    for (const each of later) setAside(context, directory.path, each)
  }
  if (cuts.length > 0) directory.namesChanged()
  const { endOffset } = segments.at(-1)!
  const durableOffset = Math.min(recoveryPoint, endOffset)
  return { segments, endOffset, durableOffset, cuts, ...missing(endOffset, recoveryPoint) }
}
