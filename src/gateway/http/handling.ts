import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Gateway } from '../gateway.ts'
import { type GuestStream, readAhead } from '../guest-stream.ts'
import { type BodyBudget, BodyReader, isJson, mediaType, parseJson } from './body.ts'
import { type Guard, noHeaders, preflight } from './guard.ts'
import { badRequest, internalProblem, knownProblem, Problem } from './problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Outlet } from './route.ts'
import { inputsOf, type Router } from './router.ts'
import { faultIn, wholeBody } from './schema.ts'

/** With every answer: no page may take it for something else, frame it, or keep it. */
const common = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const
/** The same as Node takes it fastest. */
const commonLines: readonly string[] = Object.entries(common).flat()

/**
 * Bytes of a body that nobody read which are skipped, so that the next request finds its connection. What was left in the middle
 * stays where it is: there must be room for it, or the connection would stand still.
 */
const mostSkipped = readAhead

/** Bytes of an answer that is never refused. */
const smallAnswer = 1024

/** Nobody changes it. */
const noQuery = new URLSearchParams()

const empty: Readonly<Record<string, never>> = {}

/** One request from its headers to its answer. */
export class Handling implements HttpRequest {
  readonly method: string
  readonly path: string
  readonly base: string
  readonly remote: string
  parameters: Readonly<Record<string, string>> = empty
  inputs: Readonly<Record<string, unknown>> = empty
  readonly #gateway: Gateway
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  readonly #stream: GuestStream
  readonly #body: BodyReader
  readonly #search: string
  readonly #host: string | undefined
  #operation: Operation | null = null
  /** For every answer to this client. */
  #extra: Readonly<Record<string, string>> = noHeaders
  #query: URLSearchParams | null = null
  #whole: Promise<Buffer> | null = null
  #aborter: AbortController | null = null
  /** Of the answer, until it is taken. */
  #answerBytes = 0

  constructor(
    gateway: Gateway,
    message: IncomingMessage,
    response: ServerResponse,
    stream: GuestStream,
    budget: BodyBudget,
  ) {
    this.#gateway = gateway
    this.#message = message
    this.#response = response
    this.#stream = stream
    this.#body = new BodyReader(message, budget)
    this.method = message.method ?? ''
    const target = targetOf(message.url ?? '/')
    const mark = target.path.indexOf('?')
    this.path = mark < 0 ? target.path : target.path.slice(0, mark)
    this.#search = mark < 0 ? '' : target.path.slice(mark + 1)
    this.#host = target.host ?? message.headers.host
    this.base = `http://${this.#host}`
    this.remote = stream.remoteAddress
  }

  get query(): URLSearchParams {
    this.#query ??= this.#search === '' ? noQuery : new URLSearchParams(this.#search)
    return this.#query
  }

  get contentType(): string {
    return mediaType(this.#message.headers['content-type'])
  }

  get signal(): AbortSignal {
    if (this.#aborter === null) {
      const aborter = new AbortController()
      this.#aborter = aborter
      // After an answer this says nothing new to anybody.
      if (this.#response.destroyed) aborter.abort()
      else this.#response.on('close', () => aborter.abort())
    }
    return this.#aborter.signal
  }

  header(name: string): string | null {
    const value = this.#message.headers[name]
    return value === undefined ? null : typeof value === 'string' ? value : value.join(', ')
  }

  headers(prefix: string): readonly (readonly [string, string])[] {
    const { rawHeaders } = this.#message
    const found: [string, string][] = []
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!.toLowerCase()
      if (name.startsWith(prefix)) found.push([name, rawHeaders[i + 1]!])
    }
    return found
  }

  pieces(): AsyncIterable<Buffer> {
    return this.#body.pieces()
  }

  hold(bytes: number): void {
    this.#body.hold(bytes)
  }

  body(limit: number = this.#gateway.config.get('http.request.max.bytes')): Promise<Buffer> {
    this.#whole ??= this.#body.read(limit)
    return this.#whole
  }

  async json<T>(limit?: number): Promise<T> {
    const type = this.contentType
    if (!isJson(type)) {
      const said = type === '' ? 'none' : type
      const detail = `JSON is needed: say content-type: application/json (it is ${said})`
      throw new Problem(415, 'unsupported-media-type', 'The body is of another kind', detail)
    }
    const value = parseJson(await this.body(limit))
    const content = this.#operation?.requestBody?.content
    const schema = (content?.[type] ?? content?.['application/json'])?.schema
    const fault = schema === undefined ? null : faultIn(value, schema, wholeBody)
    if (fault !== null) throw badRequest(fault)
    return value as T
  }

  respond(status: number, headers: Readonly<Record<string, string>> = empty): Outlet {
    this.#response.writeHead(status, this.#headers(headers))
    return new ResponseOutlet(this.#response)
  }

  /** The answer is taken, or nobody takes it any more. */
  over(): void {
    this.#count(-this.#answerBytes)
  }

  #count(bytes: number): void {
    // With a connection all that waits for it is gone, and was taken off at once.
    if (this.#stream.destroyed) return
    this.#answerBytes += bytes
    this.#stream.untaken += bytes
    this.#gateway.metrics.answerBytes += bytes
  }

  /** Finds the route, has it answer, and sends that. Rejects for bugs only. */
  async run(router: Router, guard: Guard): Promise<void> {
    const { clock } = this.#gateway.world
    const started = clock.mono()
    let name = 'unknown'
    let answer: HttpAnswer
    try {
      this.#extra = guard.admit(this.#caller())
      if (this.method === 'OPTIONS') answer = this.#options(router)
      else {
        const { route, parameters, name: known } = router.find(this.method, this.path)
        name = known
        this.parameters = parameters
        this.#operation = route.operation
        if (this.method !== 'GET' && isFormLike(this.contentType)) throw unaskedFor(this.contentType)
        this.inputs = inputsOf(route.operation, this)
        // Before anything is done: who hears afterwards that it was too much would do it again.
        if (!this.#onlyReads && this.#isTooMuch(0)) throw this.#refusal()
        answer = await route.handle(this, this.#gateway)
      }
    } catch (error) {
      answer = this.#failed(error, name)
    }
    this.#body.release()
    const status = this.#send(answer, this.#onlyReads)
    this.#gateway.metrics.observe(name, status, clock.mono() - started)
  }

  /** It changes nothing, and may be asked for again. */
  get #onlyReads(): boolean {
    return this.method === 'GET' || this.method === 'HEAD'
  }

  #caller() {
    const { headers } = this.#message
    return {
      method: this.method,
      host: this.#host,
      origin: headers.origin,
      site: headers['sec-fetch-site'] as string | undefined,
      mode: headers['sec-fetch-mode'] as string | undefined,
      dest: headers['sec-fetch-dest'] as string | undefined,
    }
  }

  #options(router: Router): HttpAnswer {
    const methods = router.methods(this.path)
    if (methods.length === 0) router.find('GET', this.path)
    const { headers } = this.#message
    const asked = headers['access-control-request-method'] === undefined ? null : headers
    return {
      status: 204,
      headers: {
        allow: methods.join(', '),
        ...(asked === null || this.#extra === noHeaders
          ? empty
          : preflight(methods, headers['access-control-request-headers'] as string | undefined)),
      },
    }
  }

  #failed(error: unknown, operation: string): HttpAnswer {
    let problem = knownProblem(error)
    if (problem === null) {
      problem = internalProblem
      this.#gateway.logger.error('a request over HTTP failed unexpectedly', {
        operation,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
    }
    if (problem.type === 'wrong-host' || problem.type === 'cross-origin') this.#gateway.metrics.requestsRefused++
    return { status: problem.status, headers: problem.headers, json: problem, type: 'application/problem+json' }
  }

  #headers(own: Readonly<Record<string, string>>): Record<string, string> {
    const last = this.#isLast ? { connection: 'close' } : empty
    return { ...common, ...this.#extra, ...last, ...own }
  }

  /** The connection ends with this answer. */
  get #isLast(): boolean {
    return this.#stream.finishing || this.#hasMore
  }

  /** More of a body is to come than one would read just to throw it away. */
  get #hasMore(): boolean {
    const { complete, headers } = this.#message
    if (complete) return false
    return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > mostSkipped
  }

  /** Gives the status. `limited`: a larger answer that is too much on top of those that nobody takes becomes a refusal. */
  #send(answer: HttpAnswer, limited: boolean): number {
    const response = this.#response
    if (answer.sent === true) return response.statusCode
    if (response.headersSent) {
      // It failed in the middle of an answer, which only a cut can show.
      this.#stream.destroy()
      return 500
    }
    const { status = 200, json, type, headers: own = empty } = answer
    const body = json === undefined ? answer.bytes : JSON.stringify(json)
    if (body !== undefined) {
      const kind = type ?? (json === undefined ? 'application/octet-stream' : 'application/json')
      const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
      if (limited && bytes > smallAnswer && this.#isTooMuch(bytes))
        return this.#send(this.#failed(this.#refusal(), ''), false)
      this.#count(bytes)
      // Most answers have nothing special.
      if (own === empty && this.#extra === noHeaders && !this.#isLast) {
        response.writeHead(status, [...commonLines, 'content-type', kind, 'content-length', String(bytes)])
      } else {
        response.writeHead(status, this.#headers({ 'content-type': kind, 'content-length': String(bytes), ...own }))
      }
    } else {
      const length = status === 204 || status === 304 ? empty : { 'content-length': '0' }
      response.writeHead(status, this.#headers({ ...length, ...own }))
    }
    response.end(body)
    return status
  }

  /** On top of what clients leave untaken; what is larger than all that goes alone. */
  #isTooMuch(bytes: number): boolean {
    const { metrics, config } = this.#gateway
    const { answerBytes } = metrics
    return answerBytes > 0 && answerBytes + bytes > config.get('http.answer.unsent.max.bytes')
  }

  /** Nothing more comes over this connection: who asks for much and takes nothing shall not ask for more. */
  #refusal(): Problem {
    this.#gateway.metrics.answersRefused++
    return tooSlow
  }
}

const tooSlow = new Problem(
  503,
  'busy',
  'Too much at once',
  'Clients of this node leave too many answers untaken; try again',
  {},
  { 'retry-after': '1', connection: 'close' },
)

/** A page of another origin may send these without asking, and an older browser does not say for whom. */
const isFormLike = (type: string): boolean =>
  type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data' || type === 'text/plain'

function unaskedFor(type: string): Problem {
  const detail = `Nothing is taken as ${type}, which any web page may send: say what it is, such as application/json`
  return new Problem(415, 'unsupported-media-type', 'The body is of another kind', detail)
}

class ResponseOutlet implements Outlet {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
    // The headers tell the client that it is connected; the first piece may take its time.
    response.flushHeaders()
  }

  get gone(): boolean {
    return this.#response.destroyed
  }

  write(chunk: string | Uint8Array): boolean {
    return this.gone || this.#response.write(chunk)
  }

  drained(): Promise<void> {
    const response = this.#response
    if (this.gone || !response.writableNeedDrain) return Promise.resolve()
    return new Promise(resolve => {
      const done = () => {
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.on('drain', done)
      response.on('close', done)
    })
  }

  get unsent(): number {
    return this.#response.writableLength
  }

  onDrain(run: () => void): void {
    this.#response.on('drain', run)
  }

  destroy(): void {
    this.#response.destroy()
  }

  end(): HttpAnswer {
    if (!this.gone) this.#response.end()
    return { sent: true }
  }
}

/** A target may be a whole address, whose host then counts (RFC 9112, 3.2.2). */
function targetOf(url: string): { path: string; host?: string } {
  if (url.startsWith('/') || url === '*') return { path: url }
  const parts = /^http:\/\/([^/?#]+)([/?].*)?$/i.exec(url)
  if (parts === null) return { path: '/' }
  const path = parts[2] ?? '/'
  return { path: path.startsWith('/') ? path : `/${path}`, host: parts[1]! }
}
