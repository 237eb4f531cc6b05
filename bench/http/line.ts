import { connect, type Socket } from 'node:net'

export interface Answer {
  /** 0: the connection is gone. */
  readonly status: number
  readonly body: Buffer
}

const nothing: Buffer = Buffer.alloc(0)
const gone: Answer = { status: 0, body: nothing }
const headEnd = '\r\n\r\n'

/** One connection that stays, one request at a time: HTTP/1.1 by hand, so that the load costs less than what it loads. */
export class Line {
  readonly #socket: Socket
  #head: Buffer = nothing
  #status = 0
  /** Of the body that comes; −1: the head is not whole yet. */
  #missing = -1
  #pieces: Buffer[] = []
  #answered: ((answer: Answer) => void) | null = null
  #closed = false

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.#closed = true
      this.#answered?.(gone)
    })
  }

  ask(request: Buffer | string): Promise<Answer> {
    if (this.#closed) return Promise.resolve(gone)
    this.#socket.write(request)
    return new Promise(resolve => {
      this.#answered = resolve
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    if (this.#missing < 0) this.#begin(chunk)
    else this.#take(chunk)
    if (this.#missing !== 0) return
    this.#missing = -1
    const body = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#answered?.({ status: this.#status, body })
  }

  #begin(chunk: Buffer): void {
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
    const end = this.#head.indexOf(headEnd)
    if (end < 0) return
    const head = this.#head.toString('latin1', 0, end)
    this.#status = Number(head.slice(9, 12))
    const length = /content-length: *(\d+)/i.exec(head)?.[1]
    if (length === undefined && this.#status !== 204) throw new Error(`an answer without a length: ${head}`)
    this.#missing = Number(length ?? 0)
    const rest = this.#head.subarray(end + headEnd.length)
    this.#head = nothing
    this.#take(rest)
  }

  #take(piece: Buffer): void {
    this.#missing -= piece.length
    if (piece.length > 0) this.#pieces.push(piece)
  }
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly type?: string
  readonly accept?: string
  readonly body?: string
}

/** A request as it goes over the line. */
export function questionBytes({ method, path, type, accept, body }: Question): Buffer {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost']
  if (accept !== undefined) head.push(`Accept: ${accept}`)
  if (body !== undefined) head.push(`Content-Type: ${type ?? 'application/json'}`)
  if (method !== 'GET') head.push(`Content-Length: ${Buffer.byteLength(body ?? '')}`)
  return Buffer.from(`${head.join('\r\n')}${headEnd}${body ?? ''}`)
}
