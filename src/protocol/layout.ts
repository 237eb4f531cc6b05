import type { Fields, Primitive, Spec, Type } from './types.ts'
import { ZERO_UUID } from './uuid.ts'
import { EVERY_VERSION, includes } from './versions.ts'

/**
 * A struct as one version has it: what compilers and interpreters work from. All questions about versions are settled
 * here, so that they cost nothing when messages are read and written.
 */
export interface StructLayout {
  readonly flexible: boolean
  /** Every field of every version, in the order of the schema, which is the order on the wire. */
  readonly slots: readonly Slot[]
  /** The tagged fields of this version, in the order of their tags. */
  readonly tagged: readonly Slot[]
  /** Bytes of the smallest possible value of this struct. */
  readonly smallest: number
}

export interface Slot {
  readonly name: string
  readonly type: SlotType
  readonly place: 'plain' | 'tagged' | 'absent'
  readonly nullable: boolean
  readonly tag: number
  readonly ignorable: boolean
  /** Whether the value may be left out when writing. */
  readonly optional: boolean
  /** Undefined stands for the zero of the type. */
  readonly default: unknown
}

export type SlotType =
  | { readonly kind: Primitive; readonly smallest: number }
  | { readonly kind: 'array'; readonly of: SlotType; readonly smallest: number }
  | { readonly kind: 'struct'; readonly layout: StructLayout; readonly smallest: number }

export function layOut(fields: Fields, version: number, flexible: boolean): StructLayout {
  const slots = Object.entries(fields).map(([name, field]) => slotOf(name, field.spec, version, flexible))
  const tagged = slots.filter(slot => slot.place === 'tagged').sort((a, b) => a.tag - b.tag)
  let smallest = flexible ? 1 : 0
  for (const slot of slots) {
    if (slot.place === 'plain') smallest += slot.type.kind === 'struct' && slot.nullable ? 1 : slot.type.smallest
  }
  return { flexible, slots, tagged, smallest }
}

function slotOf(name: string, spec: Spec, version: number, flexible: boolean): Slot {
  const present = includes(spec.versions, version)
  if (present && spec.tag >= 0 && !flexible)
    throw new RangeError(`tagged field ${name} in inflexible version ${version}`)
  return {
    name,
    type: typeOf(spec.type, version, flexible),
    place: !present ? 'absent' : spec.tag >= 0 ? 'tagged' : 'plain',
    nullable: includes(spec.nullable, version),
    tag: spec.tag,
    ignorable: spec.ignorable,
    optional: spec.default !== undefined || spec.tag >= 0 || spec.versions !== EVERY_VERSION,
    default: spec.default,
  }
}

function typeOf(type: Type, version: number, flexible: boolean): SlotType {
  switch (type.kind) {
    case 'array':
      return { kind: 'array', of: typeOf(type.of, version, flexible), smallest: flexible ? 1 : 4 }
    case 'struct': {
      const layout = layOut(type.fields, version, flexible)
      return { kind: 'struct', layout, smallest: layout.smallest }
    }
    default:
      return { kind: type.kind, smallest: smallestOf(type.kind, flexible) }
  }
}

function smallestOf(kind: Primitive, flexible: boolean): number {
  switch (kind) {
    case 'bool':
    case 'int8':
    case 'varint':
    case 'varlong':
      return 1
    case 'int16':
    case 'uint16':
      return 2
    case 'int32':
    case 'uint32':
      return 4
    case 'int64':
    case 'float64':
      return 8
    case 'uuid':
      return 16
    case 'string':
      return flexible ? 1 : 2
    case 'bytes':
    case 'records':
      return flexible ? 1 : 4
  }
}

/** The name of the Reader's and Writer's method for a primitive. */
export function methodOf(kind: Primitive, nullable: boolean, flexible: boolean): PrimitiveMethod {
  if (kind !== 'string' && kind !== 'bytes' && kind !== 'records') return kind
  if (kind === 'string') {
    if (flexible) return nullable ? 'compactNullableString' : 'compactString'
    return nullable ? 'nullableString' : 'string'
  }
  if (flexible) return nullable ? 'compactNullableBytes' : 'compactBytes'
  return nullable ? 'nullableBytes' : 'bytes'
}

export type PrimitiveMethod =
  | Exclude<Primitive, 'records'>
  | 'nullableString'
  | 'compactString'
  | 'compactNullableString'
  | 'nullableBytes'
  | 'compactBytes'
  | 'compactNullableBytes'

/** Smallest size of an array's element, at least one byte: an array of nothings must not be long either. */
export function elementSize(of: SlotType): number {
  return Math.max(1, of.smallest)
}

const NO_BYTES = Buffer.alloc(0)

/** The default of a field; undefined for what has to be made afresh each time: empty arrays, structs of defaults. */
export function sharedDefault(slot: Slot): unknown {
  if (slot.default === null) return null
  switch (slot.type.kind) {
    case 'array':
    case 'struct':
      return undefined
    case 'bytes':
      return NO_BYTES
    case 'records':
      return null
    case 'bool':
      return slot.default ?? false
    case 'string':
      return slot.default ?? ''
    case 'uuid':
      return slot.default ?? ZERO_UUID
    default:
      return slot.default ?? 0
  }
}
