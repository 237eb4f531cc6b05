import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Logger } from '../../world/logger.ts'
import type { World } from '../../world/world.ts'
import { Turns } from '../turns.ts'
import type { Served } from './implementation.ts'
import { GrpcError, Status } from './status.ts'
import { Call, type CallContext } from './wire/call.ts'
import { Pings } from './wire/pings.ts'

export interface GrpcServerOptions {
  readonly world: Pick<World, 'clock' | 'timers'>
  readonly logger: Logger
  readonly limits?: Partial<GrpcLimits>
  /** So many more bytes of incomplete messages are held, or fewer. */
  readonly holds?: (more: number) => void
  /** A call has ended with that code, after so many ms. */
  readonly observe: (method: string, code: number, ms: number) => void
}

export interface GrpcLimits {
  /** Of one message, bytes, decompressed. */
  readonly messageBytes: number
  /** Calls at a time on one connection. */
  readonly streams: number
  /** Calls at a time over all connections. */
  readonly calls: number
  /** Bytes of incomplete messages, over all connections; one has a quarter of it at most. */
  readonly heldBytes: number
  /** ms that a message may be incomplete. */
  readonly messageMs: number
  /** Messages of one client's stream that wait to be worked on. */
  readonly waiting: number
}

export const defaultLimits: GrpcLimits = {
  messageBytes: 4 * 1024 * 1024,
  streams: 1000,
  calls: 10_000,
  heldBytes: 64 * 1024 * 1024,
  messageMs: 60_000,
  waiting: 8,
}

/** Bytes that a client may send ahead on one stream, and on one connection. */
const streamWindow = 256 * 1024
const sessionWindow = 1024 * 1024
const headerBytes = 16 * 1024
/** What messages that are read, or made, in one turn of the event loop may cost, in fields: some ten thousand records. */
export const costOfTurn = 50_000
/** MB that Node lets one connection hold; above, it takes no new streams there. */
const sessionMegabytes = 16
/** Frames that make no sense, and streams that are refused, before a connection is closed. */
const mostNonsense = 100

/** A connection, as far as we count on it. */
interface Session {
  readonly pings: Pings
  /** Bytes of incomplete messages. */
  held: number
  busy(more: 1 | -1): void
}

/** gRPC over HTTP/2 without TLS, on connections that others accept. */
export class GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #limits: GrpcLimits
  readonly #paths: ReadonlyMap<string, Served>
  readonly #http2: Http2Server
  readonly #sessions = new Map<ServerHttp2Session, Session>()
  /** Streams that end only when somebody ends them. */
  readonly #endless = new Set<Call>()
  readonly #reading: Turns
  #closing = false
  #held = 0
  #calls = 0
  /** Calls above the limit, since the start. */
  refused = 0

  constructor(paths: ReadonlyMap<string, Served>, options: GrpcServerOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#paths = paths
    this.#reading = new Turns(options.world.timers, costOfTurn)
    this.#http2 = createServer({
      maxSessionMemory: sessionMegabytes,
      maxSessionInvalidFrames: mostNonsense,
      maxSessionRejectedStreams: mostNonsense,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindow,
        maxConcurrentStreams: this.#limits.streams,
        maxHeaderListSize: headerBytes,
      },
    })
    this.#http2.on('session', session => this.#opened(session))
    this.#http2.on('stream', (stream, headers) => this.#called(stream, headers))
    // What a client gets wrong is answered on its connection.
    this.#http2.on('sessionError', () => {})
  }

  /** Calls under way now. */
  get calls(): number {
    return this.#calls
  }

  /** Those of them that end only when somebody ends them. */
  get streams(): number {
    return this.#endless.size
  }

  get limits(): GrpcLimits {
    return this.#limits
  }

  /** Bytes of incomplete messages now. */
  get held(): number {
    return this.#held
  }

  /**
   * A connection that begins with HTTP/2's preface. `busy` is told of each call that begins (1) and ends (−1) on it. What comes
   * back lets the client know that it shall begin no more calls here.
   */
  enter(connection: Duplex, busy: (more: 1 | -1) => void = () => {}): () => void {
    this.#entering = busy
    this.#http2.emit('connection', connection)
    const session = this.#newest
    return () => session?.close()
  }

  /** Set while a connection becomes a session, which happens at once. */
  #entering: (more: 1 | -1) => void = () => {}
  #newest: ServerHttp2Session | null = null

  /** No new calls. Streams end; other calls under way go on, and their connections end with them. */
  close(): void {
    this.#closing = true
    for (const call of [...this.#endless]) call.fail(stops())
    for (const session of this.#sessions.keys()) session.close()
  }

  #opened(session: ServerHttp2Session): void {
    const { clock } = this.#options.world
    const state: Session = { pings: new Pings(clock), held: 0, busy: this.#entering }
    this.#newest = session
    this.#sessions.set(session, state)
    session.setLocalWindowSize(sessionWindow)
    session.on('ping', () => {
      if (state.pings.allow()) return
      if (session.destroyed || session.closed) return
      // What clients of gRPC look for, to ping less from then on.
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
      this.#options.world.timers.soon(() => session.destroy())
    })
    session.on('error', () => {})
    session.on('close', () => this.#sessions.delete(session))
  }

  #called(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const { ':method': method, ':path': path = '', 'content-type': type = '' } = headers
    const isGrpc = /^application\/grpc($|[+;])/.test(type)
    if (method !== 'POST' || !isGrpc) {
      stream.on('error', () => {})
      stream.respond({ ':status': method === 'POST' ? 415 : 405, ...(method === 'POST' ? {} : { allow: 'POST' }) })
      stream.end('This connection speaks HTTP/2, over which only gRPC is served; use HTTP/1.1 for everything else.\n')
      return
    }
    const served = this.#paths.get(path)
    if (served === undefined) this.#refuse(stream, path)
    else this.#run(stream, headers, served)
  }

  #run(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, served: Served): void {
    const call = new Call(stream, headers, served.method, this.#context(stream, served))
    // What its headers said was wrong.
    if (call.over) return
    if (this.#closing) {
      call.fail(stops())
      return
    }
    if (this.#calls > this.#limits.calls) {
      this.refused++
      call.fail(new GrpcError('RESOURCE_EXHAUSTED', `${this.#limits.calls} calls are under way already`, null, true))
      return
    }
    if (served.method.serverStreams) {
      this.#endless.add(call)
      call.signal.addEventListener('abort', () => this.#endless.delete(call))
    }
    void served.run(call)
  }

  #refuse(stream: ServerHttp2Stream, path: string): void {
    stream.on('error', () => {})
    const message = `there is no ${path.slice(0, 200)} here`
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': String(Status.UNIMPLEMENTED),
        'grpc-message': encodeURIComponent(message),
      },
      { endStream: true },
    )
    // Not in this turn: newer Nodes would take the answer back.
    this.#options.world.timers.soon(() => stream.close(constants.NGHTTP2_NO_ERROR))
  }

  #context(stream: ServerHttp2Stream, { name }: Served): CallContext {
    const { world, logger, observe, holds } = this.#options
    const { messageBytes, waiting, heldBytes, messageMs } = this.#limits
    const { clock, timers } = world
    const began = clock.mono()
    const session = this.#sessions.get(stream.session as ServerHttp2Session)
    session?.busy(1)
    this.#calls++
    return {
      timers,
      maxMessageBytes: messageBytes,
      messageMs,
      mostWaiting: waiting,
      reading: this.#reading,
      hold: bytes => {
        this.#held += bytes
        holds?.(bytes)
        if (session !== undefined) session.held += bytes
        if (bytes > 0 && (this.#held > heldBytes || (session?.held ?? 0) > heldBytes / 4))
          throw new GrpcError('RESOURCE_EXHAUSTED', 'the node holds too many incomplete messages', null, true)
      },
      sent: () => session?.pings.sent(),
      bug: error =>
        logger.error('a call failed unexpectedly', {
          method: name,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
      ended: code => {
        session?.busy(-1)
        this.#calls--
        observe(name, code, clock.mono() - began)
      },
    }
  }
}

const stops = () => new GrpcError('UNAVAILABLE', 'the node stops', null, true)
