/**
 * Redis' protocol (RESP3, and what of RESP2 servers still send): https://redis.io/docs/latest/develop/reference/protocol-spec.
 * What a server says, as far as it is used here: maps and sets come as flat lists, bulk strings as bytes.
 */
export type Reply = string | Buffer | number | boolean | null | RedisError | Reply[]

/** The server has said no; `code` is the first word (`NOAUTH`, `READONLY`, …). */
export class RedisError extends Error {
  override readonly name = 'RedisError'
  readonly code: string

  constructor(message: string) {
    super(message)
    this.code = /^[A-Z]+/.exec(message)?.[0] ?? 'ERR'
  }
}

export type Argument = string | number | Uint8Array

const crlf = Buffer.from('\r\n')

/** A command as servers take it: a list of bulk strings. */
export function encodeCommand(args: readonly Argument[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let text = `*${args.length}\r\n`
  for (const arg of args) {
    if (arg instanceof Uint8Array) {
      chunks.push(Buffer.from(`${text}$${arg.length}\r\n`), arg)
      text = '\r\n'
    } else {
      const value = String(arg)
      text += `$${Buffer.byteLength(value)}\r\n${value}\r\n`
    }
  }
  chunks.push(Buffer.from(text))
  return chunks
}

export interface ReplyLimits {
  /** Bytes of one string. */
  readonly stringBytes: number
  /** Elements of one list. */
  readonly elements: number
}

const maxDepth = 8
const firstBytes = 16 * 1024
const lineBytes = 64 * 1024

/** Cuts what a server sends into replies, however it arrives. */
export class ReplyReader {
  readonly #limits: ReplyLimits
  readonly #reply: (reply: Reply, push: boolean) => void
  readonly #parser: Generator<void, never, void>
  #bytes = Buffer.allocUnsafe(firstBytes)
  #from = 0
  #to = 0
  #room = Buffer.alloc(0)

  /** `push`: the reply answers nothing. */
  constructor(reply: (reply: Reply, push: boolean) => void, limits: ReplyLimits) {
    this.#reply = reply
    this.#limits = limits
    this.#parser = this.#replies()
    this.#parser.next()
  }

  /** Memory for what comes next. */
  space(): Uint8Array {
    if (this.#from > 0) {
      this.#bytes.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
    }
    if (this.#bytes.length - this.#to < firstBytes / 2) {
      const larger = Buffer.allocUnsafe(2 * this.#bytes.length)
      this.#bytes.copy(larger, 0, 0, this.#to)
      this.#bytes = larger
    }
    this.#room = this.#bytes.subarray(this.#to)
    return this.#room
  }

  /** So many bytes of that memory are filled. Throws when they are no replies, or too large ones. */
  data(bytes: number): void {
    this.#to += bytes
    this.#parser.next()
  }

  *#replies(): Generator<void, never, void> {
    for (;;) {
      while (this.#from === this.#to) yield
      const push = this.#bytes[this.#from] === 0x3e // >
      const reply = yield* this.#value(0)
      this.#reply(reply, push)
    }
  }

  *#value(depth: number): Generator<void, Reply, void> {
    const line = yield* this.#line()
    const text = line.slice(1)
    switch (line[0]) {
      case '+':
      case '(':
        return text
      case '-':
        return new RedisError(text)
      case ':':
      case ',':
        return Number(text)
      case '#':
        return text === 't'
      case '_':
        return null
      case '$':
      case '=':
        return yield* this.#string(Number(text))
      case '!': {
        const bytes = yield* this.#string(Number(text))
        return new RedisError(String(bytes))
      }
      case '*':
      case '~':
      case '>':
        return yield* this.#list(Number(text), depth)
      case '%':
        return yield* this.#list(2 * Number(text), depth)
      default:
        throw new Error('it does not speak the protocol of Redis')
    }
  }

  *#line(): Generator<void, string, void> {
    for (let searched = 0; ; ) {
      const at = this.#bytes.subarray(0, this.#to).indexOf(crlf, this.#from + searched)
      if (at >= 0) {
        const line = this.#bytes.toString('latin1', this.#from, at)
        this.#from = at + 2
        return line
      }
      searched = Math.max(0, this.#to - this.#from - 1)
      if (searched > lineBytes) throw new Error('it does not speak the protocol of Redis')
      yield
    }
  }

  *#string(length: number): Generator<void, Buffer | null, void> {
    if (length === -1) return null
    if (!(length >= 0 && length <= this.#limits.stringBytes)) throw new Error(`it sends a string of ${length} bytes`)
    while (this.#to - this.#from < length + 2) yield
    // A copy: the memory is used again.
    const bytes = Buffer.from(this.#bytes.subarray(this.#from, this.#from + length))
    this.#from += length + 2
    return bytes
  }

  *#list(length: number, depth: number): Generator<void, Reply, void> {
    if (length === -1) return null
    if (!(length >= 0 && length <= this.#limits.elements) || depth === maxDepth) {
      throw new Error(`it sends a list of ${length} elements`)
    }
    const list: Reply[] = []
    for (let i = 0; i < length; i++) list.push(yield* this.#value(depth + 1))
    return list
  }
}
