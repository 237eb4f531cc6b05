// The records of the cluster's metadata, compared with Kafka's own definitions and with bytes of Kafka's own classes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { type RecordType, recordKeys, recordKinds } from '../../src/cluster/records/records.ts'
import type { Fields, Message } from '../../src/protocol/schema.ts'
import { definitionsIn, inVersions } from './definitions.ts'
import { classPath, kafkaMetadata, missing } from './kafka-jars.ts'
import { ours, theirs } from './resolved.ts'

const release = '4.4.0'
const skip = missing() ?? false
// dist/test/conformance/… → test/conformance/…
const program = fileURLToPath(new URL('../../../test/conformance/Golden.java', import.meta.url))
const kinds: ReadonlyMap<string, Message<Fields>> = new Map(Object.entries(recordKinds))

test('the same records, versions and fields as Kafka', { skip }, () => {
  const definitions = definitionsIn(kafkaMetadata(release), 'common/metadata/*.json')
  assert.deepEqual(definitions.map(({ name }) => name).sort(), [...kinds.keys()].sort())
  for (const definition of definitions) {
    const kind = kinds.get(definition.name)!
    assert.equal(recordKeys[definition.name as RecordType], definition.apiKey, definition.name)
    for (let version = 0; version < 10; version++) {
      const context = `${definition.name} v${version}`
      assert.equal(kind.supports(version), inVersions(definition.validVersions, version), context)
      if (!kind.supports(version)) continue
      assert.equal(kind.isFlexible(version), inVersions(definition.flexibleVersions, version), context)
      const expected = theirs(definition.fields ?? [], { release, definition, version })
      assert.deepEqual(ours(kind.layout(version)), expected, context)
    }
  }
})

test("the bytes of Kafka's classes come back unchanged", { skip }, () => {
  const jar = kafkaMetadata(release)
  const properties = [`-Djar=${jar}`, '-Dpackage=org/apache/kafka/common/metadata/']
  const options = { encoding: 'utf8', maxBuffer: 1 << 28 } as const
  const java = spawnSync(
    'java',
    [...properties, '-cp', `${classPath(release)}:${jar}`, program, process.env.OTTLA_SEED ?? '1', '40'],
    options,
  )
  assert.equal(java.status, 0, java.stderr)
  const lines = java.stdout.trim().split('\n')
  assert.ok(lines.length > 1000, `only ${lines.length} vectors`)
  for (const line of lines) {
    const [name, version, hex] = line.split(' ') as [string, string, string]
    const kind = kinds.get(name)
    assert.ok(kind, name)
    const value = kind.read(Buffer.from(hex, 'hex'), Number(version))
    assert.equal(kind.toBytes(Number(version), value as never).toString('hex'), hex, `${name} v${version}`)
  }
})
