import type { Disk } from '../../world/world.ts'
import type { TopicPartition } from '../store.ts'
import { OffsetCheckpoint } from './checkpoints.ts'

/** One of Kafka's checkpoints of offsets, and its file. Saves that are asked for at the same time become one. */
export class CheckpointFile {
  readonly #disk: Disk
  readonly #path: string
  readonly #checkpoint: OffsetCheckpoint
  #saving: Promise<void> = Promise.resolve()
  #queued: Promise<void> | null = null
  #writing = false
  /** The file was there and could not be understood. */
  readonly unreadable: boolean

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
    const read = disk.exists(path) ? OffsetCheckpoint.parse(disk.readFile(path).toString()) : new OffsetCheckpoint()
    this.unreadable = read === null
    this.#checkpoint = read ?? new OffsetCheckpoint()
  }

  /** The file says what we say. */
  get settled(): boolean {
    return !this.#checkpoint.changed && !this.#writing && this.#queued === null
  }

  get(partition: TopicPartition): number {
    return this.#checkpoint.get(partition) ?? 0
  }

  set(partition: TopicPartition, offset: number): void {
    this.#checkpoint.set(partition, offset)
  }

  delete(partition: TopicPartition): void {
    this.#checkpoint.delete(partition)
  }

  /** Fulfilled when everything that was set before the call is durable. */
  save(): Promise<void> {
    if (this.#queued !== null) return this.#queued
    if (!this.#checkpoint.changed) return this.#saving
    this.#queued = this.#saving
      .catch(() => {})
      .then(() => {
        this.#queued = null
        this.#saving = this.#write()
        return this.#saving
      })
    return this.#queued
  }

  async #write(): Promise<void> {
    this.#checkpoint.changed = false
    this.#writing = true
    try {
      await this.#disk.replaceFile(this.#path, this.#checkpoint.toText())
    } catch (error) {
      this.#checkpoint.changed = true
      throw error
    } finally {
      this.#writing = false
    }
  }
}
