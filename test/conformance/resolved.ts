import type { Slot, SlotType, StructLayout } from '../../src/protocol/layout.ts'
import { sharedDefault } from '../../src/protocol/layout.ts'
import { INT64_MAX } from '../../src/protocol/schema.ts'
import type { Decided, FieldDefinition } from './definitions.ts'
import { inVersions } from './definitions.ts'

/** A field of one version, in a form that both sides can be brought to. */
export interface Resolved {
  readonly name: string
  readonly type: string
  readonly fields: readonly Resolved[] | null
  readonly nullable: boolean
  readonly tag: number
  readonly default: unknown
}

/** Tagged fields from here on are ottla's own, between its nodes; Kafka passes over what it does not know. */
const ownTags = 10_000

export function ours(layout: StructLayout): Resolved[] {
  return layout.slots
    .filter(slot => slot.place !== 'absent' && !(slot.place === 'tagged' && slot.tag >= ownTags))
    .map(slot => ({
      name: slot.name,
      type: typeName(slot.type),
      fields: fieldsOf(slot.type),
      nullable: slot.nullable,
      tag: slot.place === 'tagged' ? slot.tag : -1,
      default: plainDefault(slot),
    }))
}

function typeName(type: SlotType): string {
  return type.kind === 'array' ? `[]${typeName(type.of)}` : type.kind
}

function fieldsOf(type: SlotType): Resolved[] | null {
  if (type.kind === 'array') return fieldsOf(type.of)
  return type.kind === 'struct' ? ours(type.layout) : null
}

/** Empty arrays, bytes and structs of defaults count as no default. */
export function plainDefault(slot: Slot): unknown {
  const shared = sharedDefault(slot)
  return slot.type.kind === 'bytes' && shared !== null ? undefined : shared
}

export function structOf(field: FieldDefinition, { definition }: Decided): readonly FieldDefinition[] | null {
  const type = field.type.replace('[]', '')
  if (!/^[A-Z]/.test(type)) return null
  return field.fields ?? definition.commonStructs!.find(struct => struct.name === type)!.fields
}

export function camel(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1)
}

export function theirs(fields: readonly FieldDefinition[], decided: Decided): Resolved[] {
  return fields
    .filter(field => inVersions(field.versions, decided.version))
    .map(field => {
      const struct = structOf(field, decided)
      return {
        name: camel(field.name),
        type: struct === null ? field.type : field.type.startsWith('[]') ? '[]struct' : 'struct',
        fields: struct === null ? null : theirs(struct, decided),
        nullable: inVersions(field.nullableVersions, decided.version),
        tag: inVersions(field.taggedVersions, decided.version) ? field.tag! : -1,
        default: theirDefault(field),
      }
    })
}

export function theirDefault(field: FieldDefinition): unknown {
  const text = field.default === undefined ? undefined : String(field.default)
  if (text === 'null') return null
  if (field.type.startsWith('[]') || /^[A-Z]/.test(field.type)) return undefined
  switch (field.type) {
    case 'bool':
      return text === 'true'
    case 'string':
      return text ?? ''
    case 'bytes':
      return undefined
    case 'records':
      return null
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    default:
      return text === '9223372036854775807' ? INT64_MAX : Number(text ?? 0)
  }
}
