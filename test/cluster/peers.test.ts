import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Connection } from '../../src/client/connection.ts'
import { defaultClientOptions } from '../../src/client/options.ts'
import { NetworkPeers } from '../../src/cluster/peers/network-peers.ts'
import { resolveConfig } from '../../src/config/sources.ts'
import { type RunningNode, startNode } from '../../src/node.ts'
import { ErrorCode, errorName, KafkaError } from '../../src/protocol/errors.ts'
import { AllocateProducerIds } from '../../src/protocol/messages/allocate-producer-ids.ts'
import { BrokerHeartbeat } from '../../src/protocol/messages/broker-heartbeat.ts'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { SaslAuthenticate } from '../../src/protocol/messages/sasl-authenticate.ts'
import { SaslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import { nodeLogin } from '../../src/security/node-login.ts'
import { silent } from '../../src/world/logger.ts'
import { nodeWorld as world } from '../../src/world/node.ts'
import type { Address } from '../../src/world/world.ts'

const start = (settings: Record<string, string | number> = {}) => {
  const flags = Object.entries({ host: '127.0.0.1', port: 0, data: 'memory', ...settings })
  const config = resolveConfig({ flags: flags.map(([name, value]) => ({ name, value: String(value), origin: name })) })
  return startNode({ config, world, logger: silent })
}
const whole = { includeClusterAuthorizedOperations: false }

let node: RunningNode
let address: Address
before(async () => {
  node = await start()
  address = { host: '127.0.0.1', port: node.port }
})
after(() => node.stop())

const peersTo = (addresses: (node: number) => readonly Address[], token = node.joinToken, clusterId = node.clusterId) =>
  new NetworkPeers({
    world,
    logger: silent,
    clientId: 'test',
    clusterId,
    addresses,
    authenticate: nodeLogin(() => token, world.random),
    requestTimeoutMs: 2000,
  })

const nameOf = (error: unknown) => (error instanceof KafkaError ? error.errorName : String(error))

test('a node is reached by its number, over one connection for each lane, answers in order', async () => {
  const peers = peersTo(() => [address])
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => peers.send(1, DescribeCluster, whole, { lane: i % 2 === 0 ? 'a' : 'b' })),
  )
  assert.ok(answers.every(({ clusterId }) => clusterId === node.clusterId))
  const { brokers } = await peers.send(address, DescribeCluster, whole)
  assert.deepEqual(
    brokers.map(({ brokerId, port }) => [brokerId, port]),
    [[1, node.port]],
  )
  peers.close()
  await assert.rejects(peers.send(1, DescribeCluster, whole), error => nameOf(error) === 'NETWORK_EXCEPTION')
})

test('who does not know the secret, or means another node or cluster, is told so', async () => {
  const cases = [
    [peersTo(() => [address], 'ottla_a-token-that-is-wrong'), 1, 'SASL_AUTHENTICATION_FAILED'],
    [peersTo(() => [address]), 2, 'REBOOTSTRAP_REQUIRED'],
    [peersTo(() => [address], node.joinToken, 'AAAAAAAAAAAAAAAAAAAAAA'), 1, 'REBOOTSTRAP_REQUIRED'],
    [peersTo(() => []), 1, 'NETWORK_EXCEPTION'],
  ] as const
  for (const [peers, to, expected] of cases) {
    await assert.rejects(peers.send(to, DescribeCluster, whole), error => nameOf(error) === expected)
    peers.close()
  }
})

test('power between nodes is never anonymous: one that is alone refuses it, too', async () => {
  const anonymous = await Connection.open(world, address, defaultClientOptions)
  const life = { brokerId: 1, brokerEpoch: 0 }
  const heartbeat = await anonymous.request(BrokerHeartbeat, {
    ...life,
    currentMetadataOffset: 0,
    wantFence: true,
    wantShutDown: false,
  })
  const ids = await anonymous.request(AllocateProducerIds, life)
  assert.deepEqual([heartbeat.errorCode, ids.errorCode].map(errorName), [
    'CLUSTER_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
  ])
  anonymous.close()
})

test('only SCRAM is offered, and the proof begins with the handshake', async () => {
  const connection = await Connection.open(world, address, defaultClientOptions)
  const early = await connection.request(SaslAuthenticate, { authBytes: Buffer.from('n,,n=ottla-node,r=12345678') })
  assert.equal(errorName(early.errorCode), 'ILLEGAL_SASL_STATE')
  const plain = await connection.request(SaslHandshake, { mechanism: 'PLAIN' })
  assert.deepEqual([errorName(plain.errorCode), plain.mechanisms], ['UNSUPPORTED_SASL_MECHANISM', ['SCRAM-SHA-256']])
  assert.equal((await connection.request(SaslHandshake, { mechanism: 'SCRAM-SHA-256' })).errorCode, ErrorCode.NONE)
  const wrong = await connection.request(SaslAuthenticate, { authBytes: Buffer.from('nonsense') })
  assert.equal(errorName(wrong.errorCode), 'SASL_AUTHENTICATION_FAILED')
  // The connection ends after that answer.
  await assert.rejects(connection.request(DescribeCluster, whole), error => nameOf(error) === 'NETWORK_EXCEPTION')
})

test('a node that goes is noticed at once, asked after, and found again where it comes back', async () => {
  const first = await start()
  let at = { host: '127.0.0.1', port: first.port }
  const peers = peersTo(() => [at], first.joinToken, first.clusterId)
  const lost = new Promise<number>(resolve => peers.onLost(resolve))
  await peers.send(1, DescribeCluster, whole)
  assert.equal(await peers.probe(1), 'alive')
  await first.stop()
  assert.equal(await lost, 1)
  assert.equal(await peers.probe(1), 'refused')
  await assert.rejects(peers.send(1, DescribeCluster, whole), error => nameOf(error) === 'NETWORK_EXCEPTION')
  const second = await start({ token: first.joinToken, 'cluster.id': first.clusterId })
  at = { host: '127.0.0.1', port: second.port }
  assert.equal((await peers.send(1, DescribeCluster, whole)).clusterId, first.clusterId)
  peers.close()
  await second.stop()
})

test('a request that waits for a connection gives up in time', async () => {
  const deaf = await world.net.listen({ host: '127.0.0.1', port: 0 }, () => {})
  const peers = peersTo(() => [deaf.address])
  const begin = performance.now()
  await assert.rejects(peers.send(1, DescribeCluster, whole, { timeoutMs: 100 }), error => {
    return nameOf(error) === 'REQUEST_TIMED_OUT'
  })
  assert.ok(performance.now() - begin < 1000)
  assert.equal(await peers.probe(1), 'unknown')
  peers.close()
  await deaf.close()
})
