import type { VersionRange, Versions } from './versions.ts'
import { EVERY_VERSION, NO_VERSION, parseVersions } from './versions.ts'

/** Kafka's primitive types. An int64 is a number, see `Reader.int64`; a uuid is 22 base64url characters. */
export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'varint'
  | 'varlong'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type Type =
  | { readonly kind: Primitive }
  | { readonly kind: 'array'; readonly of: Type }
  | { readonly kind: 'struct'; readonly fields: Fields }

/** What a field is, apart from its name. */
export interface Spec {
  readonly type: Type
  readonly versions: VersionRange
  readonly nullable: VersionRange
  /** Undefined stands for the zero of the type: 0, '', false, no bytes, no elements, a struct of defaults. */
  readonly default: unknown
  /** −1 when the field is never tagged. */
  readonly tag: number
  /** Whether a value may be dropped silently where a version has no place for it (else writing it is an error). */
  readonly ignorable: boolean
}

/** A field's wire type, the versions it lives in, and its TypeScript type for reading (`Out`) and for writing (`In`). */
export class Field<Out, In = Out, Optional extends boolean = false> {
  declare readonly '~out': Out
  declare readonly '~in': In
  declare readonly '~optional': Optional
  readonly spec: Spec

  constructor(spec: Spec) {
    this.spec = spec
  }

  /** The versions that have this field; the others read as the default. */
  in(versions: Versions): Field<Out, In, true> {
    return new Field({ ...this.spec, versions: parseVersions(versions) })
  }

  /** The versions in which null may be sent. */
  nullable(versions: Versions = '0+'): Field<Out | null, In | null, Optional> {
    return new Field({ ...this.spec, nullable: parseVersions(versions) })
  }

  /** The default: read where a version lacks the field, written where the value is left out. */
  or(value: Out): Field<Out, In, true> {
    return new Field({ ...this.spec, default: value })
  }

  /** A tagged field (KIP-482): sent only where it differs from its default. */
  tag(tag: number, versions: Versions): Field<Out, In, true> {
    return new Field({ ...this.spec, tag, versions: parseVersions(versions) })
  }

  /** A value is dropped, not refused, in versions that lack the field. */
  ignorable(): Field<Out, In, Optional> {
    return new Field({ ...this.spec, ignorable: true })
  }
}

export type AnyField = Field<unknown, unknown, boolean>
export type Fields = { readonly [name: string]: AnyField }

type Flat<T> = { [K in keyof T]: T[K] } & {}

/** What reading a struct gives: every field, in every version. */
export type FieldsOut<F extends Fields> = { -readonly [K in keyof F]: F[K]['~out'] }

/** What writing a struct takes: fields with a default, or missing in some version, may be left out. */
export type FieldsIn<F extends Fields> = Flat<
  { readonly [K in keyof F as F[K]['~optional'] extends true ? never : K]: F[K]['~in'] } & {
    readonly [K in keyof F as F[K]['~optional'] extends true ? K : never]?: F[K]['~in'] | undefined
  }
>

function field<Out, In = Out>(type: Type): Field<Out, In> {
  return new Field({
    type,
    versions: EVERY_VERSION,
    nullable: NO_VERSION,
    default: undefined,
    tag: -1,
    ignorable: false,
  })
}

export const bool = field<boolean>({ kind: 'bool' })
export const int8 = field<number>({ kind: 'int8' })
export const int16 = field<number>({ kind: 'int16' })
export const uint16 = field<number>({ kind: 'uint16' })
export const int32 = field<number>({ kind: 'int32' })
export const uint32 = field<number>({ kind: 'uint32' })
export const int64 = field<number>({ kind: 'int64' })
export const float64 = field<number>({ kind: 'float64' })
export const varint = field<number>({ kind: 'varint' })
export const varlong = field<number>({ kind: 'varlong' })
export const uuid = field<string>({ kind: 'uuid' })
export const string = field<string>({ kind: 'string' })
/** Reads as a view of the message's bytes. */
export const bytes = field<Uint8Array, Uint8Array | readonly Uint8Array[]>({ kind: 'bytes' })
/** Record batches: opaque bytes, read as a view and written by reference. */
export const records = field<Uint8Array, Uint8Array | readonly Uint8Array[]>({ kind: 'records' })

/** An array of structs. */
export function array<const F extends Fields>(fields: F): Field<FieldsOut<F>[], readonly FieldsIn<F>[]> {
  return field({ kind: 'array', of: { kind: 'struct', fields } })
}

/** An array of primitives. */
export function list<Out, In>(of: Field<Out, In, boolean>): Field<Out[], readonly In[]> {
  return field({ kind: 'array', of: of.spec.type })
}

export function struct<const F extends Fields>(fields: F): Field<FieldsOut<F>, FieldsIn<F>> {
  return field({ kind: 'struct', fields })
}
