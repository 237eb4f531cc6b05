// A client that sends whatever it is told to, one request at a time: for what real clients never do.
import { connect, type Socket } from 'node:net'
import { readResponse, requestFrame } from '../../src/protocol/header.ts'
import type { Api, Fields, FieldsIn } from '../../src/protocol/schema.ts'

export class RawClient {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #waiting: ((frame: Buffer | null) => void) | null = null
  #correlationId = 0
  #ended = false

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', data => {
      this.#received = Buffer.concat([this.#received, data])
      this.#deliver()
    })
    const end = (): void => {
      this.#ended = true
      this.#waiting?.(null)
    }
    this.#socket.on('error', end).on('close', end)
  }

  /** The response; null when the broker closed the connection instead. */
  async send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    version: number,
    request: FieldsIn<Request>,
    clientId = 'raw',
  ): Promise<ReturnType<Api<Request, Response>['response']['read']> | null> {
    const id = this.#correlationId++
    for (const chunk of requestFrame(api, version, id, clientId, request)) this.#socket.write(chunk)
    const frame = await new Promise<Buffer | null>(resolve => {
      this.#waiting = resolve
      if (this.#ended) resolve(null)
      else this.#deliver()
    })
    return frame === null ? null : readResponse(api, version, id, frame)
  }

  close(): void {
    this.#socket.destroy()
  }

  #deliver(): void {
    if (this.#waiting === null || this.#received.length < 4) return
    const size = this.#received.readInt32BE(0)
    if (this.#received.length < 4 + size) return
    const frame = this.#received.subarray(4, 4 + size)
    this.#received = this.#received.subarray(4 + size)
    const waiting = this.#waiting
    this.#waiting = null
    waiting(frame)
  }
}
