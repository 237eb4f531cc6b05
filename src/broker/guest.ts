import type { Address, Socket } from '../world/world.ts'

/** What can be spoken besides Kafka's protocol. */
export const doorNames = ['http', 'grpc'] as const
export type DoorName = (typeof doorNames)[number]

/** Where connections go that do not speak Kafka's protocol. */
export interface Doors {
  /** Takes a connection over, with the bytes that came so far. `door`: the one whose own port it came to. */
  enter(guest: Guest, first: Uint8Array, door: DoorName | null): void
}

/** Whether a connection that begins so speaks HTTP: 1.1 with a method, 2 with its preface (RFC 9113, 3.4). */
export function beginsLikeHttp(first: Uint8Array): boolean {
  const byte = first[0] ?? 0
  return byte >= 0x41 && byte <= 0x5a
}

/**
 * The longest Kafka frame that can be told from HTTP: its length, read from the letters of a method, is larger. Just above
 * a gigabyte.
 */
export const longestFrame = 0x40ffffff

/**
 * A connection that does not speak Kafka's protocol, as another door sees it. It still counts as one of the broker's, and
 * goes with it.
 */
export class Guest implements Socket {
  /** Something was asked on it that is not answered yet: it is not idle, even when nothing moves. */
  busy = false
  readonly #socket: Socket
  readonly #moved: (read: number, written: number) => void
  #drained: () => void = () => {}
  #onClose: ((error: Error | null) => void) | null = null
  #onFinish: (() => void) | null = null
  #closed = false
  #finished = false

  /** `moved` hears of all bytes in both directions. Nothing is read before `receive`. */
  constructor(socket: Socket, moved: (read: number, written: number) => void) {
    this.#socket = socket
    this.#moved = moved
    socket.pause()
  }

  get local(): Address {
    return this.#socket.local
  }

  get remote(): Address {
    return this.#socket.remote
  }

  get unsent(): number {
    return this.#socket.unsent
  }

  get closed(): boolean {
    return this.#closed
  }

  receive(into: Parameters<Socket['receive']>[0]): void {
    this.#socket.receive({
      space: () => into.space(),
      data: bytes => {
        this.#moved(bytes, 0)
        into.data(bytes)
      },
      end: () => into.end(),
    })
    this.#socket.resume()
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    let bytes = 0
    for (const { length } of chunks) bytes += length
    this.#moved(0, bytes)
    this.#socket.write(chunks, sent)
  }

  onDrain(run: () => void): void {
    this.#drained = run
  }

  onClose(run: (error: Error | null) => void): void {
    if (this.#closed) run(null)
    else this.#onClose = run
  }

  /** Called once when the node stops: what is under way may end, then the connection shall. */
  onFinish(run: () => void): void {
    if (this.#finished) run()
    else this.#onFinish = run
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** For the connection that this one was: what its socket says. */
  drained(): void {
    this.#drained()
  }

  finish(): void {
    this.#finished = true
    if (this.#onFinish === null) this.destroy()
    else this.#onFinish()
    this.#onFinish = null
  }

  ended(error: Error | null): void {
    this.#closed = true
    this.#onClose?.(error)
    this.#onClose = null
  }
}
