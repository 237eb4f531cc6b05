import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { open, start } from './kit.ts'

const hasIpv6 = Object.values(networkInterfaces()).some(all => all?.some(({ address }) => address === '::1'))

/** What a client that came to `host` is told, by all three APIs that name addresses. */
async function told(port: number, host: string): Promise<string> {
  const wire = await open({ port }, host)
  const { brokers } = await wire.ask(Metadata, 12, { topics: [] })
  const cluster = await wire.ask(DescribeCluster, 0, { includeClusterAuthorizedOperations: false })
  const old = await wire.ask(FindCoordinator, 3, { key: 'g' })
  const several = await wire.ask(FindCoordinator, 4, { coordinatorKeys: ['g'] })
  wire.close()
  const all = [brokers[0]!, cluster.brokers[0]!, old, several.coordinators[0]!]
  const [first, ...others] = all.map(({ host, port }) => `${host} ${port}`)
  for (const other of others) assert.equal(other, first)
  return first!
}

test('each client is told the address at which it came', async () => {
  const { port } = await start({ host: '0.0.0.0' })
  for (const host of ['127.0.0.1', '127.0.0.2', '127.1.2.3']) assert.equal(await told(port, host), `${host} ${port}`)
})

test('IPv6 and IPv4 on one listener, each is told its own', { skip: !hasIpv6 }, async () => {
  const { port } = await start({ host: '::' })
  assert.equal(await told(port, '::1'), `::1 ${port}`)
  assert.equal(await told(port, '127.0.0.1'), `127.0.0.1 ${port}`)
})

test('localhost is both addresses of this machine, and nobody else', async () => {
  const { port } = await start({ host: 'localhost' })
  assert.equal(await told(port, '127.0.0.1'), `127.0.0.1 ${port}`)
  if (hasIpv6) assert.equal(await told(port, '::1'), `::1 ${port}`)
  await assert.rejects(open({ port }, '127.0.0.2'), /ECONNREFUSED/)
})

test('advertise says another address, with the port or without', async () => {
  const named = await start({ config: { advertise: 'broker.example' } })
  assert.equal(await told(named.port, '127.0.0.1'), `broker.example ${named.port}`)
  const mapped = await start({ config: { advertise: 'broker.example:19092' } })
  assert.equal(await told(mapped.port, '127.0.0.1'), 'broker.example 19092')
})

test('advertised.listeners says one for each listener; a listener that is not in it tells what it was reached at', async () => {
  const { port } = await start({
    port: 30192,
    config: {
      listeners: 'PLAINTEXT://127.0.0.1:30192,INSIDE://127.0.0.1:30193',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT',
      'advertised.listeners': 'PLAINTEXT://outside.example:443',
    },
  })
  assert.equal(await told(port, '127.0.0.1'), 'outside.example 443')
  assert.equal(await told(30193, '127.0.0.1'), '127.0.0.1 30193')
})
