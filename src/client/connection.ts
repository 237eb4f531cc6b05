import { KafkaError } from '../protocol/errors.ts'
import { FrameReader } from '../protocol/frames.ts'
import { readResponse, requestFrame } from '../protocol/header.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { Produce } from '../protocol/messages/produce.ts'
import type { Api, Fields, FieldsIn, FieldsOut } from '../protocol/schema.ts'
import type { Address, Socket, Timer } from '../world/world.ts'
import { showAddress } from './address.ts'
import { throwIf } from './failures.ts'
import type { ClientOptions, ClientWorld } from './options.ts'

export type ConnectionOptions = Pick<
  ClientOptions,
  'clientId' | 'requestTimeoutMs' | 'connectTimeoutMs' | 'maxResponseBytes' | 'maxInFlight' | 'dial' | 'authenticate'
> & {
  /** Whom we believe to reach (−1: any node): somebody else answers REBOOTSTRAP_REQUIRED (KIP-1242). */
  readonly expected?: { readonly clusterId: string; readonly nodeId: number }
}

export interface RequestOptions {
  /** ms; for requests that the broker holds back on purpose (Fetch, JoinGroup). */
  readonly timeoutMs?: number
  /** No newer version than this, although both sides know one. */
  readonly maxVersion?: number
  /** Throws UNSUPPORTED_VERSION when the broker knows no version that new. */
  readonly minVersion?: number
}

/** What a request says; a function where versions have no field in common for it. */
export type Body<Request extends Fields> = FieldsIn<Request> | ((version: number) => FieldsIn<Request>)

/** A request whose answer is still to come. Answers come in the order of their requests. */
interface Pending {
  readonly correlationId: number
  /** Monotonic ms. */
  readonly deadline: number
  /** True when the answer keeps no view of the memory that it was read from. */
  answer(bytes: Buffer): boolean
  fail(error: Error): void
}

/** ApiVersions answers UNSUPPORTED_VERSION in its oldest form, whatever was asked (KIP-511). */
const unsupportedVersion = 35

/**
 * One connection to a broker. Requests are pipelined; each promise is its own answer. Errors are `KafkaError`:
 * NETWORK_EXCEPTION when the connection is or gets lost, REQUEST_TIMED_OUT (which also gives the connection up, since later
 * answers could never overtake the missing one), UNSUPPORTED_VERSION.
 */
export class Connection {
  readonly address: Address
  readonly #world: ClientWorld
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #pending: Pending[] = []
  /** Requests beyond `maxInFlight`, in order. */
  readonly #waiting: (() => void)[] = []
  readonly #closing: (() => void)[] = []
  #versions = new Map<number, { min: number; max: number }>()
  #nextCorrelationId = 0
  #alarm: { readonly at: number; readonly timer: Timer } | null = null
  #lost: KafkaError | null = null

  /** Opens, negotiates versions, authenticates. */
  static async open(world: ClientWorld, address: Address, options: ConnectionOptions): Promise<Connection> {
    const socket = await dial(world, address, options)
    const connection = new Connection(world, address, options, socket)
    try {
      await connection.#negotiate()
      await options.authenticate?.(connection)
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  private constructor(world: ClientWorld, address: Address, options: ConnectionOptions, socket: Socket) {
    this.address = address
    this.#world = world
    this.#options = options
    this.#socket = socket
    const frames = new FrameReader(
      {
        frame: bytes => this.#answered(bytes),
        refuse: reason => this.#lose(new KafkaError('NETWORK_EXCEPTION', `${showAddress(address)} sent ${reason}`)),
        ready: () => true,
      },
      options.maxResponseBytes,
    )
    socket.onClose(error => {
      const why = error === null ? 'closed the connection' : `is gone: ${error.message}`
      this.#lose(new KafkaError('NETWORK_EXCEPTION', `${showAddress(address)} ${why}`))
    })
    socket.receive({
      space: () => frames.space(),
      data: bytes => frames.data(bytes),
      end: () => this.#lose(new KafkaError('NETWORK_EXCEPTION', `${showAddress(address)} closed the connection`)),
    })
  }

  get closed(): boolean {
    return this.#lost !== null
  }

  /** Our own end of it: an address of this machine that the other side can reach, but for the port. */
  get local(): Address {
    return this.#socket.local
  }

  /** Called once, when the connection is lost or closed. */
  onClose(run: () => void): void {
    if (this.#lost === null) this.#closing.push(run)
    else run()
  }

  close(): void {
    this.#lose(new KafkaError('NETWORK_EXCEPTION', 'the connection was closed'))
  }

  /** The newest version that both sides know; −1 when there is none. */
  versionOf(api: Api, atMost = Number.POSITIVE_INFINITY): number {
    const theirs = this.#versions.get(api.key)
    if (theirs === undefined) return -1
    const version = Math.min(theirs.max, api.versions.max, atMost)
    return version >= theirs.min && version >= api.versions.min ? version : -1
  }

  /** Sends a request in the newest common version and gives its answer, whose error codes the caller looks at. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: Body<Request>,
    options: RequestOptions = {},
  ): Promise<FieldsOut<Response>> {
    const version = this.#chooseVersion(api as unknown as Api, options)
    const fields = typeof body === 'function' ? body(version) : body
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs
    if (this.#lost === null && this.#pending.length >= this.#options.maxInFlight) {
      return new Promise(resolve => {
        this.#waiting.push(() => resolve(this.#exchange(api, version, fields, timeoutMs)))
      })
    }
    return this.#exchange(api, version, fields, timeoutMs)
  }

  /** Sends a Produce request with acks 0, to which there is no answer. Fulfilled when it is on its way. */
  async sendOnly<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: FieldsIn<Request>,
  ): Promise<void> {
    const version = this.#chooseVersion(api as unknown as Api, {})
    if (this.#lost !== null) throw this.#lost
    this.#socket.write(requestFrame(api, version, this.#correlationId(), this.#options.clientId, body))
  }

  async #negotiate(): Promise<void> {
    const body = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0', ...this.#options.expected }
    let answer: FieldsOut<typeof ApiVersions.response.fields>
    try {
      answer = await this.#exchange(ApiVersions, ApiVersions.versions.max, body, this.#options.requestTimeoutMs)
    } catch (error) {
      if (!(error instanceof OldForm)) throw error
      const theirs = error.answer.apiKeys.find(range => range.apiKey === ApiVersions.key)
      const version = Math.min(theirs?.maxVersion ?? 0, ApiVersions.versions.max)
      answer = await this.#exchange(ApiVersions, version, body, this.#options.requestTimeoutMs)
    }
    throwIf(answer.errorCode, 'ApiVersions')
    for (const range of answer.apiKeys) {
      this.#versions.set(range.apiKey, { min: range.minVersion, max: range.maxVersion })
    }
  }

  #chooseVersion(api: Api, { minVersion = 0, maxVersion }: RequestOptions): number {
    const version = this.versionOf(api, maxVersion)
    if (version < minVersion) {
      const need = minVersion > 0 ? `${api.name} ${minVersion} or newer` : api.name
      throw new KafkaError('UNSUPPORTED_VERSION', `${showAddress(this.address)} does not serve ${need}`)
    }
    return version
  }

  #exchange<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    body: FieldsIn<Request>,
    timeoutMs: number,
  ): Promise<FieldsOut<Response>> {
    if (this.#lost !== null) return Promise.reject(this.#lost)
    const correlationId = this.#correlationId()
    const chunks = requestFrame(api, version, correlationId, this.#options.clientId, body)
    const deadline = this.#world.clock.mono() + timeoutMs
    return new Promise((resolve, reject) => {
      this.#pending.push({
        correlationId,
        deadline,
        answer: bytes => {
          try {
            resolve(decode(api, version, correlationId, bytes))
          } catch (error) {
            reject(error)
          }
          return api.key === Produce.key
        },
        fail: reject,
      })
      this.#socket.write(chunks)
      this.#watch(deadline)
    })
  }

  #correlationId(): number {
    this.#nextCorrelationId = (this.#nextCorrelationId + 1) & 0x7fffffff
    return this.#nextCorrelationId
  }

  #answered(bytes: Buffer): boolean {
    const pending = this.#pending.shift()
    if (pending === undefined || bytes.length < 4 || bytes.readInt32BE(0) !== pending.correlationId) {
      const error = new KafkaError('NETWORK_EXCEPTION', `${showAddress(this.address)} answers what was not asked`)
      pending?.fail(error)
      this.#lose(error)
      return true
    }
    const done = pending.answer(bytes)
    this.#waiting.shift()?.()
    return done
  }

  /** One alarm for all requests under way. It may ring early; then it is set again. */
  #watch(deadline: number): void {
    if (this.#alarm !== null && this.#alarm.at <= deadline) return
    this.#alarm?.timer.cancel()
    const ring = () => {
      this.#alarm = null
      if (this.#pending.length === 0) return
      const next = Math.min(...this.#pending.map(pending => pending.deadline))
      if (next > this.#world.clock.mono()) this.#watch(next)
      else this.#lose(new KafkaError('REQUEST_TIMED_OUT', `${showAddress(this.address)} did not answer in time`))
    }
    const timer = this.#world.timers.after(Math.max(1, deadline - this.#world.clock.mono()), ring)
    this.#alarm = { at: deadline, timer }
  }

  #lose(error: KafkaError): void {
    if (this.#lost !== null) return
    this.#lost = error
    this.#alarm?.timer.cancel()
    this.#socket.destroy()
    for (const pending of this.#pending.splice(0)) pending.fail(error)
    for (const waiting of this.#waiting.splice(0)) waiting()
    for (const run of this.#closing.splice(0)) run()
  }
}

/** The broker speaks an older ApiVersions than we do, and said so in the oldest form. */
class OldForm extends Error {
  readonly answer: FieldsOut<typeof ApiVersions.response.fields>

  constructor(answer: FieldsOut<typeof ApiVersions.response.fields>) {
    super('ApiVersions is answered in its oldest form')
    this.answer = answer
  }
}

function decode<Response extends Fields>(
  api: Api<Fields, Response>,
  version: number,
  correlationId: number,
  bytes: Buffer,
): FieldsOut<Response> {
  if (api.key === ApiVersions.key && version > 0 && bytes.length >= 6 && bytes.readInt16BE(4) === unsupportedVersion) {
    throw new OldForm(readResponse(ApiVersions, 0, correlationId, bytes))
  }
  return readResponse(api, version, correlationId, bytes)
}

async function dial(world: ClientWorld, address: Address, options: ConnectionOptions): Promise<Socket> {
  const dialing = options.dial === null ? world.net.connect(address) : options.dial(address)
  let late = false
  const timeout = new Promise<never>((_, reject) => {
    const alarm = world.timers.after(options.connectTimeoutMs, () => {
      late = true
      reject(new KafkaError('NETWORK_EXCEPTION', `${showAddress(address)} does not accept a connection in time`))
    })
    const done = () => alarm.cancel()
    dialing.then(done, done)
  })
  dialing.then(
    socket => late && socket.destroy(),
    () => {},
  )
  try {
    return await Promise.race([dialing, timeout])
  } catch (error) {
    if (error instanceof KafkaError) throw error
    throw new KafkaError('NETWORK_EXCEPTION', `${showAddress(address)}: ${(error as Error).message}`, { cause: error })
  }
}
