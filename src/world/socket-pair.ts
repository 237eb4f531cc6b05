import type { Address, Socket, Timers } from './world.ts'

/** Bytes that may wait for the other end before a writer is told when they are gone: what Node's streams allow. */
const highWaterMark = 16 * 1024
/** Bytes that go over in one turn of the event loop: who fetches a gigabyte must not hold up everybody else. */
const mostPerTurn = 1024 * 1024

interface Piece {
  readonly bytes: Uint8Array
  /** Called when all of `bytes` is over. */
  readonly sent: (() => void) | undefined
}

/**
 * A connection inside of this process: two sockets, of which each receives what is written to the other. It keeps the promises
 * of real ones: nothing is received within the call that writes it, a reader that pauses makes the writer's `unsent` grow,
 * one side can end while the other goes on.
 */
export function socketPair(timers: Pick<Timers, 'soon'>, here: Address, there: Address): [Socket, Socket] {
  const soon = (run: () => void) => timers.soon(run)
  const one = new End(soon, here, there)
  const other = new End(soon, there, here)
  one.peer = other
  other.peer = one
  return [one, other]
}

class End implements Socket {
  readonly local: Address
  readonly remote: Address
  /** Set right after both ends are made. */
  peer: End = this
  unsent = 0
  readonly #soon: (run: () => void) => void
  #reader: Parameters<Socket['receive']>[0] | null = null
  /** What is not over yet, and how much of the first piece is. */
  readonly #queue: Piece[] = []
  #over = 0
  #scheduled = false
  #paused = false
  /** The writer wrote more than it should, and hears when that is gone. */
  #choked = false
  /** Nothing more is written here, and the other end has been told. */
  #ending = false
  #ended = false
  /** What comes is thrown away. */
  #deaf = false
  #closed = false
  #drained: () => void = () => {}
  #onClose: (error: Error | null) => void = () => {}

  constructor(soon: (run: () => void) => void, local: Address, remote: Address) {
    this.#soon = soon
    this.local = local
    this.remote = remote
  }

  receive(into: Parameters<Socket['receive']>[0]): void {
    this.#reader = into
    this.peer.#schedule()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    if (this.#closed || this.#ending || this.peer.#closed) {
      if (sent !== undefined) this.#soon(sent)
      return
    }
    const last = chunks.length - 1
    for (let i = 0; i <= last; i++) {
      const bytes = chunks[i] as Uint8Array
      this.unsent += bytes.length
      this.#queue.push({ bytes, sent: i === last ? sent : undefined })
    }
    if (this.unsent > highWaterMark) this.#choked = true
    this.#schedule()
  }

  onDrain(run: () => void): void {
    this.#drained = run
  }

  onClose(run: (error: Error | null) => void): void {
    this.#onClose = run
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.peer.#schedule()
  }

  end(): void {
    this.#deaf = true
    this.#paused = false
    this.#ending = true
    this.#schedule()
    this.peer.#schedule()
  }

  destroy(): void {
    if (this.#closed) return
    // What was written still arrives, as with a real socket: the operating system has it already.
    this.#ending = true
    this.#schedule()
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reader = null
    this.peer.#drop()
    this.#soon(() => this.#onClose(null))
  }

  /** Nobody will read what is on its way. */
  #drop(): void {
    this.unsent = 0
    this.#over = 0
    for (const { sent } of this.#queue.splice(0)) sent?.()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#soon(() => {
      this.#scheduled = false
      this.#handOver()
    })
  }

  #handOver(): void {
    const { peer } = this
    if (peer.#closed) return
    if (peer.#deaf) this.#drop()
    let allowed = mostPerTurn
    while (this.#queue.length > 0 && peer.#reader !== null && !peer.#paused && !peer.#deaf) {
      if (allowed <= 0) {
        this.#schedule()
        return
      }
      const over = this.#fill(peer.#reader.space())
      allowed -= over
      peer.#reader.data(over)
    }
    if (this.#queue.length > 0 || peer.#closed) return
    if (this.#ending) this.#tellEnd()
    else if (this.#choked) {
      this.#choked = false
      this.#drained()
    }
  }

  /** Moves as much as there is room for; the bytes moved. */
  #fill(space: Uint8Array): number {
    let filled = 0
    while (filled < space.length && this.#queue.length > 0) {
      const { bytes, sent } = this.#queue[0] as Piece
      const part = bytes.subarray(this.#over, this.#over + space.length - filled)
      space.set(part, filled)
      filled += part.length
      this.#over += part.length
      this.unsent -= part.length
      if (this.#over < bytes.length) break
      this.#over = 0
      this.#queue.shift()
      sent?.()
    }
    return filled
  }

  #tellEnd(): void {
    const { peer } = this
    if (this.#closed) {
      peer.#close()
      return
    }
    if (!this.#ended) {
      // Who does not read yet, or not now, hears of the end in its turn.
      if (!peer.#deaf && (peer.#reader === null || peer.#paused)) return
      this.#ended = true
      if (!peer.#deaf) peer.#reader?.end()
    }
    if (this.#ended && peer.#ended) {
      this.#close()
      peer.#close()
    }
  }
}
