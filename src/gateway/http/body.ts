import type { IncomingMessage } from 'node:http'
import type { GatewayMetrics } from '../door-metrics.ts'
import { Pieces } from '../pieces.ts'
import { mustBeModest } from './json-size.ts'
import { badRequest, Problem } from './problem.ts'

/** What bodies of all requests may take. */
export interface BodyBudget {
  /** Bytes that are held at one time; one body alone may be as large as a request may be. */
  readonly most: number
  readonly metrics: Pick<GatewayMetrics, 'bodyBytes' | 'bodiesRefused'>
}

/** Chunks that may have any size; of more the average counts, bytes. */
const mostCrumbs = 10_000
const leastChunk = 16

/** What a request holds of the budget until it is answered. */
export class BodyReader {
  readonly #message: IncomingMessage
  readonly #budget: BodyBudget
  #held = 0
  /** That have come. */
  #pieces = 0
  #bytes = 0

  constructor(message: IncomingMessage, budget: BodyBudget) {
    this.#message = message
    this.#budget = budget
  }

  /** Gives back what was held. */
  release(): void {
    this.#budget.metrics.bodyBytes -= this.#held
    this.#held = 0
  }

  /** The whole body, once. Throws Problem 413, 415, 503; 400 when the client goes in the middle. */
  read(limit: number): Promise<Buffer> {
    const message = this.#message
    const encoded = encodingProblem(message)
    if (encoded !== null) return Promise.reject(encoded)
    if (Number(message.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge(limit))
    return new Promise((resolve, reject) => {
      const pieces = new Pieces()
      const fail = (problem: Problem) => {
        message.removeAllListeners('data')
        message.pause()
        // The message lives as long as the connection, and what listens to it with it.
        pieces.clear()
        reject(problem)
      }
      message.on('data', (chunk: Buffer) => {
        if (pieces.bytes + chunk.length > limit) return fail(tooLarge(limit))
        if (!this.#mayHold(chunk.length)) return fail(busy())
        if (this.#isCrumbled(chunk)) return fail(crumbs())
        pieces.add(chunk)
      })
      message.on('end', () => resolve(pieces.take()))
      message.on('error', () => reject(badRequest('The body is not whole')))
      message.on('close', () => {
        if (!message.complete) reject(badRequest('The body is not whole'))
      })
    })
  }

  /** The body as it comes. Throws Problem 415, and 400 when the client goes in the middle. */
  async *pieces(): AsyncGenerator<Buffer> {
    const encoded = encodingProblem(this.#message)
    if (encoded !== null) throw encoded
    try {
      // Whoever stops early may still answer.
      for await (const piece of this.#message.iterator({ destroyOnReturn: false })) {
        if (this.#isCrumbled(piece)) throw crumbs()
        yield piece as Buffer
      }
    } catch (error) {
      throw error instanceof Problem ? error : badRequest('The body is not whole')
    }
  }

  /** Counts what is kept of a body that is read in pieces; negative: no longer. Throws Problem 503. */
  hold(bytes: number): void {
    if (!this.#mayHold(bytes)) throw busy()
  }

  /** A chunk costs more to take than many bytes: whoever sends them one by one wants nothing but that. */
  #isCrumbled(piece: Buffer): boolean {
    this.#pieces++
    this.#bytes += piece.length
    return this.#pieces > mostCrumbs && this.#bytes < this.#pieces * leastChunk
  }

  #mayHold(bytes: number): boolean {
    const { metrics, most } = this.#budget
    const others = metrics.bodyBytes - this.#held
    if (bytes > 0 && others > 0 && metrics.bodyBytes + bytes > most) {
      metrics.bodiesRefused++
      return false
    }
    metrics.bodyBytes += bytes
    this.#held += bytes
    return true
  }
}

function encodingProblem({ headers }: IncomingMessage): Problem | null {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return null
  const detail = `A body that is encoded as ${encoding} is not understood`
  return new Problem(415, 'unsupported-encoding', 'Bodies come plain', detail, {}, { 'accept-encoding': 'identity' })
}

/** The media type of a Content-Type, in small letters; '' when there is none. */
export function mediaType(contentType: string | undefined): string {
  if (contentType === undefined) return ''
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * Whether a type says JSON. A form's types and text/plain never do, whatever the body holds: any page may send those
 * without asking first.
 */
export const isJson = (type: string): boolean =>
  type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)

/** Throws Problem 400. */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw badRequest('The body is empty; JSON is needed')
  try {
    return JSON.parse(mustBeModest(utf8.decode(bytes)))
  } catch (error) {
    if (error instanceof Problem) throw error
    throw badRequest(`The body is not JSON: ${(error as Error).message}`)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function tooLarge(limit: number): Problem {
  return new Problem(413, 'body-too-large', 'The body is too large', `The body may have ${limit} bytes at most`)
}

function crumbs(): Problem {
  return badRequest(`The body comes in chunks of less than ${leastChunk} bytes each`)
}

function busy(): Problem {
  const detail = 'Too many bytes of requests wait here; try again'
  return new Problem(503, 'busy', 'Too much at once', detail, {}, { 'retry-after': '1' })
}
