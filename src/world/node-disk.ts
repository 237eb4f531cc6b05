import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { lockDirectory } from './node-lock.ts'
import type { Disk, File } from './world.ts'

/** Files of Node. What ends in the page cache is synchronous, what waits for the device goes through libuv's pool. */
export const nodeDisk: Disk = {
  open: (path, mode) => new NodeFile(fs.openSync(path, openFlags[mode], 0o644)),
  list: path => fs.readdirSync(path).sort(),
  exists: path => fs.existsSync(path),
  size: path => fs.statSync(path).size,
  makeDirectory,
  rename: (from, to) => fs.renameSync(from, to),
  remove: path => fs.unlinkSync(path),
  removeLater: path => settled(done => fs.rm(path, { force: true }, done)),
  removeTree: path => fs.rmSync(path, { recursive: true, force: true }),
  readFile: path => fs.readFileSync(path),
  writeFile: (path, bytes) => fs.writeFileSync(path, bytes),
  replaceFile,
  syncDirectory,
  space(path) {
    const { bavail, blocks, bsize } = fs.statfsSync(path)
    return { free: bavail * bsize, total: blocks * bsize }
  },
  lock: lockDirectory,
}

const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants
const openFlags = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT }

/** Most pieces that the kernel takes in one vectored write (IOV_MAX). */
const maxPieces = 1024

/** Node's own recursion never ends where the kernel says ENOENT of a folder whose parent is there, as in `/proc`. */
function makeDirectory(path: string): void {
  const parent = dirname(path)
  if (!fs.existsSync(parent)) makeDirectory(parent)
  try {
    fs.mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !fs.statSync(path).isDirectory()) throw error
  }
}

class NodeFile implements File {
  /** −1 once it is closed: the kernel gives the number to the next file, and we must not touch a stranger. */
  #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    let at = position
    for (let from = 0; from < chunks.length; from += maxPieces) {
      at += this.#writeSome(chunks.length <= maxPieces ? chunks : chunks.slice(from, from + maxPieces), at)
    }
  }

  /** The kernel may take less than it was given (a signal, a nearly full disk): goes on where it stopped. */
  #writeSome(chunks: readonly Uint8Array[], position: number): number {
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    let written =
      chunks.length === 1
        ? fs.writeSync(this.#fd, chunks[0]!, 0, total, position)
        : fs.writevSync(this.#fd, chunks, position)
    while (written < total) {
      const rest = after(chunks, written)
      const more = fs.writevSync(this.#fd, rest, position + written)
      if (more === 0) throw Object.assign(new Error('The disk takes no more bytes'), { code: 'ENOSPC' })
      written += more
    }
    return total
  }

  read(into: Uint8Array, position: number): number {
    let filled = 0
    while (filled < into.length) {
      const bytes = fs.readSync(this.#fd, into, filled, into.length - filled, position + filled)
      if (bytes === 0) break
      filled += bytes
    }
    return filled
  }

  async readLater(into: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < into.length) {
      const bytes = await readOnce(this.#fd, into, filled, position + filled)
      if (bytes === 0) break
      filled += bytes
    }
    return filled
  }

  sync(): Promise<void> {
    return settled(done => fs.fdatasync(this.#fd, done))
  }

  truncate(length: number): void {
    fs.ftruncateSync(this.#fd, length)
  }

  size(): number {
    return fs.fstatSync(this.#fd).size
  }

  close(): void {
    const fd = this.#fd
    this.#fd = -1
    if (fd >= 0) fs.closeSync(fd)
  }
}

function after(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  const rest: Uint8Array[] = []
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}

function readOnce(fd: number, into: Uint8Array, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, into, from, into.length - from, position, (error, bytes) => (error ? reject(error) : resolve(bytes)))
  })
}

function settled(run: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run(error => (error ? reject(error) : resolve())))
}

/** Replacements of one file come one after the other: they share the name of the file in the making. */
const replacing = new Map<string, Promise<void>>()

function replaceFile(path: string, bytes: Uint8Array | string, mode = 0o644): Promise<void> {
  const before = replacing.get(path) ?? Promise.resolve()
  const done = before.catch(() => {}).then(() => replaceNow(path, bytes, mode))
  replacing.set(path, done)
  const forget = (): void => {
    if (replacing.get(path) === done) replacing.delete(path)
  }
  done.then(forget, forget)
  return done
}

async function replaceNow(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const making = `${path}.tmp`
  // What an interrupted replacement left behind may have other permissions.
  fs.rmSync(making, { force: true })
  const fd = fs.openSync(making, 'wx', mode)
  try {
    fs.writeFileSync(fd, bytes)
    await settled(done => fs.fsync(fd, done))
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(making, path)
  await syncDirectory(dirname(path))
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no folders; its file systems journal names by themselves.
  if (process.platform === 'win32') return
  const fd = fs.openSync(path, O_RDONLY)
  try {
    await settled(done => fs.fsync(fd, done))
  } finally {
    fs.closeSync(fd)
  }
}
