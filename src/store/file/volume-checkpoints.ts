import type { Logger } from '../../world/logger.ts'
import type { World } from '../../world/world.ts'
import { whenThereIsRoom } from '../disk-full.ts'
import type { TopicPartition } from '../store.ts'
import { CheckpointFile } from './checkpoint-file.ts'
import { cleanedName, highWatermarksName, logStartsName, recoveryPointsName } from './names.ts'

/** What the root of a data directory says of its partitions: Kafka's checkpoints. */
export class VolumeCheckpoints {
  readonly recoveryPoints: CheckpointFile
  readonly logStarts: CheckpointFile
  readonly highWatermarks: CheckpointFile
  /** Written by Kafka alone: nothing here compacts yet. */
  readonly cleaned: CheckpointFile
  readonly #timers: World['timers']
  #closing = false

  constructor(root: string, { disk, timers }: Pick<World, 'disk' | 'timers'>, logger: Logger) {
    this.#timers = timers
    const read = (name: string): CheckpointFile => {
      const file = new CheckpointFile(disk, `${root}/${name}`)
      if (file.unreadable) logger.warn('A checkpoint cannot be read: it is made anew', { name })
      return file
    }
    this.recoveryPoints = read(recoveryPointsName)
    this.logStarts = read(logStartsName)
    this.highWatermarks = read(highWatermarksName)
    this.cleaned = read(cleanedName)
  }

  get #all(): readonly CheckpointFile[] {
    return [this.recoveryPoints, this.logStarts, this.highWatermarks, this.cleaned]
  }

  async save(): Promise<void> {
    await Promise.all(this.#all.map(checkpoint => checkpoint.save()))
  }

  /**
   * What they say of a folder that is gone must not be taken for the next one of its name. Null when they say nothing, not
   * on disk either.
   */
  forget(topicPartition: TopicPartition): Promise<void> | null {
    for (const checkpoint of this.#all) checkpoint.delete(topicPartition)
    if (this.#all.every(({ settled }) => settled)) return null
    return whenThereIsRoom(
      this.#timers,
      () => !this.#closing,
      () => this.save(),
    )
  }

  /** Room is not waited for any more. */
  close(): void {
    this.#closing = true
  }
}
