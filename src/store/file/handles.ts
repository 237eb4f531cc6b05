import type { Disk, File } from '../../world/world.ts'

interface Handle {
  readonly file: File
  /** Those who wait for the file to answer. */
  pins: number
  /** Close it when the last of them has let go. */
  leaving: boolean
}

/**
 * Open files of a volume, the most recently used ones: thousands of partitions must not cost thousands of descriptors.
 * A file that somebody waits for stays open; so the limit may be passed for a moment.
 */
export class Handles {
  readonly #disk: Disk
  readonly #limit: number
  /** In the order of their last use. */
  readonly #open = new Map<string, Handle>()

  constructor(disk: Disk, limit: number) {
    this.#disk = disk
    this.#limit = limit
  }

  get count(): number {
    return this.#open.size
  }

  /** For use within this turn of the event loop. Throws ENOENT, EMFILE and their kin. */
  get(path: string, mode: 'write' | 'create' = 'write'): File {
    return this.#take(path, mode).file
  }

  /** Keeps the file open while `use` waits for it. */
  async pinned<T>(path: string, use: (file: File) => Promise<T>): Promise<T> {
    const handle = this.#take(path, 'write')
    handle.pins++
    try {
      return await use(handle.file)
    } finally {
      handle.pins--
      if (handle.leaving && handle.pins === 0) handle.file.close()
    }
  }

  /** The file will be renamed or removed; who reads from it may finish. */
  forget(path: string): void {
    const handle = this.#open.get(path)
    if (handle === undefined) return
    this.#open.delete(path)
    this.#leave(handle)
  }

  closeAll(): void {
    for (const path of [...this.#open.keys()]) this.forget(path)
  }

  #take(path: string, mode: 'write' | 'create'): Handle {
    const known = this.#open.get(path)
    if (known !== undefined) {
      this.#open.delete(path)
      this.#open.set(path, known)
      return known
    }
    this.#evict(this.#limit - 1)
    const handle = { file: this.opening(() => this.#disk.open(path, mode)), pins: 0, leaving: false }
    this.#open.set(path, handle)
    return handle
  }

  /** Opens what needs a descriptor, for which some of ours may have to go. */
  opening<T>(open: () => T): T {
    try {
      return open()
    } catch (error) {
      const { code } = error as { code?: unknown }
      if ((code !== 'EMFILE' && code !== 'ENFILE') || this.#open.size === 0) throw error
      // Sockets have eaten the descriptors: do with half of ours.
      this.#evict(this.#open.size >> 1)
      return open()
    }
  }

  #evict(downTo: number): void {
    for (const [path, handle] of this.#open) {
      if (this.#open.size <= downTo) return
      if (handle.pins === 0) this.forget(path)
    }
  }

  #leave(handle: Handle): void {
    handle.leaving = true
    if (handle.pins === 0) handle.file.close()
  }
}
