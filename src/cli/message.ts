/** A record as the command line shows it. */
export interface Message {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** ms since 1970; −1: none. */
  readonly timestamp: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
}

export interface Header {
  readonly key: string
  readonly value: Uint8Array | null
}

/** Writes one message; text and bytes in order. Payloads stay bytes, so that binary ones come out as they went in. */
export type Formatter = (message: Message) => (string | Uint8Array)[]
