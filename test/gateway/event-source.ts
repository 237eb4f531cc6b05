import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** An event as a browser hands it on. */
export interface ServerSentEvent {
  readonly type: string
  readonly data: string
  readonly lastEventId: string
}

/** Reads a stream as WHATWG HTML, 9.2.6, says. Blank lines end events; an event without data only sets the id. */
export class EventParser {
  lastEventId = ''
  retryMs: number | null = null
  comments = 0
  readonly #take: (event: ServerSentEvent) => void
  #rest = ''
  #id = ''
  #type = ''
  #data: string[] = []

  constructor(take: (event: ServerSentEvent) => void) {
    this.#take = take
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line)
  }

  #line(line: string): void {
    if (line === '') this.#dispatch()
    else if (line.startsWith(':')) this.comments++
    else this.#field(line)
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (field === 'data') this.#data.push(value)
    else if (field === 'event') this.#type = value
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value)
  }

  #dispatch(): void {
    this.lastEventId = this.#id
    const [type, data] = [this.#type || 'message', this.#data]
    this.#type = ''
    this.#data = []
    if (data.length > 0) this.#take({ type, data: data.join('\n'), lastEventId: this.lastEventId })
  }
}

export interface Received {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: unknown
}

/** One stream of events, for tests: keeps what came, can stop reading, and does not come back by itself. */
export class Subscriber {
  readonly events: ServerSentEvent[] = []
  status = 0
  headers: IncomingMessage['headers'] = {}
  body = ''
  ended = false
  readonly parser = new EventParser(event => this.events.push(event))
  readonly #request: ClientRequest
  #response: IncomingMessage | null = null

  /** Resolves when the stream is open; what is none has `status` and, soon, `body`. */
  static open(url: string, lastEventId: string | null = null): Promise<Subscriber> {
    return new Promise((resolve, reject) => {
      const headers = { accept: 'text/event-stream', ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }) }
      const asked = request(url, { headers, agent: false })
      const subscriber = new Subscriber(asked)
      asked.on('response', response => {
        subscriber.#begun(response)
        resolve(subscriber)
      })
      asked.on('error', reject)
      asked.end()
    })
  }

  private constructor(request: ClientRequest) {
    this.#request = request
    request.on('close', () => {
      this.ended = true
    })
  }

  #begun(response: IncomingMessage): void {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      if (this.status === 200) this.parser.push(text)
      else this.body += text
    })
    response.on('error', () => {})
    this.#request.on('error', () => {})
  }

  /** Those with records. */
  get records(): Received[] {
    return this.events.filter(({ type }) => type === 'message').map(({ data }) => JSON.parse(data) as Received)
  }

  /** Of other types than `message`, as `type data`. */
  get notices(): string[] {
    return this.events.filter(({ type }) => type !== 'message').map(({ type, data }) => `${type} ${data}`)
  }

  /** What is sent back when it comes again. */
  get lastEventId(): string {
    return this.parser.lastEventId
  }

  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  async until(what: () => boolean, ms = 5000): Promise<void> {
    for (const end = performance.now() + ms; !what(); await sleep(5))
      if (performance.now() > end) throw new Error(`not so after ${ms} ms: ${what} (${this.events.length} events)`)
  }

  async got(records: number, ms = 5000): Promise<Received[]> {
    await this.until(() => this.events.length >= records && this.records.length >= records, ms)
    return this.records
  }

  close(): void {
    this.#request.destroy()
  }
}
