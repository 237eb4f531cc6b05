import { Folder, Inode } from './memory-files.ts'
import type { Disk, File, Lock, Random } from './world.ts'

/**
 * A disk in memory that knows what a power cut forgets: bytes that no sync covered go sector by sector, names that no folder
 * sync covered go from the newest on. For tests and simulations; with faults to switch on. POSIX paths only.
 */
export class MemoryDisk implements Disk {
  /** Bytes that may still be written before ENOSPC; a write that meets the end is cut short. */
  room = Number.POSITIVE_INFINITY
  /** How many of the next syncs of files fail with EIO. What they should have kept is then lost at a power cut. */
  failingSyncs = 0
  /** A sync has failed on this disk: what a process finds here, and what is on the platter, differ for good. */
  lostSomething = false
  /** When set, the next writes fail with this code before anything is written. */
  failingWrites: string | null = null
  /** When set, no new file can be made: that fails with this code. */
  failingNew: string | null = null
  /** When set, reads fail with this code. */
  failingReads: string | null = null
  /** Calls so far of what changes something. */
  operations = 0
  /** Called before each change: a simulator may let the process die right there. */
  beforeChange: (() => void) | null = null
  readonly #root: Folder
  readonly #later: (run: () => void) => void
  readonly #locks = new Set<string>()
  #dead = false

  /** `later` calls back when the device has done its work; a real one never does so at once. */
  constructor(later: (run: () => void) => void = setImmediate, root: Folder = new Folder()) {
    this.#later = later
    this.#root = root
  }

  /** What the next process finds after this one was killed; what was not synced still is not. This object is dead then. */
  killed(): MemoryDisk {
    this.#dead = true
    const next = new MemoryDisk(this.#later, this.#root)
    next.lostSomething = this.lostSomething
    next.room = this.room
    return next
  }

  /** What is found after the power went: any part of what was not synced may be there or not. */
  powerCut(random: Pick<Random, 'int'>): MemoryDisk {
    this.#dead = true
    const next = new MemoryDisk(this.#later, this.#root.afterPowerCut(random))
    next.room = this.room
    return next
  }

  open(path: string, mode: 'read' | 'write' | 'create'): File {
    const [folder, name] = this.#parent(path)
    let node = folder.names.get(name)
    if (node === undefined) {
      if (mode !== 'create') throw failure('ENOENT', path)
      if (this.room <= 0) throw failure('ENOSPC', path)
      if (this.failingNew !== null) throw failure(this.failingNew, path)
      this.changes()
      node = new Inode()
      folder.change([[name, node]])
    }
    if (node instanceof Folder) throw failure('EISDIR', path)
    return new MemoryFile(this, node)
  }

  list(path: string): string[] {
    return [...this.#folder(path).names.keys()].sort()
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined
  }

  size(path: string): number {
    return this.#inode(path).length
  }

  makeDirectory(path: string): void {
    this.alive()
    let folder = this.#root
    for (const name of partsOf(path)) {
      let next = folder.names.get(name)
      if (next === undefined) {
        this.changes()
        next = new Folder()
        folder.change([[name, next]])
      }
      if (!(next instanceof Folder)) throw failure('EEXIST', path)
      folder = next
    }
  }

  rename(from: string, to: string): void {
    const [source, name] = this.#parent(from)
    const [target, newName] = this.#parent(to)
    const node = source.names.get(name)
    if (node === undefined) throw failure('ENOENT', from)
    this.changes()
    if (source === target) {
      source.change([
        [name, null],
        [newName, node],
      ])
      return
    }
    target.change([[newName, node]])
    source.change([[name, null]])
  }

  async removeLater(path: string): Promise<void> {
    if (this.exists(path)) this.remove(path)
  }

  remove(path: string): void {
    const [folder, name] = this.#parent(path)
    if (!folder.names.has(name)) throw failure('ENOENT', path)
    this.changes()
    folder.change([[name, null]])
  }

  removeTree(path: string): void {
    const [folder, name] = this.#parent(path)
    this.changes()
    if (folder.names.has(name)) folder.change([[name, null]])
  }

  readFile(path: string): Buffer {
    this.checkRead()
    return Buffer.from(this.#inode(path).bytes)
  }

  writeFile(path: string, bytes: Uint8Array | string): void {
    const file = this.open(path, 'create')
    file.truncate(0)
    file.write([Buffer.from(bytes as string)], 0)
  }

  async replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
    const making = `${path}.${this.operations}.tmp`
    this.writeFile(making, bytes)
    await this.sync(this.#inode(making))
    this.rename(making, path)
    await this.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  }

  async syncDirectory(path: string): Promise<void> {
    const folder = this.#folder(path)
    const { unsynced } = folder
    const before = folder.settled
    await this.wait()
    // Another sync may have settled some of them meanwhile.
    folder.settle(Math.max(0, before + unsynced - folder.settled))
  }

  space(): { free: number; total: number } {
    return { free: Math.min(this.room, 1e15), total: 1e15 }
  }

  lock(path: string): Lock | null {
    if (this.#locks.has(path)) return null
    this.#locks.add(path)
    return { release: () => this.#locks.delete(path) }
  }

  /** Flips bits of a file behind everybody's back. Nothing happens when there is no such byte. */
  rot(path: string, position: number, mask: number): void {
    this.#inode(path).rot(position, mask)
  }

  /** Forgets the bytes of a file from `length` on, behind everybody's back. */
  lose(path: string, length: number): void {
    this.#inode(path).lose(length)
  }

  /** What a power cut at this moment would certainly leave of a file; null: not even its name. Also after the process died. */
  platter(path: string): Buffer | null {
    let node: Inode | Folder | undefined = this.#root
    for (const name of partsOf(path)) node = node instanceof Folder ? node.stable(name) : undefined
    return node instanceof Inode ? node.stable : null
  }

  /** Names of a folder that a power cut would certainly leave. */
  platterNames(path: string): string[] {
    let node: Inode | Folder | undefined = this.#root
    for (const name of partsOf(path)) node = node instanceof Folder ? node.stable(name) : undefined
    return node instanceof Folder ? node.stableNames().sort() : []
  }

  /** As `list`, for an onlooker: also after the process died, without its faults, and empty when there is no such folder. */
  look(path: string): string[] {
    let node: Inode | Folder | undefined = this.#root
    for (const name of partsOf(path)) node = node instanceof Folder ? node.names.get(name) : undefined
    return node instanceof Folder ? [...node.names.keys()].sort() : []
  }

  /** A file's bytes for an onlooker, as a view; null when there is none. */
  lookAt(path: string): Buffer | null {
    let node: Inode | Folder | undefined = this.#root
    for (const name of partsOf(path)) node = node instanceof Folder ? node.names.get(name) : undefined
    return node instanceof Inode ? node.bytes : null
  }

  async sync(inode: Inode): Promise<void> {
    const syncing = inode.beginSync()
    await this.wait()
    if (this.failingSyncs > 0) {
      this.failingSyncs--
      inode.failSync()
      this.lostSomething = true
      throw failure('EIO', 'sync')
    }
    inode.endSync(syncing)
  }

  /** Counts a change, which may be the last one of this process. */
  changes(): void {
    this.operations++
    this.beforeChange?.()
    this.alive()
  }

  checkRead(): void {
    if (this.failingReads !== null) throw failure(this.failingReads, 'read')
  }

  /** Throws when the process that uses this disk is gone. */
  alive(): void {
    if (this.#dead) throw failure('ESHUTDOWN', 'the disk of a process that is gone')
  }

  /** Never fulfilled when the process ends meanwhile. */
  wait(): Promise<void> {
    this.alive()
    return new Promise(resolve => this.#later(() => this.#dead || resolve()))
  }

  #find(path: string): Inode | Folder | undefined {
    this.alive()
    let node: Inode | Folder | undefined = this.#root
    for (const name of partsOf(path)) node = node instanceof Folder ? node.names.get(name) : undefined
    return node
  }

  #folder(path: string): Folder {
    const found = this.#find(path)
    if (found === undefined) throw failure('ENOENT', path)
    if (!(found instanceof Folder)) throw failure('ENOTDIR', path)
    return found
  }

  #inode(path: string): Inode {
    const found = this.#find(path)
    if (!(found instanceof Inode)) throw failure(found === undefined ? 'ENOENT' : 'EISDIR', path)
    return found
  }

  #parent(path: string): [Folder, string] {
    const at = path.lastIndexOf('/')
    return [this.#folder(path.slice(0, at)), path.slice(at + 1)]
  }
}

class MemoryFile implements File {
  readonly #disk: MemoryDisk
  readonly #inode: Inode
  #closed = false

  constructor(disk: MemoryDisk, inode: Inode) {
    this.#disk = disk
    this.#inode = inode
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    this.#check()
    if (this.#disk.failingWrites !== null) throw failure(this.#disk.failingWrites, 'write')
    this.#disk.changes()
    const bytes = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
    const fits = bytes.subarray(0, Math.max(0, Math.min(bytes.length, this.#disk.room)))
    this.#disk.room -= fits.length
    this.#inode.write(fits, position)
    if (fits.length < bytes.length) throw failure('ENOSPC', 'write')
  }

  read(into: Uint8Array, position: number): number {
    this.#check()
    this.#disk.checkRead()
    const part = this.#inode.bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }

  async readLater(into: Uint8Array, position: number): Promise<number> {
    await this.#disk.wait()
    return this.read(into, position)
  }

  sync(): Promise<void> {
    this.#check()
    return this.#disk.sync(this.#inode)
  }

  truncate(length: number): void {
    this.#check()
    this.#disk.changes()
    this.#disk.room += Math.max(0, this.#inode.length - length)
    this.#inode.truncate(length)
  }

  size(): number {
    this.#check()
    return this.#inode.length
  }

  close(): void {
    this.#closed = true
  }

  #check(): void {
    this.#disk.alive()
    if (this.#closed) throw failure('EBADF', 'a closed file')
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter(part => part !== '')
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
