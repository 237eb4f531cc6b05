import { Duplex } from 'node:stream'
import type { Guest } from '../broker/guest.ts'
import type { Clock, Timers } from '../world/world.ts'
import { FrameInput } from './frame-input.ts'
import type { Turns } from './turns.ts'

/** Filled and emptied within one callback, so that all connections can share it: an idle one holds no memory. */
const landing = new Uint8Array(64 * 1024)

/** Bytes that are read ahead of whoever takes them. */
export const readAhead = 64 * 1024

/** Bytes up to which pieces are joined: that costs less than to hand them to the system one by one. */
const smallWrite = 16 * 1024

/** ms that a client gets to close its side when we have closed ours: what it still sends must not cut off our last answer. */
const lingerMs = 1000

/** Bytes from which on a read is one of a large body. */
const largeRead = 16 * 1024

interface GuestWorld {
  readonly clock: Pick<Clock, 'mono'>
  readonly timers: Pick<Timers, 'after'>
}

/**
 * A connection as Node's HTTP servers want it: they take any stream of bytes in both directions. It has no time-outs of its
 * own: the broker closes connections on which nothing moves.
 */
export class GuestStream extends Duplex {
  readonly #guest: Guest
  readonly #world: GuestWorld
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Requests on it that are not answered yet. */
  #asked = 0
  #finishing = false
  /** Our last answer is on its way: whatever still comes is not kept. */
  #deaf = false
  /** Monotonic ms since which the client has not taken what was written; null: it has. */
  #writingSince: number | null = null
  /** Bytes of answers that wait for the client, as its door counts them. */
  untaken = 0
  /** Set by its door: the node stops. Said once. */
  onFinish: () => void = () => {}

  /** Null: bytes are handed on as they come. */
  readonly #frames: FrameInput | null
  readonly #reads: Turns | null
  /** Nothing is read in this turn any more. */
  #resting = false
  /** Bytes of its next read that have their place in a turn. */
  #prepaid = 0

  /**
   * `first`: what was read before anybody knew where it belongs; it must not change any more. `turns`: it speaks HTTP/2, whose
   * frames are handed on some at a time. `reads`: bytes of large reads that all connections share.
   */
  constructor(
    guest: Guest,
    first: Uint8Array,
    world: GuestWorld,
    turns: Turns | null = null,
    reads: Turns | null = null,
  ) {
    super({ allowHalfOpen: true, readableHighWaterMark: readAhead })
    this.#guest = guest
    this.#world = world
    this.#reads = reads
    this.localAddress = guest.local.host
    this.localPort = guest.local.port
    this.remoteAddress = guest.remote.host
    this.remotePort = guest.remote.port
    const outlet = {
      push: (bytes: Buffer | null) => this.push(bytes),
      pause: () => guest.pause(),
      resume: () => guest.resume(),
    }
    this.#frames = turns === null ? null : new FrameInput(turns, outlet)
    guest.onClose(() => this.destroy())
    guest.onFinish(() => this.finish())
    guest.receive({
      space: () => landing,
      data: bytes => {
        if (!this.#deaf) this.#take(Buffer.from(landing.subarray(0, bytes)))
      },
      end: () => (this.#frames === null ? this.push(null) : this.#frames.end()),
    })
    // Behind `receive`, which begins to read: this may be enough for now.
    if (first.length > 0) this.#take(Buffer.from(first.buffer, first.byteOffset, first.length))
  }

  #take(bytes: Buffer): void {
    if (this.#frames !== null) this.#frames.add(bytes)
    else if (!this.push(bytes)) this.#guest.pause()
    else if (this.#reads !== null && bytes.length >= largeRead) this.#rest(this.#reads, bytes.length)
  }

  /** The system hands on megabytes of each connection as long as they are there: others have their turn in between. */
  #rest(reads: Turns, bytes: number): void {
    reads.spend(Math.max(0, bytes - this.#prepaid))
    this.#prepaid = 0
    if (reads.share > 0 || this.#resting) return
    this.#resting = true
    this.#guest.pause()
    reads.wait(() => {
      this.#resting = false
      if (this.destroyed || this.readableLength >= this.readableHighWaterMark) return
      // Or all who wait would be let go on at once, each with a first read.
      this.#prepaid = landing.length
      reads.spend(this.#prepaid)
      this.#guest.resume()
    })
  }

  get asked(): number {
    return this.#asked
  }

  /** ms for which the client has taken nothing of what waits for it. */
  stalledMs(now: number): number {
    return this.#writingSince === null ? 0 : now - this.#writingSince
  }

  /** Nothing more shall be asked here: the node stops. */
  get finishing(): boolean {
    return this.#finishing
  }

  /** What is asked may still be answered. */
  finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    this.onFinish()
  }

  /** So many requests or calls are under way on it: while there are any, it is not idle. */
  busyWith(asked: number): void {
    this.#asked = asked
    this.#guest.busy = asked > 0
  }

  /** Ends when all is sent; called by Node's servers. */
  destroySoon(): void {
    if (this.writableEnded) return
    this.end()
    this.#deaf = true
    this.#frames?.drop()
    this.#guest.resume()
    // The connection goes on without us until both sides are closed.
    this.#world.timers.after(lingerMs, () => this.destroy())
  }

  /** Node's servers set options of TCP that are in force already. */
  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {
    if (this.#frames !== null) this.#frames.want()
    else if (!this.#resting) this.#guest.resume()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#send([chunk], done)
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: () => void): void {
    let bytes = 0
    for (const { chunk } of chunks) bytes += chunk.length
    const all = chunks.map(({ chunk }) => chunk)
    // Node sends an empty piece with the end of every answer.
    this.#send(bytes <= smallWrite ? [Buffer.concat(all, bytes)] : all, done)
  }

  #send(chunks: readonly Uint8Array[], done: () => void): void {
    this.#writingSince = this.#world.clock.mono()
    this.#guest.write(chunks, () => {
      this.#writingSince = null
      done()
    })
  }

  override _final(done: () => void): void {
    this.#guest.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#frames?.drop()
    this.#guest.destroy()
    done(error)
  }
}
