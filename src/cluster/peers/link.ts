import { Connection, type ConnectionOptions } from '../../client/connection.ts'
import { failure } from '../../client/failures.ts'
import type { ClientWorld } from '../../client/options.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Api, RequestInput, ResponseOutput } from '../../protocol/schema.ts'
import type { Address, Timer } from '../../world/world.ts'
import type { PeerSendOptions } from '../peers.ts'

export interface LinkOptions {
  readonly world: ClientWorld
  readonly connection: ConnectionOptions
  /** Where the other side may be, the likeliest first; looked up at each attempt. */
  readonly addresses: () => readonly Address[]
  /** The connection was open and ended without our doing. */
  readonly lost: () => void
  /** An attempt to connect failed: for the log. */
  readonly failed: (error: KafkaError) => void
}

interface Waiting {
  start(connection: Connection): void
  fail(error: KafkaError): void
}

/** Requests that one lane holds at most, sent or not. */
const mostRequests = 1000
/** ms between attempts to connect: doubled each time, within these. */
const firstBackoffMs = 20
const lastBackoffMs = 500

/**
 * One connection that comes back: opened with the first request, and again, after a pause that grows, with the first one
 * after it was lost. Requests leave in the order in which they came; those that meet a closed connection wait for it, and
 * fail with it when it cannot be opened.
 */
export class Link {
  readonly #options: LinkOptions
  #connection: Connection | null = null
  #opening = false
  #closed = false
  #waiting: Waiting[] = []
  #requests = 0
  #failures = 0
  #pause: Timer | null = null
  /** Which of the addresses is tried next: another one after each failure. */
  #turn = 0

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Nothing is under way and nothing is open: it may be forgotten. */
  get idle(): boolean {
    return this.#connection === null && !this.#opening && this.#requests === 0
  }

  async send<A extends Api>(
    api: A,
    request: RequestInput<A>,
    { timeoutMs = this.#options.connection.requestTimeoutMs, version }: PeerSendOptions,
  ): Promise<ResponseOutput<A>> {
    if (this.#closed) throw closedError()
    if (this.#requests >= mostRequests) throw new KafkaError('NETWORK_EXCEPTION', 'too many requests wait for a node')
    this.#requests++
    try {
      const { clock } = this.#options.world
      const deadline = clock.mono() + timeoutMs
      const left = () => ({
        timeoutMs: Math.max(1, deadline - clock.mono()),
        ...(version === undefined ? {} : { maxVersion: version }),
      })
      if (this.#connection !== null) return (await this.#connection.request(api, request as never, left())) as never
      return (await this.#later(connection => connection.request(api, request as never, left()), timeoutMs)) as never
    } finally {
      this.#requests--
    }
  }

  close(): void {
    this.#closed = true
    this.#pause?.cancel()
    const connection = this.#connection
    this.#connection = null
    connection?.close()
    this.#failAll(closedError())
  }

  /** `start` when the connection is there; who waits longer than `timeoutMs` gives up, and is not sent any more. */
  #later<T>(start: (connection: Connection) => Promise<T>, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: connection => {
          timer.cancel()
          start(connection).then(resolve, reject)
        },
        fail: error => {
          timer.cancel()
          reject(error)
        },
      }
      const timer = this.#options.world.timers.after(timeoutMs, () => {
        this.#waiting = this.#waiting.filter(other => other !== waiting)
        reject(new KafkaError('REQUEST_TIMED_OUT', 'no connection in time'))
      })
      this.#waiting.push(waiting)
      this.#open()
    })
  }

  #open(): void {
    if (this.#opening || this.#closed) return
    this.#opening = true
    if (this.#failures === 0) void this.#connect()
    else this.#pause = this.#options.world.timers.after(this.#backoffMs(), () => void this.#connect())
  }

  #backoffMs(): number {
    const calm = Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.min(10, this.#failures - 1))
    return (calm * (80 + this.#options.world.random.int(41))) / 100
  }

  async #connect(): Promise<void> {
    const { world, connection: options, addresses } = this.#options
    try {
      const known = addresses()
      const address = known[this.#turn % Math.max(1, known.length)]
      if (address === undefined) throw new KafkaError('NETWORK_EXCEPTION', 'the address of this node is not known')
      this.#opened(await Connection.open(world, address, options))
    } catch (error) {
      this.#failed(error instanceof KafkaError ? error : failure(ErrorCode.NETWORK_EXCEPTION, String(error)))
    }
  }

  #opened(connection: Connection): void {
    this.#opening = false
    if (this.#closed) {
      connection.close()
      return
    }
    this.#failures = 0
    this.#connection = connection
    connection.onClose(() => {
      if (this.#connection !== connection) return
      this.#connection = null
      this.#options.lost()
    })
    for (const waiting of this.#waiting.splice(0)) waiting.start(connection)
  }

  #failed(error: KafkaError): void {
    this.#opening = false
    this.#failures++
    this.#turn++
    if (!this.#closed) this.#options.failed(error)
    this.#failAll(error)
  }

  #failAll(error: KafkaError): void {
    for (const waiting of this.#waiting.splice(0)) waiting.fail(error)
  }
}

const closedError = () => new KafkaError('NETWORK_EXCEPTION', 'the node is stopping')
