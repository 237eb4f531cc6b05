import { KafkaError } from '../../protocol/errors.ts'
import type { VolumeContext } from './context.ts'
import {
  checkFileName,
  cleanedSuffix,
  deletedSuffix,
  indexSuffix,
  logSuffix,
  makingSuffix,
  partitionMetadataName,
  swapSuffix,
  timeIndexSuffix,
  tornSuffix,
} from './names.ts'
import type { PartitionDirectory } from './partition-directory.ts'

const ours = [
  logSuffix,
  indexSuffix,
  timeIndexSuffix,
  deletedSuffix,
  cleanedSuffix,
  swapSuffix,
  tornSuffix,
  makingSuffix,
]

const nothing = new Uint8Array(0)

/** Small files beside the batches. One write of a name follows on the other; the newest is what readers see. */
export class SideFiles {
  readonly #context: VolumeContext
  readonly #directory: PartitionDirectory
  /** Under way: bytes, or null for a removal. */
  readonly #newest = new Map<string, { readonly bytes: Uint8Array | null; readonly done: Promise<void> }>()
  /** Names whose last write failed: what the files say is older than what was known. */
  readonly #unkept = new Set<string>()
  #closed = false

  constructor(context: VolumeContext, directory: PartitionDirectory) {
    this.#context = context
    this.#directory = directory
  }

  /** The files say all that they were given. */
  get whole(): boolean {
    return this.#unkept.size === 0
  }

  names(): string[] {
    const names = new Set(this.#directory.exists ? this.#context.world.disk.list(this.#directory.path) : [])
    for (const [name, { bytes }] of this.#newest) {
      if (bytes === null) names.delete(name)
      else names.add(name)
    }
    return [...names]
      .filter(name => name !== partitionMetadataName && !ours.some(suffix => name.endsWith(suffix)))
      .sort()
  }

  get(name: string): Uint8Array | null {
    const newest = this.#newest.get(name)
    if (newest !== undefined) return newest.bytes
    if (!this.#directory.exists) return null
    const { handles, logger, world } = this.#context
    const path = this.#path(name)
    try {
      return handles.opening(() => world.disk.readFile(path))
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === 'ENOENT') return null
      if (code !== 'EIO') throw error
      // As good as torn: whoever owns it makes it anew from the log, or takes an older one.
      logger.warn('A file cannot be read', { path, error })
      return nothing
    }
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(name)
    if (this.#closed) return Promise.reject(new KafkaError('KAFKA_STORAGE_ERROR', 'The store is closed'))
    return this.#after(name, bytes, async () => {
      this.#unkept.add(name)
      this.#directory.ensure()
      await this.#context.world.disk.replaceFile(path, bytes)
      await this.#directory.sync()
      this.#unkept.delete(name)
    })
  }

  drop(name: string): void {
    const path = this.#path(name)
    if (this.#closed) return
    this.#unkept.delete(name)
    if (!this.#newest.has(name)) {
      this.#remove(path)
      return
    }
    this.#after(name, null, async () => this.#remove(path)).catch(error =>
      this.#context.logger.warn('A file could not be removed', { path, error }),
    )
  }

  /** Takes nothing more: the folder may soon be somebody else's. Fulfilled when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#newest.values()].map(({ done }) => done))
  }

  #after(name: string, bytes: Uint8Array | null, run: () => Promise<void>): Promise<void> {
    const before = this.#newest.get(name)?.done
    const done = before === undefined ? run() : before.catch(() => {}).then(run)
    const entry = { bytes, done }
    this.#newest.set(name, entry)
    const forget = (): void => {
      if (this.#newest.get(name) === entry) this.#newest.delete(name)
    }
    done.then(forget, forget)
    return done
  }

  #remove(path: string): void {
    if (!this.#context.world.disk.exists(path)) return
    this.#context.world.disk.remove(path)
    this.#directory.namesChanged()
  }

  #path(name: string): string {
    return `${this.#directory.path}/${checkFileName(name)}`
  }
}
