import type { VolumeContext } from './context.ts'
import { deletedSuffix, fileName, transactionIndexSuffix } from './names.ts'
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
  roll(baseOffset: number): void {
    const { active } = this
    active.endOffset = baseOffset
    active.noteMaxTimestamp()
    this.#all = [...this.#all, this.#make(baseOffset)]
  }

  /**
   * An empty active segment has a file, too: without it nobody would know where the log goes on. Not needed at offset 0 of
   * a partition that has no folder.
   */
  ensureFile(segment: FileSegment): void {
    if (segment.exists || (segment.baseOffset === 0 && this.#all.length === 1)) return
    this.#directory.ensure()
    this.#context.handles.get(segment.path, 'create')
    segment.exists = true
    this.#directory.namesChanged()
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
    if (last !== undefined) last.endOffset = baseOffset
    this.#all = [...older, this.#make(baseOffset)]
    return active
  }

  /** Takes all segments off the list, begins at `baseOffset`, and returns them; their files are still there. */
  startAt(baseOffset: number): readonly FileSegment[] {
    const gone = this.#all
    this.#all = [this.#make(baseOffset)]
    return gone
  }

  /**
   * The active segment, new and empty, takes over the file of one that is off the list: at no moment is there no file that
   * tells where the log goes on.
   */
  takeOver(old: FileSegment): void {
    const { active } = this
    if (!old.exists || active.exists) {
      this.#remove(old)
      return
    }
    const { disk } = this.#context.world
    for (const path of this.#files(old)) if (path !== old.path) disk.remove(path)
    if (old.path !== active.path) disk.rename(old.path, active.path)
    old.exists = false
    active.exists = true
    active.truncateFile()
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
    const paths = [segment.offsets.path, segment.times.path, transactions, segment.path].filter(path =>
      disk.exists(path),
    )
    for (const path of paths) this.#context.handles.forget(path)
    return paths
  }
}
