import type { Gateway } from '../gateway.ts'
import type { Schema } from './schema.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly description: string
  /** A path parameter always is. */
  readonly required?: boolean
  readonly schema: Schema
  readonly example?: unknown
}

export interface Content {
  readonly schema: Schema
  readonly example?: unknown
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>
  /** By media type. */
  readonly content?: Readonly<Record<string, Content>>
}

/** What OpenAPI 3.1 calls an operation: what one route takes and gives. */
export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  /** The chapter in which the documentation shows it. */
  readonly tags: readonly string[]
  /** Checked before `handle` is called, which finds them in `request.inputs`; what else comes in a query is an error. */
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly description?: string
    readonly content: Readonly<Record<string, Content>>
  }
  /** By status. Problems (4XX, 5XX) are added to all. */
  readonly responses: Readonly<Record<string, Response>>
}

/** One method of one resource. */
export interface Route {
  readonly method: Method
  /** With parameters in braces: `/topics/{topic}/records`. */
  readonly path: string
  readonly operation: Operation
  handle(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> | HttpAnswer
}

export interface HttpRequest {
  readonly method: string
  /** As it came, without the query; not decoded. */
  readonly path: string
  /** Those of the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /**
   * The operation's parameters, checked: numbers and booleans where their schemas say so, defaults for what was left out. A
   * parameter that was left out and has no default is missing here.
   */
  readonly inputs: Readonly<Record<string, unknown>>
  /** `http://host:port`, as the client reached us. */
  readonly base: string
  /** Address of the client. */
  readonly remote: string
  /** Names are in small letters. Null when it did not come. */
  header(name: string): string | null
  /** Those whose names begin so, in small letters, in the order in which they came. */
  headers(prefix: string): readonly (readonly [name: string, value: string])[]
  /** The media type, in small letters and without its parameters; '' when none was said. */
  readonly contentType: string
  /** The whole body, also after `json`. Throws Problem 413 above `limit` bytes (default: `http.request.max.bytes`), 415 when it is encoded, 503. */
  body(limit?: number): Promise<Buffer>
  /** The body as JSON. Throws Problem 415 unless its type says so, 400 unless it is, and unless it fits `requestBody`. */
  json<T = unknown>(limit?: number): Promise<T>
  /** The body as it comes, never held as a whole: who does not ask for more makes the client wait. Throws as `body`. */
  pieces(): AsyncIterable<Buffer>
  /** Counts bytes that are kept of such pieces; negative: no longer. Throws Problem 503 when requests hold too much. */
  hold(bytes: number): void
  /** Aborted when the client goes. */
  readonly signal: AbortSignal
  /** Begins an answer that is written piece by piece. */
  respond(status: number, headers?: Readonly<Record<string, string>>): Outlet
}

/** An answer under way. */
export interface Outlet {
  /** The client is gone; what is written is thrown away. */
  readonly gone: boolean
  /** False: the client is behind, wait for `drained` before more is made. */
  write(chunk: string | Uint8Array): boolean
  /** Fulfilled when there is room again, or the client is gone. */
  drained(): Promise<void>
  /** Bytes that were written and have not been taken yet. */
  readonly unsent: number
  /** Called whenever everything that was written has been taken, after `write` said false. */
  onDrain(run: () => void): void
  /** Ends the connection at once: what has not been taken is lost. */
  destroy(): void
  /** Nothing more comes. What a handler returns at the end. */
  end(): HttpAnswer
}

/** At most one of `json` and `bytes`; neither: no body. */
export interface HttpAnswer {
  /** Default: 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly bytes?: Uint8Array | string
  /** Media type of `bytes`, default `application/octet-stream`; of `json` when it is a special one. */
  readonly type?: string
  /** It was sent already, through an Outlet. */
  readonly sent?: true
}
