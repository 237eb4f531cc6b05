import * as fs from 'node:fs'
import * as net from 'node:net'
import type { Lock } from './world.ts'

/**
 * One process at a time for a directory, by its lock file. Node offers no `flock` and no `fcntl`, so each system gives what
 * it has; whatever is held ends with the process, however it dies.
 *
 * - Windows and macOS open the lock file exclusively (`UV_FS_O_EXLOCK`): a real lock of the operating system.
 * - Linux listens on an abstract socket named after the file's device and inode: binding is atomic, and the kernel frees
 *   the name. It excludes within one network namespace only, so the file also says who holds it, for others that share the
 *   process table; and `/proc/locks` tells when it is Apache Kafka, which holds an `fcntl` lock on the same file.
 * - Elsewhere only the note in the file is left, which two processes that start in the same instant may both find stale.
 *
 * Containers with neither network nor process table in common do not see each other: a volume must not be mounted twice.
 */
export function lockDirectory(path: string): Lock | null {
  const exclusive = exclusiveFlags[process.platform]
  if (exclusive !== undefined) return openExclusively(path, exclusive)
  const { fd, isNew } = openLockFile(path)
  try {
    const { dev, ino } = fs.fstatSync(fd, { bigint: true })
    const socket = process.platform === 'linux' ? bindName(`ottla-lock:${dev}:${ino}`) : null
    if (process.platform === 'linux' && socket === null) return null
    // Nobody can hold what did not exist; /proc/locks takes tens of ms.
    if (!isNew && (heldByFcntl(ino) || heldByNote(fd))) {
      socket?.close()
      return null
    }
    try {
      fs.ftruncateSync(fd, 0)
      fs.writeSync(fd, JSON.stringify(noteOf(process.pid)), 0)
    } catch (error) {
      // A node must start on a full disk: it may be what makes room. The socket is the lock, the note is for others' eyes.
      if (socket === null || !['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        socket?.close()
        throw error
      }
    }
    return { release: () => release(path, socket) }
  } finally {
    fs.closeSync(fd)
  }
}

const { O_RDWR, O_CREAT, O_EXCL } = fs.constants
/** `UV_FS_O_EXLOCK` of libuv; macOS also wants O_NONBLOCK, else it waits for the holder. */
const exclusiveFlags: Partial<Record<NodeJS.Platform, number>> = {
  win32: O_RDWR | O_CREAT | 0x1000_0000,
  darwin: O_RDWR | O_CREAT | 0x20 | 0x4,
}

function openLockFile(path: string): { fd: number; isNew: boolean } {
  try {
    return { fd: fs.openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o644), isNew: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { fd: fs.openSync(path, O_RDWR | O_CREAT, 0o644), isNew: false }
  }
}

function openExclusively(path: string, flags: number): Lock | null {
  try {
    const fd = fs.openSync(path, flags, 0o644)
    let held = true
    return {
      release() {
        if (held) fs.closeSync(fd)
        held = false
      },
    }
  } catch (error) {
    if (['EBUSY', 'EAGAIN', 'EWOULDBLOCK'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

/** Null when the name is taken. Names of abstract sockets begin with a zero byte and need no file. */
function bindName(name: string): net.Server | null {
  const server = net.createServer(socket => socket.destroy())
  // The error also comes as an event, later; here only the outcome counts.
  server.on('error', () => {})
  server.listen({ path: `\0${name}`, backlog: 1 })
  if (!server.listening) return null
  server.unref()
  return server
}

/** Whether a process of this machine has a record lock on the file: Apache Kafka does. */
function heldByFcntl(inode: bigint): boolean {
  try {
    const locks = fs.readFileSync('/proc/locks', 'latin1')
    return locks.split('\n').some(line => {
      const [, , , , , place = ''] = line.trim().split(/\s+/)
      // Devices are printed in a form that some file systems do not share with stat: the inode must do.
      return /\bPOSIX\b/.test(line) && place.split(':').at(-1) === String(inode)
    })
  } catch {
    return false
  }
}

interface Note {
  readonly pid: number
  /** In clock ticks since the machine started; with it a process id is not mistaken for an older process's. */
  readonly started: string
  /** Of the machine's start, and of the process table: elsewhere the two above mean nothing. */
  readonly where: string
}

function noteOf(pid: number): Note {
  const tell = (read: () => string): string => {
    try {
      return read()
    } catch {
      return ''
    }
  }
  return {
    pid,
    started: tell(
      () =>
        fs
          .readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ')[19] ?? '',
    ),
    where: tell(
      () => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim() + fs.readlinkSync('/proc/self/ns/pid'),
    ),
  }
}

function heldByNote(fd: number): boolean {
  const text = Buffer.alloc(512)
  const note = parseNote(text.toString('utf8', 0, fs.readSync(fd, text, 0, text.length, 0)))
  if (note === null || note.pid === process.pid) return false
  const now = noteOf(note.pid)
  return isAlive(note.pid) && now.started === note.started && now.where === note.where
}

function parseNote(text: string): Note | null {
  try {
    const { pid, started, where } = JSON.parse(text) as Partial<Note>
    return Number.isSafeInteger(pid) && pid! > 0 ? { pid: pid!, started: started ?? '', where: where ?? '' } : null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function release(path: string, socket: net.Server | null): void {
  try {
    fs.writeFileSync(path, '')
  } catch {
    // The directory may be gone; the socket is what counts.
  }
  socket?.close()
}
