import { syncWhenOpened } from '../disk-full.ts'
import { partitionMetadata } from './checkpoints.ts'
import type { VolumeContext } from './context.ts'
import { partitionMetadataName } from './names.ts'

/** The folder of one partition. It is made with the first file in it. */
export class PartitionDirectory {
  readonly path: string
  readonly #context: VolumeContext
  readonly #topicId: string
  #exists: boolean
  #metadataUnsynced = false
  #namesUnsynced = false
  #syncing: Promise<void> = Promise.resolve()

  constructor(context: VolumeContext, name: string, topicId: string, exists: boolean) {
    this.#context = context
    this.path = `${context.root}/${name}`
    this.#topicId = topicId
    this.#exists = exists
  }

  get exists(): boolean {
    return this.#exists
  }

  /** Throws what the disk throws; then it can be called again. */
  ensure(): void {
    if (this.#exists) return
    const { disk } = this.#context.world
    disk.makeDirectory(this.path)
    this.noteTopicId()
    this.#exists = true
  }

  noteTopicId(): void {
    this.#context.world.disk.writeFile(`${this.path}/${partitionMetadataName}`, partitionMetadata(this.#topicId))
    this.#metadataUnsynced = true
    this.#namesUnsynced = true
  }

  /** Files came or went. */
  namesChanged(): void {
    this.#namesUnsynced = true
  }

  /** A process that did not end in order may have left files, and the folder itself, whose names no sync has covered. */
  inherited(): void {
    this.#metadataUnsynced = true
    this.#namesUnsynced = true
  }

  /** Makes the names in the folder durable, and the folder's own name. */
  sync(): Promise<void> {
    // One after the other: who comes second must not be told of a sync that is still under way.
    this.#syncing = this.#syncing.catch(() => {}).then(() => this.#syncNow())
    return this.#syncing
  }

  async #syncNow(): Promise<void> {
    if (!this.#namesUnsynced || !this.#exists) return
    this.#namesUnsynced = false
    const { handles, world, root } = this.#context
    const opened = (sync: () => Promise<void>) => syncWhenOpened(world.timers, () => true, sync)
    if (this.#metadataUnsynced) {
      const path = `${this.path}/${partitionMetadataName}`
      await opened(() => handles.pinned(path, file => file.sync()))
      handles.forget(path)
      await opened(() => world.disk.syncDirectory(this.path))
      await opened(() => world.disk.syncDirectory(root))
      this.#metadataUnsynced = false
    } else {
      await opened(() => world.disk.syncDirectory(this.path))
    }
  }
}
