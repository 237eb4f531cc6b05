// One socket to a broker and the bytes on it. Requests are pipelined as they come; answers are matched strictly in order,
// so that a broker which mixes them up is found out.
import { connect, type Socket } from 'node:net'
import { readResponse, requestFrame } from '../../src/protocol/header.ts'
import type { Api, Fields, FieldsIn } from '../../src/protocol/schema.ts'

type Answer<Response extends Fields> = ReturnType<Api<Fields, Response>['response']['read']>

interface Waiting {
  resolve(frame: Buffer): void
  reject(error: Error): void
}

export class Wire {
  readonly socket: Socket
  /** When nothing can come any more. */
  readonly closed: Promise<void>
  readonly #waiting: Waiting[] = []
  readonly #frames: Buffer[] = []
  #received: Buffer = Buffer.alloc(0)
  #correlationId = 0
  #ended = false

  static open(port: number, host = '127.0.0.1'): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => resolve(new Wire(socket)))
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', data => {
      this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
      this.#cut()
    })
    this.closed = new Promise(resolve => {
      const ended = () => {
        this.#ended = true
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('the broker closed the connection'))
        resolve()
      }
      socket.on('end', ended).on('close', ended)
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The answer; rejects when the broker closed the connection instead. */
  async ask<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    request: FieldsIn<Request>,
    clientId: string | null = 'test',
  ): Promise<Answer<Response>> {
    const id = this.tell(api, version, request, clientId)
    return readResponse(api, version, id, await this.frame())
  }

  /** Sends without waiting for an answer; returns the correlation id. */
  tell<Request extends Fields>(
    api: Api<Request>,
    version: number,
    request: FieldsIn<Request>,
    clientId: string | null = 'test',
  ): number {
    const id = this.#correlationId++
    this.socket.write(Buffer.concat(requestFrame(api, version, id, clientId, request)))
    return id
  }

  /** The next answer, whatever it is, without its length. */
  frame(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const frame = this.#frames.shift()
      if (frame !== undefined) resolve(frame)
      else if (this.#ended) reject(new Error('the broker closed the connection'))
      else this.#waiting.push({ resolve, reject })
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #cut(): void {
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      const frame = this.#received.subarray(4, end)
      this.#received = this.#received.subarray(end)
      const first = this.#waiting.shift()
      if (first === undefined) this.#frames.push(frame)
      else first.resolve(frame)
    }
  }
}
