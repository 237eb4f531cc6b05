import type { Formatter, Message } from './message.ts'
import type { Terminal } from './terminal.ts'

/** Gathers what messages look like and writes it in large pieces, no faster than the reader takes it. */
export class Output {
  readonly #format: Formatter
  readonly #stream: Terminal['stdout']
  #parts: Buffer[] = []
  #text = ''
  #closed = false

  constructor(format: Formatter, stream: Terminal['stdout']) {
    this.#format = format
    this.#stream = stream
    stream.once('close', () => this.close())
  }

  add(message: Message): void {
    for (const part of this.#format(message)) {
      if (typeof part === 'string') {
        this.#text += part
        continue
      }
      this.#endText()
      this.#parts.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength))
    }
  }

  /** Fulfilled when there is room for more, or nobody reads any more. */
  flush(): Promise<void> {
    this.#endText()
    const whole = Buffer.concat(this.#parts)
    this.#parts = []
    if (this.#closed || whole.length === 0 || this.#stream.write(whole)) return Promise.resolve()
    return new Promise(resolve => {
      this.#stream.once('drain', resolve)
      this.#waiting.push(resolve)
    })
  }

  readonly #waiting: (() => void)[] = []

  /** Nobody reads any more. */
  close(): void {
    this.#closed = true
    for (const run of this.#waiting.splice(0)) run()
  }

  #endText(): void {
    if (this.#text !== '') this.#parts.push(Buffer.from(this.#text))
    this.#text = ''
  }
}
