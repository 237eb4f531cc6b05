import { ProtoReader, WireError, WireType } from './reader.ts'
import { ProtoWriter, varintSize } from './writer.ts'

/**
 * Protocol buffers (proto3) from one declaration table: types by inference, the codec, and through `descriptor.ts` what
 * reflection tells. The `.proto` files beside it say the same to people and to other languages; a test compares them.
 */

/** `FieldDescriptorProto.Type`. */
const Type = { int64: 3, int32: 5, bool: 8, string: 9, message: 11, bytes: 12, uint32: 13, enum: 14 } as const

/** How one value of a field is written. */
interface Kind<Out, In> {
  readonly type: number
  readonly wire: number
  /** Of a message or an enum, to which a descriptor refers. */
  readonly of: Message<Fields> | Enumeration | null
  readonly zero: () => Out
  isZero(value: In): boolean
  /** Bytes, with a length in front where the format wants one. */
  size(value: In): number
  write(writer: ProtoWriter, value: In): void
  read(reader: ProtoReader): Out
}

export type Label = 'implicit' | 'optional' | 'repeated' | 'map'

interface Spec {
  readonly number: number
  // biome-ignore lint/suspicious/noExplicitAny: fields of any kind stand in one table
  readonly kind: Kind<any, any>
  readonly label: Label
  readonly oneof: string | null
  /** Where it is not the table's name in snake case. */
  readonly name: string | null
}

/** A field of a message. Reading yields every field: absent ones at their default, null where absence can be told. */
export class Field<Out, In = Out> {
  declare readonly '~out': Out
  declare readonly '~in': In
  readonly spec: Spec

  constructor(spec: Spec) {
    this.spec = spec
  }

  /** Its absence is told from its default: null. */
  optional(): Field<Out | null, In | null> {
    return new Field({ ...this.spec, label: 'optional' })
  }

  repeated(): Field<readonly Out[], readonly In[]> {
    return new Field({ ...this.spec, label: 'repeated' })
  }

  /** One of those of which at most one is there. */
  in(oneof: string): Field<Out | null, In | null> {
    return new Field({ ...this.spec, label: 'optional', oneof })
  }

  /** What the `.proto` file calls it, where that is not snake case. */
  named(name: string): Field<Out, In> {
    return new Field({ ...this.spec, name })
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields of any kind
export type Fields = { readonly [name: string]: Field<any, any> }
export type FieldsOut<F extends Fields> = { readonly [K in keyof F]: F[K]['~out'] }
export type FieldsIn<F extends Fields> = { readonly [K in keyof F]?: F[K]['~in'] | undefined }
/** What reading such a message gives. */
export type Out<M> = M extends Message<infer F> ? FieldsOut<F> : never
/** What writing one takes: fields may be left out. */
export type In<M> = M extends Message<infer F> ? FieldsIn<F> : never

const field = <Out, In = Out>(number: number, kind: Kind<Out, In>): Field<Out, In> =>
  new Field({ number, kind, label: 'implicit', oneof: null, name: null })

const numbers = { wire: WireType.varint, of: null, zero: () => 0, isZero: (value: number) => value === 0 }
const write = (writer: ProtoWriter, value: number) => writer.varint(value)

const int32Kind: Kind<number, number> = {
  ...numbers,
  type: Type.int32,
  size: varintSize,
  write,
  read: reader => reader.int32(),
}
const int64Kind: Kind<number, number> = { ...int32Kind, type: Type.int64, read: reader => reader.int64() }
const uint32Kind: Kind<number, number> = { ...int32Kind, type: Type.uint32, read: reader => reader.uint32() }
const boolKind: Kind<boolean, boolean> = {
  type: Type.bool,
  wire: WireType.varint,
  of: null,
  zero: () => false,
  isZero: value => !value,
  size: () => 1,
  write: (writer, value) => writer.varint(value ? 1 : 0),
  read: reader => reader.bool(),
}
const stringKind: Kind<string, string> = {
  type: Type.string,
  wire: WireType.bytes,
  of: null,
  zero: () => '',
  isZero: value => value === '',
  size: value => {
    const length = Buffer.byteLength(value)
    return varintSize(length) + length
  },
  write: (writer, value) => {
    const length = Buffer.byteLength(value)
    writer.varint(length)
    writer.string(value, length)
  },
  read: reader => reader.string(),
}
const noBytes = new Uint8Array(0)
const bytesKind: Kind<Uint8Array, Uint8Array> = {
  type: Type.bytes,
  wire: WireType.bytes,
  of: null,
  zero: () => noBytes,
  isZero: value => value.length === 0,
  size: value => varintSize(value.length) + value.length,
  write: (writer, value) => {
    writer.varint(value.length)
    writer.raw(value)
  },
  read: reader => reader.bytes(),
}

export const int32 = (number: number): Field<number> => field(number, int32Kind)
/** Safe integers only. */
export const int64 = (number: number): Field<number> => field(number, int64Kind)
export const uint32 = (number: number): Field<number> => field(number, uint32Kind)
export const bool = (number: number): Field<boolean> => field(number, boolKind)
export const string = (number: number): Field<string> => field(number, stringKind)
/** What was read is a view of the message's bytes. */
export const bytes = (number: number): Field<Uint8Array> => field(number, bytesKind)

/** Values are plain numbers, also those that are not in the table: proto3's enums are open. */
export class Enumeration {
  readonly fullName: string
  readonly values: Readonly<Record<string, number>>

  constructor(fullName: string, values: Readonly<Record<string, number>>) {
    this.fullName = fullName
    this.values = values
  }
}

export const enumeration = (of: Enumeration, number: number): Field<number> =>
  field(number, { ...int32Kind, type: Type.enum, of })

/** A message inside of another one; null when it is not there. */
export function nested<F extends Fields>(
  of: Message<F>,
  number: number,
): Field<FieldsOut<F> | null, FieldsIn<F> | null> {
  return field(number, nestedKind(of)).optional()
}

export function repeated<F extends Fields>(
  of: Message<F>,
  number: number,
): Field<readonly FieldsOut<F>[], readonly FieldsIn<F>[]> {
  return field(number, nestedKind(of)).repeated()
}

/** `map<string, …>`. */
export function mapOf<F extends Fields>(
  of: Message<F>,
  number: number,
): Field<ReadonlyMap<string, FieldsOut<F>>, ReadonlyMap<string, FieldsIn<F>>> {
  const entry = new Message('', { key: string(1), value: nested(of, 2) })
  return new Field({ number, kind: nestedKind(entry), label: 'map', oneof: null, name: null })
}

/** `map<string, string>`. */
export function mapOfStrings(number: number): Field<ReadonlyMap<string, string>> {
  const entry = new Message('', { key: string(1), value: string(2) })
  return new Field({ number, kind: nestedKind(entry), label: 'map', oneof: null, name: null })
}

function nestedKind<F extends Fields>(of: Message<F>): Kind<FieldsOut<F>, FieldsIn<F>> {
  return {
    type: Type.message,
    wire: WireType.bytes,
    of: of as unknown as Message<Fields>,
    zero: () => of.zero(),
    isZero: () => false,
    size: value => {
      const size = of.size(value)
      return varintSize(size) + size
    },
    write: (writer, value) => {
      writer.varint(of.size(value))
      of.write(writer, value)
    },
    read: reader => {
      let value: FieldsOut<F> | null = null
      reader.delimited(() => {
        value = of.read(reader)
      })
      return value!
    },
  }
}

interface Compiled {
  readonly key: string
  readonly spec: Spec
  /** Number and wire type, as they stand before a value. */
  readonly tag: number
  readonly tagSize: number
  /** Other members of the same oneof. */
  readonly rivals: readonly string[]
}

type Values = Record<string, unknown>

/** A message type: what its table says, as code. */
export class Message<F extends Fields> {
  readonly fullName: string
  readonly fields: F
  readonly #compiled: readonly Compiled[]
  readonly #byNumber: ReadonlyMap<number, Compiled>
  readonly #zero: Values

  constructor(fullName: string, fields: F) {
    this.fullName = fullName
    this.fields = fields
    const entries = Object.entries(fields)
    this.#compiled = entries.map(([key, { spec }]) => {
      const packed = spec.label === 'repeated' && spec.kind.wire === WireType.varint
      const tag = (spec.number << 3) | (packed ? WireType.bytes : spec.kind.wire)
      const isRival = ([other, { spec: its }]: (typeof entries)[number]) => other !== key && its.oneof === spec.oneof
      const rivals = spec.oneof === null ? [] : entries.filter(isRival).map(([name]) => name)
      return { key, spec, tag, tagSize: varintSize(tag), rivals }
    })
    this.#byNumber = new Map(this.#compiled.map(each => [each.spec.number, each]))
    this.#zero = Object.fromEntries(entries.map(([key, { spec }]) => [key, zeroOf(spec)]))
  }

  /** Throws `WireError`. Bytes in what it gives are views of these. */
  decode(bytes: Uint8Array): FieldsOut<F> {
    return this.read(new ProtoReader(bytes))
  }

  /** Leaves `prefix` bytes free in front. */
  encode(value: FieldsIn<F>, prefix = 0): Buffer {
    const writer = new ProtoWriter(this.size(value), prefix)
    this.write(writer, value)
    return writer.bytes
  }

  zero(): FieldsOut<F> {
    return { ...this.#zero } as FieldsOut<F>
  }

  size(value: FieldsIn<F>): number {
    let size = 0
    for (const { key, spec, tagSize } of this.#compiled) {
      const { kind, label } = spec
      // biome-ignore lint/suspicious/noExplicitAny: the table's types hold at the entrance
      const it: any = value[key]
      if (it === undefined || it === null) continue
      if (label === 'repeated' && kind.wire === WireType.varint) {
        const length = packedSize(spec, it)
        if (it.length > 0) size += tagSize + varintSize(length) + length
      } else if (label === 'repeated') {
        for (const each of it) size += tagSize + kind.size(each)
      } else if (label === 'map') {
        for (const [key, value] of it) size += tagSize + kind.size({ key, value })
      } else if (label === 'optional' || !kind.isZero(it)) size += tagSize + kind.size(it)
    }
    return size
  }

  write(writer: ProtoWriter, value: FieldsIn<F>): void {
    for (const { key, spec, tag } of this.#compiled) {
      const { kind, label } = spec
      // biome-ignore lint/suspicious/noExplicitAny: the table's types hold at the entrance
      const it: any = value[key]
      if (it === undefined || it === null) continue
      if (label === 'repeated' && kind.wire === WireType.varint) {
        if (it.length === 0) continue
        writer.varint(tag)
        writer.varint(packedSize(spec, it))
        for (const each of it) kind.write(writer, each)
      } else if (label === 'repeated') {
        for (const each of it) {
          writer.varint(tag)
          kind.write(writer, each)
        }
      } else if (label === 'map') {
        for (const [key, value] of it) {
          writer.varint(tag)
          kind.write(writer, { key, value })
        }
      } else if (label === 'optional' || !kind.isZero(it)) {
        writer.varint(tag)
        kind.write(writer, it)
      }
    }
  }

  /** Reads up to the reader's end. */
  read(reader: ProtoReader): FieldsOut<F> {
    const value = this.zero() as Values
    while (!reader.done) {
      const tag = reader.tag()
      const field = this.#byNumber.get(tag >>> 3)
      if (field === undefined) reader.skip(tag & 7)
      else readField(reader, field, tag & 7, value)
    }
    return value as FieldsOut<F>
  }
}

/** What is not there is the same in all messages: some have fields by the ten thousand that are empty. */
const noList: readonly unknown[] = Object.freeze([])
const noMap: ReadonlyMap<string, unknown> = new Map()

function zeroOf({ kind, label }: Spec): unknown {
  if (label === 'repeated') return noList
  if (label === 'map') return noMap
  return label === 'optional' ? null : kind.zero()
}

function packedSize({ kind }: Spec, values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + kind.size(value), 0)
}

function readField(reader: ProtoReader, { key, spec, rivals }: Compiled, wireType: number, into: Values): void {
  const { kind, label } = spec
  const packed = label === 'repeated' && kind.wire === WireType.varint && wireType === WireType.bytes
  if (!packed && wireType !== kind.wire) throw new WireError(`${key} has the wire type ${wireType}`)
  if (packed) {
    const list = listIn(into, key)
    reader.delimited(() => {
      while (!reader.done) {
        reader.element()
        list.push(kind.read(reader))
      }
    })
  } else if (label === 'repeated') {
    reader.element()
    listIn(into, key).push(kind.read(reader))
  } else if (label === 'map') {
    reader.element()
    if (into[key] === noMap) into[key] = new Map()
    const { key: name, value } = kind.read(reader)
    ;(into[key] as Map<string, unknown>).set(name, value)
  } else {
    // Of a nested message that comes twice the last counts: nobody sends it so, and merging is more than it is worth.
    into[key] = kind.read(reader)
    for (const rival of rivals) into[rival] = null
  }
}

function listIn(into: Values, key: string): unknown[] {
  if (into[key] === noList) into[key] = []
  return into[key] as unknown[]
}

/** One method of a service. */
export interface Method<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly request: Message<Request>
  readonly response: Message<Response>
  readonly clientStreams: boolean
  readonly serverStreams: boolean
}

export interface Service {
  readonly fullName: string
  // biome-ignore lint/suspicious/noExplicitAny: methods of any kind stand in one table
  readonly methods: { readonly [name: string]: Method<any, any> }
}

export const unary = <Q extends Fields, A extends Fields>(request: Message<Q>, response: Message<A>) =>
  ({ request, response, clientStreams: false, serverStreams: false }) as const
export const serverStream = <Q extends Fields, A extends Fields>(request: Message<Q>, response: Message<A>) =>
  ({ request, response, clientStreams: false, serverStreams: true }) as const
export const duplex = <Q extends Fields, A extends Fields>(request: Message<Q>, response: Message<A>) =>
  ({ request, response, clientStreams: true, serverStreams: true }) as const

/** A `.proto` file: what reflection hands out. */
export interface ProtoFile {
  /** As others import it: `ottla/v1/records.proto`. */
  readonly name: string
  readonly package: string
  readonly dependencies: readonly ProtoFile[]
  // biome-ignore lint/suspicious/noExplicitAny: messages of any kind stand in one table
  readonly messages: readonly Message<any>[]
  readonly enums: readonly Enumeration[]
  readonly services: readonly Service[]
}
