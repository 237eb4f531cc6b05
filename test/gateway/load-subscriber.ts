import { connect, type Socket } from 'node:net'
import { EventParser, type ServerSentEvent } from './event-source.ts'

/** ms before it comes again, as the stream says; spread, as browsers are. */
const retryMs = 1000

/**
 * One of very many subscribers, on a socket of its own. Chunks are not unpacked: each holds whole events, and the line with
 * its size is no field that a reader of events knows. It checks each event: the id must be the one before with one more in
 * the partition of the record. So nothing is lost, doubled or out of order as long as `error` is null.
 */
export class LoadSubscriber {
  received = 0
  reconnects = 0
  error: string | null = null
  readonly #port: number
  readonly #topic: string
  readonly #position: number[]
  #socket: Socket | null = null
  #lastEventId = ''
  #delays: number[] = []
  #closed = false

  constructor(port: number, topic: string, partitions: number) {
    this.#port = port
    this.#topic = topic
    this.#position = new Array<number>(partitions).fill(0)
  }

  /** Resolves when the stream has begun. The topic must be empty then. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1' })
      this.#socket = socket
      const parser = new EventParser(event => this.#took(event))
      let head = ''
      let begun = false
      socket.setEncoding('latin1')
      const resume = this.#lastEventId === '' ? '' : `Last-Event-ID: ${this.#lastEventId}\r\n`
      socket.write(`GET /topics/${this.#topic}/events HTTP/1.1\r\nHost: localhost\r\n${resume}\r\n`)
      socket.on('data', chunk => {
        const text = chunk as unknown as string
        if (begun) {
          parser.push(text)
          return
        }
        head += text
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        if (!head.startsWith('HTTP/1.1 200 ')) {
          socket.destroy(new Error(head))
          return
        }
        begun = true
        parser.push(head.slice(end + 4))
        resolve()
      })
      socket.on('error', reject)
      socket.on('close', () => {
        reject(new Error('closed'))
        this.#lastEventId = parser.lastEventId || this.#lastEventId
        if (begun) this.#comeAgain()
      })
    })
  }

  takeDelays(): number[] {
    return this.#delays.splice(0)
  }

  describe(): string {
    return `${this.received} received, at ${this.#position}, last id ${this.#lastEventId}, ${this.reconnects} times again`
  }

  close(): void {
    this.#closed = true
    this.#socket?.destroy()
  }

  #comeAgain(): void {
    if (this.#closed) return
    setTimeout(
      () => {
        this.open().then(
          () => this.reconnects++,
          () => this.#comeAgain(),
        )
      },
      retryMs * (0.5 + Math.random()),
    )
  }

  #took({ data, lastEventId }: ServerSentEvent): void {
    const { partition, offset, value } = JSON.parse(data) as {
      partition: number
      offset: number
      value: { at: number }
    }
    const expected = this.#position[partition]!
    if (offset !== expected)
      this.error ??= `offset ${offset} of partition ${partition} instead of ${expected}; ${this.describe()}`
    this.#position[partition] = offset + 1
    const id = this.#position.join(',')
    if (!lastEventId.startsWith(`${id}@`)) this.error ??= `id ${lastEventId} instead of ${id}`
    this.#lastEventId = lastEventId
    this.received++
    this.#delays.push(Date.now() - value.at)
  }
}
