import type { Address, Net, Socket, Timer, Timers } from '../../../world/world.ts'
import { StoreRefused, StoreUnfit, StoreUnreachable } from '../fenced/fenced-log.ts'
import { type Argument, encodeCommand, RedisError, type Reply, ReplyReader } from './resp.ts'

export interface ConnectionOptions {
  readonly net: Net
  readonly timers: Timers
  readonly address: Address
  readonly username: string
  /** Empty: none is needed. */
  readonly password: string
  readonly database: number
  /** ms until a command without an answer ends the connection. */
  readonly timeoutMs: number
  /** What the server says unasked. */
  readonly pushed: (message: Reply[]) => void
  readonly closed: () => void
}

interface Pending {
  readonly timer: Timer
  /** It is answered by a push; refused by an error that is none. */
  readonly subscribes: boolean
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** A snapshot's chunk, or a list of batches; what is larger is no answer to a question of ours. */
const limits = { stringBytes: 64 * 1024 * 1024, elements: 100_000 }
const maxPending = 1000

const subscriptions = new Set(['SUBSCRIBE', 'UNSUBSCRIBE'])

/** These pass, and it helps to ask again. */
const passing = new Set(['LOADING', 'BUSY', 'TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN'])
/** These do not. */
const unfit = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM', 'MOVED', 'CROSSSLOT'])

/**
 * One connection to Redis: commands leave in order, answers come in order. Nothing is ever sent twice: whoever gets
 * StoreUnreachable does not know whether it was done.
 */
export class RedisConnection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #pending: Pending[] = []
  #ended: Error | null = null

  /** Rejects with StoreUnreachable, or with StoreUnfit when it can never work. */
  static async open(options: ConnectionOptions): Promise<RedisConnection> {
    const socket = await connect(options)
    const connection = new RedisConnection(options, socket)
    try {
      await connection.#greet()
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  constructor(options: ConnectionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
    const reader = new ReplyReader((reply, push) => this.#received(reply, push), limits)
    socket.receive({
      space: () => reader.space(),
      data: bytes => {
        try {
          reader.data(bytes)
        } catch (error) {
          this.#end(error as Error)
        }
      },
      end: () => this.#end(new Error('it closed the connection')),
    })
    socket.onClose(error => this.#end(error ?? new Error('the connection is closed')))
  }

  /** Its answer. Rejects with StoreUnreachable, StoreRefused or StoreUnfit. */
  async send(...args: Argument[]): Promise<Reply> {
    const reply = await this.#ask(args)
    if (reply instanceof RedisError) throw asStoreError(reply)
    return reply
  }

  close(): void {
    this.#end(new Error('the connection is closed'))
  }

  async #greet(): Promise<void> {
    const { username, password, database } = this.#options
    const login = password === '' ? [] : ['AUTH', username === '' ? 'default' : username, password]
    const reply = await this.#ask(['HELLO', 3, ...login])
    if (reply instanceof RedisError) {
      if (/unknown command/i.test(reply.message)) throw new StoreUnfit('it is older than Redis 6.2')
      throw asStoreError(reply)
    }
    if (database !== 0) await this.send('SELECT', database)
  }

  #ask(args: readonly Argument[]): Promise<Reply> {
    if (this.#ended !== null) return Promise.reject(unreachable(this.#ended))
    if (this.#pending.length >= maxPending) return Promise.reject(new StoreRefused('too many commands wait'))
    const { timers, timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const timer = timers.after(timeoutMs, () => this.#end(new Error(`it has not answered in ${timeoutMs} ms`)))
      this.#pending.push({ timer, subscribes: subscriptions.has(String(args[0])), resolve, reject })
      this.#socket.write(encodeCommand(args))
    })
  }

  #received(reply: Reply, push: boolean): void {
    if (push && Array.isArray(reply) && !subscriptions.has(String(reply[0]).toUpperCase())) {
      this.#options.pushed(reply)
      return
    }
    const pending = this.#pending.shift()
    pending?.timer.cancel()
    // Answers that are one off would be believed: an append is `ok` by what is said of a renewal.
    if (pending === undefined || (push && !pending.subscribes)) {
      const error = new Error('it answers what was not asked')
      pending?.reject(unreachable(error))
      this.#end(error)
    } else pending.resolve(reply)
  }

  #end(error: Error): void {
    if (this.#ended !== null) return
    this.#ended = error
    this.#socket.destroy()
    for (const { timer, reject } of this.#pending.splice(0)) {
      timer.cancel()
      reject(unreachable(error))
    }
    this.#options.closed()
  }
}

function connect({ net, timers, address, timeoutMs }: ConnectionOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let late = false
    const timer = timers.after(timeoutMs, () => {
      late = true
      reject(unreachable(new Error(`no connection in ${timeoutMs} ms`)))
    })
    net.connect(address).then(
      socket => {
        timer.cancel()
        if (late) socket.destroy()
        else resolve(socket)
      },
      error => {
        timer.cancel()
        reject(unreachable(error))
      },
    )
  })
}

function unreachable(cause: Error): StoreUnreachable {
  // Several addresses were tried: the message is in the first.
  const { message = '', errors } = cause as Error & { errors?: Error[] }
  return new StoreUnreachable(message === '' ? (errors?.[0]?.message ?? cause.name) : message, { cause })
}

function asStoreError(error: RedisError): Error {
  if (passing.has(error.code)) return new StoreUnreachable(error.message)
  return unfit.has(error.code) ? new StoreUnfit(error.message) : new StoreRefused(error.message)
}
