import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Connection } from '../../src/client/connection.ts'
import { defaultClientOptions } from '../../src/client/options.ts'
import type { RunningNode } from '../../src/node.ts'
import { BrokerRegistration } from '../../src/protocol/messages/broker-registration.ts'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { nodeLogin } from '../../src/security/node-login.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { clientOf, eventually, freePort, LogLines, type Settings, startOne } from './kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'ottla-join-'))
const running: RunningNode[] = []
let first: RunningNode

const start = async (settings: Settings, logger?: LogLines): Promise<RunningNode> => {
  const node = await startOne(settings, logger)
  running.push(node)
  return node
}

before(async () => {
  first = await start({ data: join(folder, 'first') })
})

after(async () => {
  for (const node of running.reverse()) await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function serving(node: RunningNode): Promise<number[]> {
  const client = clientOf(node.bootstrap)
  const connection = await client.any()
  const answer = await connection.request(DescribeCluster, { includeClusterAuthorizedOperations: false })
  client.close()
  return answer.brokers.map(({ brokerId }) => brokerId)
}

test('the token is made with the data, for its owner only, and stays', async () => {
  const path = join(folder, 'first', 'join-token')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const token = readFileSync(path, 'utf8').trim()
  assert.match(token, /^ottla_[\w-]{43}$/)
  assert.equal(first.joinToken, token)
})

test('nodes that join take the next number and the cluster they are told, keep both, and come back without being told', async () => {
  const settings = { data: join(folder, 'second'), port: await freePort() }
  const second = await start({ ...settings, join: first.bootstrap, token: first.joinToken })
  assert.deepEqual([second.nodeId, second.clusterId], [2, first.clusterId])
  assert.deepEqual(await serving(second), [1, 2])
  const third = await start({ join: second.bootstrap, token: first.joinToken })
  assert.equal(third.nodeId, 3)
  await second.stop()
  await eventually(async () => assert.deepEqual(await serving(first), [1, 3]))
  const again = await start(settings)
  assert.deepEqual([again.nodeId, again.clusterId, again.joinToken], [2, first.clusterId, first.joinToken])
  assert.deepEqual(await serving(again), [1, 2, 3])
  await third.stop()
})

test('a node that was killed while it joined begins no cluster of its own', async () => {
  const data = join(folder, 'half')
  mkdirSync(data)
  const directory = 'directory.id=AauM3WNygOvKsnjDZCnatA'
  writeFileSync(join(data, 'meta.properties'), `version=1\ncluster.id=${first.clusterId}\nnode.id=9\n${directory}\n`)
  writeFileSync(join(data, 'joined'), '')
  await assert.rejects(start({ data }), /start it with --join again/)
  const again = await start({ data, join: first.bootstrap, token: first.joinToken })
  assert.deepEqual([again.nodeId, again.clusterId], [9, first.clusterId])
})

test('nor does one that was killed before it knew who it is, and it can still join', async () => {
  const data = join(folder, 'quarter')
  mkdirSync(data)
  writeFileSync(join(data, 'joined'), '')
  await assert.rejects(start({ data }), /start it with --join again/)
  const again = await start({ data, join: first.bootstrap, token: first.joinToken })
  assert.equal(again.clusterId, first.clusterId)
})

test('two that join at once get two numbers', async () => {
  const joining = { join: first.bootstrap, token: first.joinToken }
  const [a, b] = await Promise.all([start(joining), start(joining)])
  assert.notEqual(a?.nodeId, b?.nodeId)
})

test('a node waits for a cluster that is not there yet, and says so', async () => {
  const port = await freePort()
  const log = new LogLines()
  const token = 'ottla_a-secret-for-two-of-them'
  const waiting = start({ join: `127.0.0.1:${port}`, token }, log)
  await eventually(() => log.match(/waiting for a node of the cluster at 127\.0\.0\.1:\d+/))
  const seed = await start({ port, token })
  const node = await waiting
  assert.deepEqual([node.nodeId, node.clusterId], [2, seed.clusterId])
})

test('a node gets past seeds that hang, are of another cluster, are down or are itself', async () => {
  const hung = createServer(() => {}).listen(0, '127.0.0.1')
  await once(hung, 'listening')
  const other = await start({ token: 'ottla_of-another-cluster-altogether' })
  const port = await freePort()
  const seeds = [(hung.address() as { port: number }).port, other.port, await freePort(), port, first.port]
  const join = seeds.map(each => `127.0.0.1:${each}`).join(',')
  const node = await start({ port, join, token: first.joinToken })
  assert.equal(node.clusterId, first.clusterId)
  hung.close()
})

test('who must not join is told why in one sentence', async () => {
  const other = await start({ data: join(folder, 'other'), token: first.joinToken })
  await other.stop()
  const seed = { join: first.bootstrap, token: first.joinToken }
  const cases: readonly [Settings, RegExp][] = [
    [{ join: first.bootstrap }, /^to join a cluster takes its token/],
    [{ join: first.bootstrap, token: 'short' }, /^a join token has at least 20 characters$/],
    [{ ...seed, token: 'ottla_of-another-cluster-altogether' }, /does not accept the token: take the one in the file/],
    [
      { ...seed, data: join(folder, 'other') },
      /^the data directory belongs to cluster \S+; the nodes at --join are cluster/,
    ],
    [{ ...seed, 'cluster.id': 'AAAAAAAAAAAAAAAAAAAAAA' }, /^the nodes at --join are cluster \S+, not AAAA/],
    [
      { ...seed, 'node.id': 1, 'initial.broker.registration.timeout.ms': 300 },
      /^a node with this node\.id is running already/,
    ],
    [{ ...seed, join: 'not:an:address' }, /^--join: not:an:address is not host:port$/],
  ]
  for (const [settings, expected] of cases) {
    await assert.rejects(startOne(settings), (error: Error) => {
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /\n|ottla_/)
      return true
    })
  }
})

test('a node that lost its disk takes its number again as soon as its former life is over', async () => {
  const uuid = (letter: string) => `${letter.repeat(21)}A`
  const authenticate = nodeLogin(() => first.joinToken, nodeWorld.random)
  const address = { host: '127.0.0.1', port: first.port }
  const connection = await Connection.open(nodeWorld, address, { ...defaultClientOptions, authenticate })
  const { errorCode } = await connection.request(BrokerRegistration, {
    brokerId: 50,
    clusterId: first.clusterId,
    incarnationId: uuid('i'),
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: await freePort(), securityProtocol: 0 }],
    features: [],
    rack: null,
    logDirs: [uuid('d')],
  })
  connection.close()
  assert.equal(errorCode, 0)
  const log = new LogLines()
  const again = await start({ join: first.bootstrap, token: first.joinToken, 'node.id': 50 }, log)
  assert.equal(again.nodeId, 50)
  log.match(/waiting: a node with this number still counts as running/)
})

test('a directory that was copied: the node that came last goes on, the other one stops and says why', async () => {
  const alive = await start({ data: join(folder, 'alive'), join: first.bootstrap, token: first.joinToken })
  const copy = join(folder, 'copy')
  const { cpSync } = await import('node:fs')
  cpSync(join(folder, 'alive'), copy, { recursive: true, filter: path => !path.endsWith('.lock') })
  const second = await start({ data: copy })
  // Whoever registered last counts; the other one hears that somebody else has its number.
  await assert.rejects(alive.failed, /two nodes have the number \d+/)
  assert.equal(second.nodeId, alive.nodeId)
  assert.ok((await serving(first)).includes(second.nodeId))
})

test('clocks that disagree are spoken of', async () => {
  const { clock } = nodeWorld
  const ahead = { ...nodeWorld, clock: { now: () => clock.now() + 30_000, mono: () => clock.mono() } }
  const log = new LogLines()
  running.push(await startOne({ join: first.bootstrap, token: first.joinToken }, log, ahead))
  log.match(/^warn the clock of this machine is (29|30)\.\d s ahead of the controller's: set both by NTP /)
})
