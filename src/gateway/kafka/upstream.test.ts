import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cluster } from '../../client/cluster.ts'
import { ScriptedBroker } from '../../client/testing.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import { nodeWorld } from '../../world/node.ts'
import { Directory } from './directory.ts'
import { anyNode, Upstream } from './upstream.ts'

const brokers: ScriptedBroker[] = []
after(() => Promise.all(brokers.map(broker => broker.stop())))

/** As many nodes as are wanted, numbered from 1, and a directory that knows them. */
async function nodes(count: number): Promise<{ readonly all: ScriptedBroker[]; readonly directory: Directory }> {
  const all: ScriptedBroker[] = []
  for (let i = 0; i < count; i++) all.push(await ScriptedBroker.start(nodeWorld))
  brokers.push(...all)
  const directory = new Directory(new Cluster(nodeWorld, { bootstrap: [all[0]!.address], apiTimeoutMs: 1 }))
  const known = all.map((broker, i) => ({ nodeId: i + 1, ...broker.address, rack: null }))
  directory.learn({ brokers: known, controllerId: 1, clusterId: 'c', topics: [] })
  return { all, directory }
}

/** Connections that were made to a node: each begins so. */
const connections = (broker: ScriptedBroker) => broker.count('ApiVersions')

test('a node and a lane have one connection, whoever asks for them, and none is left when the client goes', async () => {
  const { all, directory } = await nodes(1)
  const upstream = new Upstream(nodeWorld, directory, 'client')
  const named = await upstream.to(1)
  assert.equal(await upstream.to(anyNode), named)
  assert.equal(upstream.ready(anyNode), named)
  assert.equal(connections(all[0]!), 1)
  const [one, other] = await Promise.all([upstream.to(1, 'fetch'), upstream.to(1, 'fetch')])
  assert.equal(one, other)
  assert.notEqual(one, named)
  assert.equal(connections(all[0]!), 2)
  upstream.close()
  assert.deepEqual([named.closed, one!.closed], [true, true])
  await assert.rejects(upstream.to(1), KafkaError)
})

test('who means a node is sent there; who means none, to one that is up', async () => {
  const { all, directory } = await nodes(3)
  const upstream = new Upstream(nodeWorld, directory, 'client')
  upstream.meant = 2
  await upstream.to(anyNode)
  assert.deepEqual(all.map(connections), [0, 1, 0])
  assert.deepEqual(upstream.everyNode(), [2])
  upstream.close()
  await all[0]!.stop()
  await all[2]!.stop()
  const another = new Upstream(nodeWorld, directory, 'client')
  const found = await another.to(anyNode)
  assert.deepEqual([connections(all[1]!), another.everyNode()], [2, [1, 2, 3]])
  await assert.rejects(another.to(1), KafkaError)
  another.close()
  assert.equal(found.closed, true)
})

test('what is asked of a node that is left is not waited for', async () => {
  const { all, directory } = await nodes(2)
  const upstream = new Upstream(nodeWorld, directory, 'client')
  const connection = await upstream.to(1)
  all[0]!.on(ApiVersions, () => 'silence')
  const asked = connection.request(ApiVersions, {})
  upstream.leave(2)
  assert.equal(connection.closed, false)
  upstream.leave(1)
  await assert.rejects(asked, KafkaError)
  assert.equal(upstream.ready(1), null)
  upstream.close()
})
