import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Door } from '../doors.ts'
import type { Gateway } from '../gateway.ts'
import type { GuestStream } from '../guest-stream.ts'
import type { BodyBudget } from './body.ts'
import { Guard } from './guard.ts'
import { Handling } from './handling.ts'
import { Problem } from './problem.ts'
import { Router } from './router.ts'
import { routes } from './routes.ts'

/** Bytes of a request's line and headers. */
const mostHeaderBytes = 16 * 1024
/** ms for a request's line and headers, and for all of it. */
const headersMs = 10_000
const requestMs = 120_000
/** Requests of one connection that are worked on at one time. */
const mostAtOnce = 8
/** Bytes of answers that one connection may leave untaken; above, its next request waits until they are taken. */
const mostUntaken = 256 * 1024
/** Requests that one connection may send ahead of their answers. */
const mostPipelined = 128

export function openHttp(gateway: Gateway): Door {
  return new HttpDoor(gateway)
}

/** HTTP/1.1 over connections that are handed in: Node's server, which never listens itself. */
class HttpDoor implements Door {
  readonly #gateway: Gateway
  readonly #router = new Router(routes)
  readonly #server: Server
  readonly #connections = new Map<GuestStream, Connection>()
  readonly #budget: BodyBudget
  readonly #guard: Guard
  #closing = false

  constructor(gateway: Gateway) {
    this.#gateway = gateway
    this.#guard = new Guard(gateway)
    const { config, metrics } = gateway
    this.#budget = {
      get most() {
        return config.get('http.body.held.max.bytes')
      },
      metrics,
    }
    const budget = this.#budget
    metrics.http = {
      get bodyLimit() {
        return budget.most
      },
      get answerLimit() {
        return config.get('http.answer.unsent.max.bytes')
      },
    }
    this.#server = createServer({
      maxHeaderSize: mostHeaderBytes,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 2_000,
      // The broker closes connections on which nothing moves; sooner would cut off clients that are about to ask.
      keepAliveTimeout: 0,
      // The guard says so, too, and more plainly.
      requireHostHeader: false,
    })
    this.#server.maxHeadersCount = 100
    this.#server.on('request', (message, response) => this.#asked(message, response))
    this.#server.on('clientError', (error, socket) => this.#malformed(error, socket as unknown as GuestStream))
    // A server that never listened has no clock for the time-outs above.
    this.#server.emit('listening')
  }

  enter(stream: GuestStream): void {
    const connection: Connection = { answering: new Set(), waiting: [] }
    this.#connections.set(stream, connection)
    stream.on('close', () => {
      this.#connections.delete(stream)
      this.#gateway.metrics.answerBytes -= stream.untaken
      stream.untaken = 0
      for (const response of [...connection.answering]) forget(response)
    })
    stream.onFinish = () => endIfIdle(stream)
    this.#server.emit('connection', stream)
    if (this.#closing) stream.finish()
  }

  async close(): Promise<void> {
    this.#closing = true
    for (const stream of [...this.#connections.keys()]) stream.finish()
    this.#server.emit('close')
  }

  #asked(message: IncomingMessage, response: ServerResponse): void {
    const stream = message.socket as unknown as GuestStream
    const connection = this.#connections.get(stream)
    if (connection === undefined) return
    const { answering, waiting } = connection
    answering.add(response)
    stream.busyWith(answering.size)
    const handling = new Handling(this.#gateway, message, response, stream, this.#budget)
    response.on('close', () => {
      if (!answering.delete(response)) return
      handling.over()
      stream.busyWith(answering.size)
      this.#runNext(stream, waiting)
      if (stream.finishing) endIfIdle(stream)
    })
    if (stream.asked > mostPipelined) {
      stream.destroy()
      return
    }
    waiting.push(handling)
    this.#runNext(stream, waiting)
  }

  /** Those whose turn has come. */
  #runNext(stream: GuestStream, waiting: Handling[]): void {
    // Behind the last answer that we send, nobody hears of what became of a request (RFC 9112, 9.6).
    while (waiting.length > 0 && stream.writable) {
      // Those that wait are asked, too.
      if (stream.asked - waiting.length >= mostAtOnce || stream.untaken > mostUntaken) return
      this.#run(waiting.shift()!, stream)
    }
  }

  #run(handling: Handling, stream: GuestStream): void {
    handling.run(this.#router, this.#guard).catch(error => {
      this.#gateway.logger.error('an answer over HTTP failed unexpectedly', { error: String(error) })
      stream.destroy()
    })
  }

  #malformed(error: Error & { code?: string }, stream: GuestStream): void {
    this.#gateway.metrics.malformed++
    // Whoever has an answer under way could take ours for a part of it.
    const answering = [...(this.#connections.get(stream)?.answering ?? [])]
    const amiss = answering.length > 1 || answering[0]?.headersSent === true
    if (error.code === 'ECONNRESET' || !stream.writable || amiss) {
      stream.destroy()
      return
    }
    const problem = malformed(error.code)
    const body = JSON.stringify(problem)
    const head = [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      'content-type: application/problem+json',
      'x-content-type-options: nosniff',
      'cache-control: no-store',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    stream.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    stream.destroySoon()
  }
}

/** What one connection asked for and has not got yet. */
interface Connection {
  readonly answering: Set<ServerResponse>
  /** Those of them whose turn has not come. */
  readonly waiting: Handling[]
}

/**
 * The connection of an answer is gone. Node tells only the one that has the socket: those in line behind it never get one, and
 * would be made, and waited for, without an end.
 */
function forget(response: ServerResponse): void {
  if (response.socket !== null || response.writableFinished) return
  response.destroy()
  response.emit('close')
}

/** Between two requests: whoever is answered has nothing to lose. */
function endIfIdle(stream: GuestStream): void {
  if (stream.asked === 0) stream.destroySoon()
}

function malformed(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `The request's line and headers may have ${mostHeaderBytes} bytes in all`
    return new Problem(431, 'headers-too-large', 'Request Header Fields Too Large', detail)
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'request-timeout', 'Request Timeout', 'The request did not come in time')
  }
  return new Problem(400, 'malformed', 'Bad Request', 'This is no request of HTTP/1.1')
}
