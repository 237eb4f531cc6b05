import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after } from 'node:test'
import { type BrokerOptions, type RunningBroker, startBroker } from '../../src/index.ts'

const running = new Set<RunningBroker>()

after(async () => {
  await Promise.all([...running].map(broker => broker.stop()))
})

/** A broker that is stopped after the tests of the file, if it was not before. */
export async function start(options: BrokerOptions = {}): Promise<RunningBroker & { readonly url: string }> {
  const broker = await startBroker(options)
  running.add(broker)
  return { ...broker, url: `http://127.0.0.1:${broker.port}` }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what came, whatever it is.
  readonly json: any
}

/** One request over a real socket. `body` that is no text is sent as JSON. */
export async function ask(
  url: string,
  options: { method?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { body, headers = {}, ...rest } = options
  const plain = body === undefined || typeof body === 'string' || body instanceof Uint8Array
  const response = await fetch(url, {
    ...rest,
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(plain ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: plain ? (body as string) : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : null,
  }
}

/** One number of the page of metrics; 0 where it is not there. NaN when the page was refused. */
export async function metricOf(url: string, name: string): Promise<number> {
  const { status, text } = await ask(`${url}/metrics`)
  if (status !== 200) return Number.NaN
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
}

/** Rejects when it does not become so. */
export async function until(holds: () => Promise<boolean> | boolean, ms = 5000): Promise<void> {
  for (const end = performance.now() + ms; !(await holds()); await sleep(10))
    if (performance.now() > end) throw new Error(`not so after ${ms} ms: ${holds}`)
}

/** A connection of which every byte is ours. */
export class Raw {
  readonly socket: Socket
  #got = ''
  ended = false

  static async open(port: number): Promise<Raw> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    await once(socket, 'connect')
    return new Raw(socket)
  }

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', chunk => {
      this.#got += chunk.toString('latin1')
    })
    socket.on('end', () => {
      this.ended = true
      socket.end()
    })
    socket.on('close', () => {
      this.ended = true
    })
    socket.on('error', () => {})
  }

  get got(): string {
    return this.#got
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Until what came matches, or the end. */
  async until(pattern: RegExp, ms = 3000): Promise<string> {
    const end = performance.now() + ms
    while (!pattern.test(this.#got) && !this.ended) {
      if (performance.now() > end) throw new Error(`${pattern} did not come in ${ms} ms: ${this.#got.slice(0, 500)}`)
      await sleep(5)
    }
    return this.#got
  }

  /** Until the other side has closed. */
  async closed(ms = 3000): Promise<string> {
    const end = performance.now() + ms
    while (!this.ended) {
      if (performance.now() > end) throw new Error(`it is still open after ${ms} ms: ${this.#got.slice(0, 500)}`)
      await sleep(5)
    }
    return this.#got
  }

  close(): void {
    this.socket.destroy()
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Not every machine with Node has it. */
export function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0
}
