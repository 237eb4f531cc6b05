import type { Codec } from './codec.ts'
import { compile } from './compile.ts'
import { interpret } from './interpret.ts'
import type { StructLayout } from './layout.ts'
import { layOut } from './layout.ts'
import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import type { Fields, FieldsIn, FieldsOut } from './types.ts'
import type { VersionRange, Versions } from './versions.ts'
import { includes, parseVersions } from './versions.ts'
import { Writer } from './writer.ts'

export { INT64_MAX } from './reader.ts'
export * from './types.ts'
export type { VersionRange, Versions } from './versions.ts'

export interface MessageOptions {
  /** Versions with compact lengths and tagged fields (KIP-482); none when left out. */
  readonly flexible?: Versions | 'none'
}

/** Which compiler makes the codecs: chosen once, by whether the process may generate code. */
const makeCodec = mayGenerateCode() ? compile : interpret

function mayGenerateCode(): boolean {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

/** A struct with versions of its own: a request, a response, or a record. Codecs are made on first use of a version. */
export class Message<F extends Fields> {
  readonly name: string
  readonly versions: VersionRange
  readonly flexibleVersions: VersionRange
  readonly fields: F
  private readonly codecs: (Codec<FieldsOut<F>, FieldsIn<F>> | undefined)[] = []

  constructor(name: string, versions: Versions, options: MessageOptions, fields: F) {
    this.name = name
    this.versions = parseVersions(versions)
    this.flexibleVersions = parseVersions(options.flexible ?? 'none')
    this.fields = fields
  }

  isFlexible(version: number): boolean {
    return includes(this.flexibleVersions, version)
  }

  supports(version: number): boolean {
    return includes(this.versions, version)
  }

  /** The fields as one version has them. Throws `ProtocolError` for a version that does not exist. */
  layout(version: number): StructLayout {
    if (!Number.isInteger(version) || !this.supports(version)) {
      throw new ProtocolError(`${this.name} has no version ${version}`)
    }
    return layOut(this.fields, version, this.isFlexible(version))
  }

  private codec(version: number): Codec<FieldsOut<F>, FieldsIn<F>> {
    const known = this.codecs[version]
    if (known !== undefined) return known
    const codec = makeCodec<FieldsOut<F>, FieldsIn<F>>(this.layout(version))
    this.codecs[version] = codec
    return codec
  }

  /**
   * Reads one value; whatever follows it is left alone. Byte fields are views of `bytes`. Absent fields have their default.
   * Throws `ProtocolError` for anything that is not such a message.
   */
  read(bytes: Uint8Array, version: number, offset = 0): FieldsOut<F> {
    return this.readFrom(new Reader(bytes, offset), version)
  }

  /** Reads one value at the reader's position and moves it behind the value. */
  readFrom(reader: Reader, version: number): FieldsOut<F> {
    const codec = this.codecs[version] ?? this.codec(version)
    try {
      return codec.read(reader)
    } catch (error) {
      throw this.named(error, 'reading', version)
    }
  }

  /** Throws `ProtocolError` when the value does not fit the schema or says something that the version cannot carry. */
  write(writer: Writer, version: number, value: FieldsIn<F>): void {
    const codec = this.codecs[version] ?? this.codec(version)
    try {
      codec.write(writer, value)
    } catch (error) {
      throw this.named(error, 'writing', version)
    }
  }

  toBytes(version: number, value: FieldsIn<F>): Buffer {
    const writer = new Writer()
    this.write(writer, version, value)
    return writer.toBytes()
  }

  private named(error: unknown, doing: string, version: number): unknown {
    if (!(error instanceof ProtocolError)) return error
    return new ProtocolError(`${doing} ${this.name} v${version}: ${error.message}`, { cause: error })
  }
}

/** A message outside of requests: a record, a key, a value. */
export function message<const F extends Fields>(
  name: string,
  versions: Versions,
  options: MessageOptions,
  fields: F,
): Message<F> {
  return new Message(name, versions, options, fields)
}

/** One of Kafka's APIs: a number, its versions, its two messages. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly request: Message<Request>
  readonly response: Message<Response>
}

export function api<const Request extends Fields, const Response extends Fields>(
  key: number,
  name: string,
  versions: Versions,
  options: MessageOptions,
  request: Request,
  response: Response,
): Api<Request, Response> {
  return {
    key,
    name,
    versions: parseVersions(versions),
    request: new Message(`${name}Request`, versions, options, request),
    response: new Message(`${name}Response`, versions, options, response),
  }
}

/** What reading gives, for a message or for a group of fields. */
export type Out<T> = T extends Message<infer F> ? FieldsOut<F> : T extends Fields ? FieldsOut<T> : never
/** What writing takes, for a message or for a group of fields. */
export type In<T> = T extends Message<infer F> ? FieldsIn<F> : T extends Fields ? FieldsIn<T> : never

/** A request as its handler gets it. */
export type RequestOf<A> = A extends Api<infer Request, infer _> ? FieldsOut<Request> : never
/** A response as a handler gives it. */
export type ResponseOf<A> = A extends Api<infer _, infer Response> ? FieldsIn<Response> : never
/** A request as a client writes it. */
export type RequestInput<A> = A extends Api<infer Request, infer _> ? FieldsIn<Request> : never
/** A response as a client gets it. */
export type ResponseOutput<A> = A extends Api<infer _, infer Response> ? FieldsOut<Response> : never
