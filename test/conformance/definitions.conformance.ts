// Every field of every version of every message, compared with Kafka's own definitions.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Slot, SlotType, StructLayout } from '../../src/protocol/layout.ts'
import { sharedDefault } from '../../src/protocol/layout.ts'
import { allApis } from '../../src/protocol/messages/all.ts'
import { INT64_MAX } from '../../src/protocol/schema.ts'
import type { Decided, FieldDefinition } from './definitions.ts'
import { decidedVersions, inVersions } from './definitions.ts'
import { missing } from './kafka-jars.ts'
import { messages } from './messages.ts'

/** A field of one version, in a form that both sides can be brought to. */
interface Resolved {
  readonly name: string
  readonly type: string
  readonly fields: readonly Resolved[] | null
  readonly nullable: boolean
  readonly tag: number
  readonly default: unknown
}

const skip = missing() ?? false
/** Written by hand in src/protocol/header.ts. */
const headers = ['RequestHeader', 'ResponseHeader']

test('the same messages, versions and keys as Kafka', { skip }, () => {
  const decided = decidedVersions()
  const versions = (name: string) => (decided.get(name) ?? []).map(({ version }) => version).sort((a, b) => a - b)
  assert.deepEqual([...messages.keys(), ...headers].sort(), [...decided.keys()].sort())
  for (const [name, message] of messages) {
    const declared = Array.from({ length: message.versions.max + 1 }, (_, version) => version)
    assert.deepEqual(
      declared.filter(version => version >= message.versions.min),
      versions(name),
      name,
    )
  }
  for (const api of allApis) {
    const { definition } = decided.get(`${api.name}Request`)![0]!
    assert.equal(api.key, definition.apiKey, api.name)
  }
  assert.equal(new Set(allApis.map(api => api.key)).size, allApis.length)
})

test('the same fields as Kafka', { skip }, () => {
  let compared = 0
  for (const [name, versions] of decidedVersions()) {
    const message = messages.get(name)
    if (message === undefined) continue
    for (const decided of versions) {
      const { definition, version, release } = decided
      const context = `${name} v${version} of Kafka ${release}`
      assert.equal(message.isFlexible(version), inVersions(definition.flexibleVersions, version), context)
      assert.deepEqual(ours(message.layout(version)), theirs(definition.fields ?? [], decided), context)
      compareIgnorable(message.layout(version), definition.fields ?? [], decided, context)
      compared++
    }
  }
  assert.ok(compared > 700, `only ${compared} versions compared`)
})

function ours(layout: StructLayout): Resolved[] {
  return layout.slots
    .filter(slot => slot.place !== 'absent')
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
function plainDefault(slot: Slot): unknown {
  const shared = sharedDefault(slot)
  return slot.type.kind === 'bytes' && shared !== null ? undefined : shared
}

function structOf(field: FieldDefinition, { definition }: Decided): readonly FieldDefinition[] | null {
  const type = field.type.replace('[]', '')
  if (!/^[A-Z]/.test(type)) return null
  return field.fields ?? definition.commonStructs!.find(struct => struct.name === type)!.fields
}

function camel(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1)
}

function theirs(fields: readonly FieldDefinition[], decided: Decided): Resolved[] {
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

function theirDefault(field: FieldDefinition): unknown {
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

/** Where a version lacks a field that its release knows: a value for it is dropped by both or refused by both. */
function compareIgnorable(
  layout: StructLayout,
  fields: readonly FieldDefinition[],
  decided: Decided,
  context: string,
): void {
  for (const field of fields) {
    const slot = layout.slots.find(({ name }) => name === camel(field.name))
    if (slot === undefined) continue // a field of a version that this release no longer has
    if (slot.place === 'absent') {
      if (decided.release === '4.4.0')
        assert.equal(slot.ignorable, field.ignorable ?? false, `${context}: ${field.name}`)
      assert.deepEqual(plainDefault(slot), theirDefault(field), `${context}: ${field.name}`)
      continue
    }
    const struct = structOf(field, decided)
    const type = slot.type.kind === 'array' ? slot.type.of : slot.type
    if (struct !== null && type.kind === 'struct') compareIgnorable(type.layout, struct, decided, context)
  }
}
