import type { Socket } from 'node:net'

/**
 * Writes to a socket past Node's streams. A broker's answers are small and many, and the stream machinery around one write
 * costs more than the write itself (measured: a third of the time of a 100-byte produce request). What it uses of Node is
 * internal; where a future Node hides it, `open` says so and writes go through the stream as ever.
 */

/** Node's request object for one write, and the part of its TCP handle that takes it. */
interface WriteWrap {
  handle: Handle
  oncomplete: (status: number, handle: Handle, error: Error | undefined) => void
  /** Must not be collected before the write has ended. */
  memory: unknown
  done: (() => void) | undefined
  /** Counted as under way. */
  queued: boolean
}

interface Handle {
  writeQueueSize: number
  writeBuffer(request: WriteWrap, bytes: Uint8Array): number
  writev(request: WriteWrap, chunks: readonly Uint8Array[], allBuffers: boolean): number
}

type NewWriteWrap = new () => WriteWrap

let writeWrap: NewWriteWrap | null = null

/** Node gives its class to nobody, but hands an instance to the handle with each write of a stream: the first one tells. */
function learnFrom(handle: Handle): void {
  const learn = (request: WriteWrap) => {
    writeWrap = request.constructor as NewWriteWrap
    delete (handle as Partial<Handle>).writeBuffer
    delete (handle as Partial<Handle>).writev
  }
  handle.writeBuffer = (request, bytes) => {
    learn(request)
    return handle.writeBuffer(request, bytes)
  }
  handle.writev = (request, chunks, allBuffers) => {
    learn(request)
    return handle.writev(request, chunks, allBuffers)
  }
}

export class DirectWriter {
  readonly #socket: Socket
  readonly #handle: Handle
  readonly #drained: () => void
  /** Writes that the operating system has not taken whole yet. */
  #underWay = 0
  readonly #complete: WriteWrap['oncomplete']

  /** Null while a stream must be used: for the first write of the process, and where the internals are not as expected. */
  static open(socket: Socket, drained: () => void): DirectWriter | null {
    const handle = (socket as unknown as { _handle: Handle | null })._handle
    if (handle === null || typeof handle.writeBuffer !== 'function' || typeof handle.writev !== 'function') return null
    if (typeof handle.writeQueueSize !== 'number') return null
    if (writeWrap === null) learnFrom(handle)
    // What went through the stream must have left first.
    return writeWrap === null || socket.writableLength > 0 ? null : new DirectWriter(socket, handle, drained)
  }

  private constructor(socket: Socket, handle: Handle, drained: () => void) {
    this.#socket = socket
    this.#handle = handle
    this.#drained = drained
    const owner = this
    this.#complete = function (this: WriteWrap, status) {
      owner.#completed(this, status)
    }
  }

  /** Bytes that the operating system has not taken yet. */
  get unsent(): number {
    return this.#underWay === 0 ? 0 : this.#handle.writeQueueSize
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    const socket = this.#socket
    const handle = this.#handle
    // The handle leaves the socket when that is destroyed.
    if (socket.destroyed || (socket as unknown as { _handle: Handle | null })._handle !== handle) {
      sent?.()
      return
    }
    const request = new (writeWrap as NewWriteWrap)()
    request.handle = handle
    request.oncomplete = this.#complete
    request.memory = chunks
    request.done = sent
    request.queued = false
    const before = handle.writeQueueSize
    const first = chunks[0] as Uint8Array
    const status = chunks.length === 1 ? handle.writeBuffer(request, first) : handle.writev(request, chunks, true)
    if (status !== 0) this.#failed(request, status)
    else if (handle.writeQueueSize === before) {
      // Taken at once. As a rule nobody will call; should somebody, nothing is left to be done.
      request.done = undefined
      sent?.()
    } else {
      request.queued = true
      this.#underWay++
    }
  }

  #completed(request: WriteWrap, status: number): void {
    if (request.queued) this.#underWay--
    if (status !== 0) {
      this.#failed(request, status)
      return
    }
    request.done?.()
    if (request.queued && this.#underWay === 0) this.#drained()
  }

  #failed(request: WriteWrap, status: number): void {
    request.done?.()
    request.done = undefined
    const error = Object.assign(new Error(`the connection could not be written to (${status})`), { errno: status })
    if (!this.#socket.destroyed) this.#socket.destroy(error)
  }
}
