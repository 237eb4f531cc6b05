// Every field of every version of every message, compared with Kafka's own definitions.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { StructLayout } from '../../src/protocol/layout.ts'
import { allApis } from '../../src/protocol/messages/all.ts'
import type { Decided, FieldDefinition } from './definitions.ts'
import { decidedVersions, inVersions } from './definitions.ts'
import { missing } from './kafka-jars.ts'
import { messages } from './messages.ts'
import { camel, ours, plainDefault, structOf, theirDefault, theirs } from './resolved.ts'

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
