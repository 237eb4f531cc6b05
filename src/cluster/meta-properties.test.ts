import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../machine/testing.ts'
import { openMetaProperties } from './meta-properties.ts'

function volumeWith(text: string | null) {
  const files = new Map<string, Uint8Array>()
  if (text !== null) files.set('meta.properties', Buffer.from(text))
  return {
    get: (name: string) => files.get(name) ?? null,
    put: async (name: string, bytes: Uint8Array) => void files.set(name, bytes),
    text: () => Buffer.from(files.get('meta.properties') ?? []).toString(),
  }
}

const kafkas = `#
#Sat Nov 21 10:53:03 UTC 2026
node.id=7
directory.id=AauM3WNygOvKsnjDZCnatA
version=1
cluster.id=AcYvjWu0zfukixRUKsPXFA
`

test('a new directory gets ids, and keeps them', async () => {
  const volume = volumeWith(null)
  const first = await openMetaProperties(volume, dice(1))
  assert.match(first.clusterId, /^[\w-]{22}$/)
  assert.match(first.directoryId, /^[\w-]{22}$/)
  assert.notEqual(first.clusterId, first.directoryId)
  assert.equal(first.nodeId, 1)
  assert.deepEqual(await openMetaProperties(volume, dice(2)), first)
})

test('a new directory takes what it is told', async () => {
  const meta = await openMetaProperties(volumeWith(null), dice(1), { clusterId: 'AcYvjWu0zfukixRUKsPXFA', nodeId: 3 })
  assert.equal(meta.clusterId, 'AcYvjWu0zfukixRUKsPXFA')
  assert.equal(meta.nodeId, 3)
})

test("Kafka's file is read and left alone", async () => {
  const volume = volumeWith(kafkas)
  const meta = await openMetaProperties(volume, dice(1), { clusterId: 'AcYvjWu0zfukixRUKsPXFA', nodeId: 7 })
  assert.deepEqual(meta, {
    clusterId: 'AcYvjWu0zfukixRUKsPXFA',
    nodeId: 7,
    directoryId: 'AauM3WNygOvKsnjDZCnatA',
  })
  assert.equal(volume.text(), kafkas)
})

test('an older one is given a directory id', async () => {
  const volume = volumeWith(kafkas.replace(/directory.*\n/, ''))
  const { directoryId } = await openMetaProperties(volume, dice(1))
  assert.match(volume.text(), new RegExp(`^directory.id=${directoryId}$`, 'm'))
  assert.match(volume.text(), /^cluster.id=AcYvjWu0zfukixRUKsPXFA$/m)
})

for (const [what, text, expected, message] of [
  ['another cluster', kafkas, { clusterId: 'other' }, /belongs to cluster AcYvjWu0zfukixRUKsPXFA, not to other/],
  ['another node', kafkas, { nodeId: 1 }, /belongs to node 7, not to node 1/],
  ['a newer version', kafkas.replace('version=1', 'version=2'), {}, /version 2, which is newer/],
  ['a Kafka with ZooKeeper', 'version=0\nbroker.id=1\ncluster.id=x\n', {}, /ZooKeeper/],
  ['rubbish', 'hello', {}, /version none/],
  ['no node', kafkas.replace('node.id=7', ''), {}, /does not name a cluster and a node/],
] as const) {
  test(`the directory of ${what} is refused`, async () => {
    await assert.rejects(openMetaProperties(volumeWith(text), dice(1), expected), message)
  })
}
