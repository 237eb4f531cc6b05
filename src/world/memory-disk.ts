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
  /** When set, the next writes fail with this code before anything is written. */
  failingWrites: string | null = null
  /** Calls so far of what changes something. */
  operations = 0
  readonly #root: Folder
  readonly #later: (run: () => void) => void
  readonly #locks = new Set<string>()
  #dead = false

  /** `later` calls back when the device has done its work; a real one never does so at once. */
  constructor(later: (run: () => void) => void = setImmediate, root: Folder = new Folder()) {
    this.#later = later
    this.#root = root
  }

  /** What the next process finds after this one was killed. Nothing reaches the old disk any more. */
  killed(): MemoryDisk {
    this.#dead = true
    return new MemoryDisk(this.#later, this.#root.copy(null))
  }

  /** What is found after the power went: any part of what was not synced may be there or not. */
  powerCut(random: Pick<Random, 'int'>): MemoryDisk {
    this.#dead = true
    return new MemoryDisk(this.#later, this.#root.copy(random))
  }

  open(path: string, mode: 'read' | 'write' | 'create'): File {
    const [folder, name] = this.#parent(path)
    let node = folder.names.get(name)
    if (node === undefined) {
      if (mode !== 'create') throw failure('ENOENT', path)
      if (this.room <= 0) throw failure('ENOSPC', path)
      node = new Inode()
      folder.change([[name, node]])
      this.operations++
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
    return this.#inode(path).bytes.length
  }

  makeDirectory(path: string): void {
    this.alive()
    let folder = this.#root
    for (const name of partsOf(path)) {
      let next = folder.names.get(name)
      if (next === undefined) {
        next = new Folder()
        folder.change([[name, next]])
        this.operations++
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
    this.operations++
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
    this.operations++
    folder.change([[name, null]])
  }

  removeTree(path: string): void {
    const [folder, name] = this.#parent(path)
    this.operations++
    if (folder.names.has(name)) folder.change([[name, null]])
  }

  readFile(path: string): Buffer {
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
    await this.#inode(making).sync(this)
    this.rename(making, path)
    await this.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  }

  async syncDirectory(path: string): Promise<void> {
    const folder = this.#folder(path)
    await this.wait()
    folder.settle()
  }

  space(): { free: number; total: number } {
    return { free: Math.min(this.room, 1e15), total: 1e15 }
  }

  lock(path: string): Lock | null {
    if (this.#locks.has(path)) return null
    this.#locks.add(path)
    return { release: () => this.#locks.delete(path) }
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

const sectorBytes = 512

/** A file's bytes, and what of them is on the platter. */
class Inode {
  bytes: Buffer = Buffer.alloc(0)
  #stable: Buffer = Buffer.alloc(0)
  /** A sync failed: the kernel has dropped the dirty pages and will never write them. */
  #lost = false

  async sync(disk: MemoryDisk): Promise<void> {
    const asked = Buffer.from(this.bytes)
    await disk.wait()
    if (disk.failingSyncs > 0) {
      disk.failingSyncs--
      this.#lost = true
      throw failure('EIO', 'sync')
    }
    if (!this.#lost) this.#stable = asked
  }

  copy(random: Pick<Random, 'int'> | null): Inode {
    const copied = new Inode()
    copied.bytes = random === null ? Buffer.from(this.bytes) : this.#torn(random)
    copied.#stable = Buffer.from(copied.bytes)
    return copied
  }

  /** The length is one that the file had or might have had; each sector is the old or the new one. */
  #torn(random: Pick<Random, 'int'>): Buffer {
    const [old, now] = [this.#stable, this.bytes]
    if (old.equals(now) || this.#lost) return Buffer.from(old)
    const [short, long] = [Math.min(old.length, now.length), Math.max(old.length, now.length)]
    const left = Buffer.alloc(random.int(3) === 0 ? now.length : short + random.int(long - short + 1))
    // Often all of it got there, often nothing; the rest is a lottery.
    const odds = [0, 4, 2, 1][random.int(4)]!
    for (let at = 0; at < left.length; at += sectorBytes) {
      const from = odds > 0 && random.int(odds) === 0 ? now : old
      if (at < from.length) from.copy(left, at, at, Math.min(at + sectorBytes, left.length))
    }
    return left
  }
}

type Change = readonly (readonly [name: string, node: Inode | Folder | null])[]

/** Names in a folder, and which changes of them are on the platter. */
class Folder {
  readonly names = new Map<string, Inode | Folder>()
  readonly #stable = new Map<string, Inode | Folder>()
  #unsynced: Change[] = []

  change(change: Change): void {
    apply(this.names, change)
    this.#unsynced.push(change)
  }

  settle(): void {
    for (const change of this.#unsynced) apply(this.#stable, change)
    this.#unsynced = []
  }

  copy(random: Pick<Random, 'int'> | null): Folder {
    const kept = random === null ? this.#unsynced.length : random.int(this.#unsynced.length + 1)
    const names = new Map(this.#stable)
    for (const change of this.#unsynced.slice(0, kept)) apply(names, change)
    const copied = new Folder()
    for (const [name, node] of names) copied.change([[name, node.copy(random)]])
    copied.settle()
    return copied
  }
}

function apply(names: Map<string, Inode | Folder>, change: Change): void {
  for (const [name, node] of change) {
    if (node === null) names.delete(name)
    else names.set(name, node)
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
    this.#disk.operations++
    const bytes = Buffer.concat(chunks)
    const fits = bytes.subarray(0, Math.min(bytes.length, this.#disk.room))
    this.#disk.room -= fits.length
    const end = position + fits.length
    const { bytes: before } = this.#inode
    const after = Buffer.alloc(Math.max(before.length, end))
    before.copy(after)
    fits.copy(after, position)
    this.#inode.bytes = after
    if (fits.length < bytes.length) throw failure('ENOSPC', 'write')
  }

  read(into: Uint8Array, position: number): number {
    this.#check()
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
    return this.#inode.sync(this.#disk)
  }

  truncate(length: number): void {
    this.#check()
    this.#disk.operations++
    const { bytes } = this.#inode
    this.#disk.room += Math.max(0, bytes.length - length)
    this.#inode.bytes = Buffer.concat([bytes.subarray(0, length)], length)
  }

  size(): number {
    this.#check()
    return this.#inode.bytes.length
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
