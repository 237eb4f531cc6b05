import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { KafkaError } from '../protocol/errors.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { Heartbeat } from '../protocol/messages/heartbeat.ts'
import { ListGroups } from '../protocol/messages/list-groups.ts'
import { nodeWorld } from '../world/node.ts'
import { Connection } from './connection.ts'
import { defaultClientOptions } from './options.ts'
import { ScriptedBroker } from './testing.ts'

const options = { ...defaultClientOptions, requestTimeoutMs: 1000 }
const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' }
const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

async function broker(): Promise<ScriptedBroker> {
  const started = await ScriptedBroker.start(nodeWorld)
  stops.push(() => started.stop())
  return started
}

const named = (name: string) => (error: unknown) => error instanceof KafkaError && error.errorName === name

test('speaks the newest version that both know', async () => {
  const peer = (await broker()).on(Heartbeat, () => ({ errorCode: 0 }), { min: 1, max: 2 })
  const connection = await Connection.open(nodeWorld, peer.address, options)
  assert.equal((await connection.request(Heartbeat, heartbeat)).errorCode, 0)
  assert.equal((await connection.request(Heartbeat, heartbeat, { maxVersion: 1 })).errorCode, 0)
  assert.deepEqual(peer.heard.slice(1), ['Heartbeat v2', 'Heartbeat v1'])
  await assert.rejects(connection.request(Heartbeat, heartbeat, { minVersion: 3 }), named('UNSUPPORTED_VERSION'))
  await assert.rejects(connection.request(ListGroups, {}), named('UNSUPPORTED_VERSION'))
  connection.close()
})

test('comes down to an older ApiVersions', async () => {
  const peer = (await broker()).on(Heartbeat, () => ({ errorCode: 0 }))
  const reply = () => ({ errorCode: 0, apiKeys: [{ apiKey: 12, minVersion: 0, maxVersion: 0 }] })
  peer.on(ApiVersions, reply, { min: 0, max: 2 })
  const connection = await Connection.open(nodeWorld, peer.address, options)
  assert.deepEqual(peer.heard, [`ApiVersions v${ApiVersions.versions.max}`, 'ApiVersions v2'])
  assert.equal(connection.versionOf(Heartbeat as never), 0)
  connection.close()
})

test('keeps many requests under way, and not more than it may', async () => {
  let most = 0
  let open = 0
  const peer = (await broker()).on(Heartbeat, async request => {
    most = Math.max(most, ++open)
    await new Promise(resolve => setTimeout(resolve, 5))
    open--
    return { errorCode: request.generationId }
  })
  const connection = await Connection.open(nodeWorld, peer.address, { ...options, maxInFlight: 4 })
  const asked = Array.from({ length: 20 }, (_, i) => connection.request(Heartbeat, { ...heartbeat, generationId: i }))
  const codes = (await Promise.all(asked)).map(answer => answer.errorCode)
  assert.deepEqual(
    codes,
    asked.map((_, i) => i),
  )
  assert.equal(most, 4)
  connection.close()
})

test('gives the connection up when an answer does not come in time', async () => {
  const peer = (await broker()).on(Heartbeat, () => 'silence')
  const connection = await Connection.open(nodeWorld, peer.address, options)
  let closed = 0
  connection.onClose(() => closed++)
  const patient = connection.request(Heartbeat, heartbeat, { timeoutMs: 5000 })
  const hasty = connection.request(Heartbeat, heartbeat, { timeoutMs: 20 })
  await assert.rejects(hasty, named('REQUEST_TIMED_OUT'))
  await assert.rejects(patient, named('REQUEST_TIMED_OUT'))
  assert.ok(connection.closed)
  assert.equal(closed, 1)
  await assert.rejects(connection.request(Heartbeat, heartbeat), named('REQUEST_TIMED_OUT'))
})

test('says so when the broker hangs up', async () => {
  const peer = (await broker()).on(Heartbeat, () => 'hang up')
  const connection = await Connection.open(nodeWorld, peer.address, options)
  await assert.rejects(connection.request(Heartbeat, heartbeat), named('NETWORK_EXCEPTION'))
})

test('says so when nobody listens', async () => {
  const peer = await ScriptedBroker.start(nodeWorld)
  const { address } = peer
  await peer.stop()
  await assert.rejects(Connection.open(nodeWorld, address, options), named('NETWORK_EXCEPTION'))
})

test('does not read an answer that is larger than it may be', async () => {
  const peer = (await broker()).on(ListGroups, () => ({
    errorCode: 0,
    groups: [{ groupId: 'x'.repeat(10000), protocolType: '' }],
  }))
  const connection = await Connection.open(nodeWorld, peer.address, { ...options, maxResponseBytes: 5000 })
  await assert.rejects(connection.request(ListGroups, {}), /limit is 5000/)
})
