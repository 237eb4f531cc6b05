import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Timer, Timers } from '../../../world/world.ts'
import type { Turns } from '../../turns.ts'
import { ProtoReader } from '../protobuf/reader.ts'
import type { Fields, FieldsIn, FieldsOut, Method } from '../protobuf/schema.ts'
import { GrpcError, grpcError, Status, statusDetails } from '../status.ts'
import { acceptedEncodings, inflate } from './encoding.ts'
import { framed, MessageCutter, prefixBytes, type RawMessage } from './messages.ts'
import { timeoutOf } from './timeout.ts'

/** What a call needs of its server. */
export interface CallContext {
  readonly timers: Timers
  readonly maxMessageBytes: number
  /** ms that a message may be incomplete: what it holds others would like to have. */
  readonly messageMs: number
  /** Messages of a client's stream that wait to be worked on; above, the client is not read any more. */
  readonly mostWaiting: number
  /** What reading messages may cost in one turn, in fields: what is made of them takes time. */
  readonly reading: Turns
  /** Bytes of messages that are incomplete or wait, over all calls: counts, and throws RESOURCE_EXHAUSTED when there are too many. */
  hold(bytes: number): void
  /** Something was sent on the connection. */
  sent(): void
  /** A bug: logged once, with its context. */
  bug(error: unknown): void
  /** The call has ended, with that code. */
  ended(code: number): void
}

/**
 * One call (gRPC over HTTP/2): messages in, messages out, one status at the end. Whatever ends it early, its client, its
 * deadline, the node, aborts `signal`; who works for it stops then.
 */
export class Call<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly headers: IncomingHttpHeaders
  readonly #stream: ServerHttp2Stream
  readonly #method: Method<Request, Response>
  readonly #context: CallContext
  readonly #cutter: MessageCutter
  readonly #waiting: RawMessage[] = []
  #bytesWaiting = 0
  /** Of the message that is being worked on. */
  #bytesTaken = 0
  /** The message that waits for its turn. */
  #unread: Buffer | null = null
  /** Made when somebody asks for it: most calls are over before. */
  #aborting: AbortController | null = null
  #deadline: Timer | null = null
  /** Runs while a message is incomplete, or the only one has not begun. */
  #patience: Timer | null = null
  #held = 0
  /** The one message of a client that sends one has not come. */
  #mute: boolean
  /** The client has said all. */
  #half = false
  #failed: unknown = null
  #wake: (() => void) | null = null
  readonly #drained: (() => void)[] = []
  #done = false

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: Method<Request, Response>,
    context: CallContext,
  ) {
    this.headers = headers
    this.#stream = stream
    this.#method = method
    this.#context = context
    this.#cutter = new MessageCutter(context.maxMessageBytes)
    this.#mute = !method.clientStreams
    this.#account()
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    stream.on('end', () => {
      this.#half = true
      this.#wake?.()
    })
    stream.on('drain', () => this.#drain())
    // A client that goes away is nothing to report.
    stream.on('error', () => {})
    stream.on('close', () => this.#over(Status.CANCELLED))
    try {
      const timeoutMs = timeoutOf(headers['grpc-timeout'])
      const late = () => this.fail(new GrpcError('DEADLINE_EXCEEDED', 'the deadline has passed'))
      if (timeoutMs !== null) this.#deadline = context.timers.after(timeoutMs, late)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Nobody waits for the answer any more. */
  get over(): boolean {
    return this.#done
  }

  /** Aborted when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    if (this.#aborting === null) {
      this.#aborting = new AbortController()
      if (this.#done) this.#aborting.abort(over)
    }
    return this.#aborting.signal
  }

  /** Sends headers now: tells the client that its stream stands. Otherwise they leave with the first message. */
  begin(): void {
    if (this.#done || this.#stream.headersSent || this.#stream.destroyed) return
    this.#stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc+proto',
        'grpc-accept-encoding': acceptedEncodings,
      },
      { waitForTrailers: true },
    )
    this.#context.sent()
  }

  /** Sends a message; fulfilled when the client takes more. Rejects when nobody waits for it any more. */
  async write(message: FieldsIn<Response>): Promise<void> {
    if (this.#done) throw cancelled()
    this.begin()
    if (this.#stream.write(framed(this.#method.response.encode(message, prefixBytes)))) {
      this.#context.sent()
      return
    }
    await new Promise<void>(resolve => this.#drained.push(resolve))
    this.#context.sent()
    if (this.#done) throw cancelled()
  }

  /** Sends messages that are framed already, however many of them the client has not taken yet: see `unsent`. */
  send(bytes: Uint8Array): void {
    if (this.#done) return
    this.begin()
    this.#stream.write(bytes)
    this.#context.sent()
  }

  /** Bytes that were sent and that the client's window has had no room for. */
  get unsent(): number {
    return this.#stream.writableLength
  }

  /** Called whenever the client has taken everything. */
  onDrain(run: () => void): void {
    this.#stream.on('drain', run)
  }

  /** The one message of a client that sends one. Throws INVALID_ARGUMENT when it sent none, or cannot be read. */
  async request(): Promise<FieldsOut<Request>> {
    const request = await this.next()
    if (request === null) throw new GrpcError('INVALID_ARGUMENT', 'the request has no message')
    return request
  }

  /** The next message of the client's stream; null: there are no more. */
  async next(): Promise<FieldsOut<Request> | null> {
    this.#bytesTaken = 0
    this.#account()
    while (this.#waiting.length === 0) {
      if (this.#failed !== null) throw this.#failed
      if (this.#done) throw cancelled()
      if (this.#half) {
        if (this.#cutter.held > 0) throw new GrpcError('INVALID_ARGUMENT', 'the last message is cut off')
        return null
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    const { compressed, bytes } = this.#waiting.shift()!
    this.#bytesWaiting -= bytes.length
    this.#bytesTaken = bytes.length
    if (!this.#isFull) this.#stream.resume()
    const encoding = compressed ? this.headers['grpc-encoding'] : undefined
    return this.#read(await inflate(bytes, compressed, encoding, this.#context.maxMessageBytes))
  }

  /** In its turn, unless it is short. Until then it counts with all that it has become, and goes when its call is over. */
  async #read(message: Buffer): Promise<FieldsOut<Request>> {
    if (this.#done) throw cancelled()
    if (message.length < longMessage) return this.#decode(message)
    this.#bytesTaken = message.length
    this.#account()
    this.#unread = message
    return this.#context.reading.run(() => {
      const unread = this.#unread
      if (unread === null) throw cancelled()
      this.#unread = null
      return this.#decode(unread)
    })
  }

  #decode(message: Buffer): FieldsOut<Request> {
    const reader = new ProtoReader(message)
    try {
      return this.#method.request.read(reader)
    } finally {
      this.#context.reading.spend(reader.cost)
    }
  }

  /** The end of a call that went well, after a last message if there is one. */
  succeed(message?: FieldsIn<Response>): void {
    if (this.#done) return
    this.begin()
    if (message !== undefined) this.#stream.write(framed(this.#method.response.encode(message, prefixBytes)))
    this.#end({ 'grpc-status': String(Status.OK) }, Status.OK)
  }

  /** The end of a call that did not. Anything that no client is meant to see becomes INTERNAL, and is logged. */
  fail(error: unknown): void {
    if (this.#done) return
    let known = grpcError(error)
    if (known === null) {
      this.#context.bug(error)
      known = new GrpcError('INTERNAL', 'an unexpected error; the log of the node says more')
    }
    const details = statusDetails(known)
    const trailers = {
      'grpc-status': String(known.code),
      'grpc-message': encodeURIComponent(known.message.slice(0, mostMessage)),
      ...(details === null ? {} : { 'grpc-status-details-bin': details.toString('base64') }),
    }
    this.#end(trailers, known.code)
  }

  /**
   * The end of a call whose client takes nothing: a status would wait behind what it does not take. Clients of gRPC understand
   * this reset as RESOURCE_EXHAUSTED.
   */
  cut(): void {
    if (this.#done) return
    this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.#over(Status.RESOURCE_EXHAUSTED)
  }

  #end(trailers: Record<string, string>, code: number): void {
    const stream = this.#stream
    if (!stream.destroyed && !stream.closed) {
      if (stream.headersSent) {
        stream.once('wantTrailers', () => {
          stream.sendTrailers(trailers)
          this.#leave()
        })
        stream.end()
      } else {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto', ...trailers }, { endStream: true })
        this.#leave()
      }
      this.#context.sent()
    }
    this.#over(code)
  }

  /** What the client still wants to say nobody hears: it may stop (RFC 9113, 8.1). */
  #leave(): void {
    if (!this.#half) this.#context.timers.soon(() => this.#stream.close(constants.NGHTTP2_NO_ERROR))
  }

  #received(chunk: Buffer): void {
    if (this.#done || this.#failed !== null) return
    try {
      for (const message of this.#cutter.push(chunk)) {
        this.#waiting.push(message)
        this.#mute = false
        this.#bytesWaiting += message.bytes.length
      }
      this.#account()
    } catch (error) {
      this.#failed = error
    }
    if (this.#isFull) this.#stream.pause()
    this.#wake?.()
  }

  /** The client is ahead of whoever works for it. */
  get #isFull(): boolean {
    return this.#waiting.length >= this.#context.mostWaiting || this.#bytesWaiting >= mostBytesWaiting
  }

  /** Throws RESOURCE_EXHAUSTED when all calls together hold too much. */
  #account(): void {
    const incomplete = this.#done || this.#failed !== null ? 0 : this.#cutter.held
    // While we do not read, it is not the client that is late.
    const late = incomplete > 0 || (this.#mute && !this.#done && !this.#half)
    if (!late || this.#isFull) {
      this.#patience?.cancel()
      this.#patience = null
    } else {
      const fail = () => this.fail(new GrpcError('DEADLINE_EXCEEDED', 'a message did not come in time'))
      this.#patience ??= this.#context.timers.after(this.#context.messageMs, fail)
    }
    const held = this.#done ? 0 : incomplete + this.#bytesWaiting + this.#bytesTaken
    const more = held - this.#held
    this.#held = held
    if (more !== 0) this.#context.hold(more)
  }

  #over(code: number): void {
    if (this.#done) return
    this.#done = true
    this.#deadline?.cancel()
    this.#waiting.length = 0
    this.#unread = null
    this.#account()
    this.#aborting?.abort(over)
    this.#wake?.()
    this.#drain()
    this.#context.ended(code)
  }

  #drain(): void {
    for (const run of this.#drained.splice(0)) run()
  }
}

/** Bytes from which on a message is read in its turn. */
const longMessage = 256

/** Bytes of complete messages that wait to be worked on; above, the client is not read any more. */
const mostBytesWaiting = 256 * 1024

/** Of a status message, in characters: it travels in a header. */
const mostMessage = 1000

const cancelled = () => new GrpcError('CANCELLED', 'the call is over')
/** Why a signal was aborted; a reason that is there already costs no call the making of one. */
const over = cancelled()
