import type { VolumeContext } from './context.ts'
import { deletedSuffix, fileName, gapSuffix, transactionIndexSuffix } from './names.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { FileSegment } from './segment.ts'

/** The segments of one partition, from the oldest on; never empty. The last one is written to. */
export class Segments {
  readonly #context: VolumeContext
  readonly #directory: PartitionDirectory
  #all: readonly FileSegment[]

  constructor(context: VolumeContext, directory: PartitionDirectory, all: readonly FileSegment[]) {
    this.#context = context
    this.#directory = directory
    this.#all = all.length > 0 ? all : [this.#make(0)]
  }

  get all(): readonly FileSegment[] {
    return this.#all
  }

  get first(): FileSegment {
    return this.#all[0]!
  }

  get active(): FileSegment {
    return this.#all[this.#all.length - 1]!
  }

  get sizeInBytes(): number {
    let sum = 0
    for (const segment of this.#all) sum += segment.sizeInBytes
    return sum
  }

  /** Index of the segment in which `offset` lies, or of the first one when it lies below. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.#all.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.#all[middle]!.baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Closes the active segment, which is not empty, and begins one at `baseOffset`. Makes no file. */
  roll(baseOffset: number, afterGap = this.active.endOffset < baseOffset): void {
    const { active } = this
    const next = this.#make(baseOffset)
    next.afterGap = afterGap
    active.endOffset = baseOffset
    active.noteMaxTimestamp()
    this.#all = [...this.#all, next]
  }

  /**
   * An empty active segment has a file, too: without it nobody would know where the log goes on. Not needed at offset 0 of
   * a partition that has no folder.
   */
  ensureFile(segment: FileSegment): void {
    if (segment.exists || (segment.baseOffset === 0 && this.#all.length === 1)) return
    createLog(this.#context, this.#directory, segment)
  }

  /** Takes the segments after `last` off the list and returns them; their files are still there. */
  takeAfter(last: FileSegment): readonly FileSegment[] {
    const at = this.#all.indexOf(last)
    const gone = this.#all.slice(at + 1)
    this.#all = this.#all.slice(0, at + 1)
    return gone
  }

  /** Puts an empty segment in the place of the active one, which it returns; its files are still there. */
  replaceActive(baseOffset: number): FileSegment {
    const { active } = this
    const older = this.#all.slice(0, -1)
    const last = older[older.length - 1]
    const next = this.#make(baseOffset)
    next.afterGap = last !== undefined && (active.afterGap || active.baseOffset !== baseOffset)
    if (last !== undefined) last.endOffset = baseOffset
    this.#all = [...older, next]
    return active
  }

  /** Takes all segments off the list, begins at `baseOffset`, and returns them; their files are still there. */
  startAt(baseOffset: number): readonly FileSegment[] {
    const gone = this.#all
    this.#all = [this.#make(baseOffset)]
    return gone
  }

  /**
   * `heir`, new and empty, takes over the file of one that is off the list: at no moment is there no file that tells where
   * the log goes on. So it is, too, when the heir itself is off the list by now: its own heir finds the file there.
   */
  takeOver(old: FileSegment, heir: FileSegment): void {
    if (!old.exists || heir.exists) {
      this.#remove(old)
      // It may be tried again after the last step failed.
      heir.truncateFile()
      return
    }
    const { disk } = this.#context.world
    const oldGap = gapPath(this.#directory, old)
    for (const path of this.#files(old)) if (path !== old.path && path !== oldGap) disk.remove(path)
    markGap(this.#context, this.#directory, heir)
    if (old.path !== heir.path) disk.rename(old.path, heir.path)
    // At no moment without its mark.
    if (oldGap !== gapPath(this.#directory, heir) && disk.exists(oldGap)) disk.remove(oldGap)
    old.exists = false
    heir.exists = true
    heir.truncateFile()
    this.#directory.namesChanged()
  }

  /** Removes the files of segments that are off the list, the newest first. */
  removeFiles(segments: readonly FileSegment[]): void {
    for (const segment of [...segments].reverse()) this.#remove(segment)
  }

  /** Takes the first `count` segments off the list and returns them; their files are still there. */
  takeFirst(count: number): readonly FileSegment[] {
    const gone = this.#all.slice(0, count)
    this.#all = this.#all.slice(count)
    return gone
  }

  /** Marks the files of segments that are off the list as deleted; returns what to remove later. */
  markFiles(segments: readonly FileSegment[]): string[] {
    return segments.flatMap(segment => {
      const marked = this.#files(segment).map(path => {
        this.#context.world.disk.rename(path, path + deletedSuffix)
        return path + deletedSuffix
      })
      if (marked.length > 0) this.#directory.namesChanged()
      segment.exists = false
      return marked
    })
  }

  /** Writes the indexes of all segments that changed, and makes them durable: Kafka and we trust them after a clean stop. */
  async syncIndexes(): Promise<void> {
    for (const segment of this.#all) {
      if (!segment.exists) continue
      for (const path of segment.finishIndexes()) {
        await this.#context.syncSlots.run(() => this.#context.handles.pinned(path, file => file.sync()))
        this.#directory.namesChanged()
      }
    }
  }

  #make(baseOffset: number): FileSegment {
    return new FileSegment(this.#context.handles, this.#directory.path, baseOffset, 0, true)
  }

  #remove(segment: FileSegment): void {
    // Its file has been taken over.
    if (segment.path === this.active.path && this.active.exists) return
    for (const path of this.#files(segment)) {
      this.#context.world.disk.remove(path)
      this.#directory.namesChanged()
    }
    segment.exists = false
  }

  /** Files of a segment that are there, closed; the log last, so that no index is ever left without one. */
  #files(segment: FileSegment): string[] {
    if (!segment.exists) return []
    const { disk } = this.#context.world
    const transactions = `${this.#directory.path}/${fileName(segment.baseOffset, transactionIndexSuffix)}`
    const beside = [segment.offsets.path, segment.times.path, transactions, gapPath(this.#directory, segment)]
    const paths = [...beside, segment.path].filter(path => disk.exists(path))
    for (const path of paths) this.#context.handles.forget(path)
    return paths
  }
}

/** Makes the file of a segment that has none; its name is durable after the next sync of the folder. */
export function createLog(
  context: VolumeContext,
  directory: PartitionDirectory,
  segment: FileSegment,
): ReturnType<VolumeContext['handles']['get']> {
  directory.ensure()
  markGap(context, directory, segment)
  const file = context.handles.get(segment.path, 'create')
  segment.exists = true
  directory.namesChanged()
  return file
}

/** A recovery takes a gap that is not marked for records that were lost. */
function markGap(context: VolumeContext, directory: PartitionDirectory, segment: FileSegment): void {
  const { disk } = context.world
  const path = gapPath(directory, segment)
  if (segment.afterGap) disk.writeFile(path, '')
  else if (disk.exists(path)) disk.remove(path)
}

const gapPath = ({ path }: PartitionDirectory, { baseOffset }: FileSegment): string =>
  `${path}/${fileName(baseOffset, gapSuffix)}`
