import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import type { Address, Net, Socket } from '../world/world.ts'
import { ownNet } from './own-net.ts'

const own = [
  { host: '10.0.0.1', port: 9092 },
  { host: 'broker.example.org', port: 19092 },
]

test('what goes to the own node stays in memory, the rest takes the network', async () => {
  const accepted: Socket[] = []
  const dialed: Address[] = []
  const outside: Net = {
    listen: () => Promise.reject(new Error('no')),
    addresses: () => ['10.0.0.1'],
    connect: address => {
      dialed.push(address)
      return Promise.reject(new Error('nobody is there'))
    },
  }
  const net = ownNet(outside, nodeWorld.timers, { accept: socket => accepted.push(socket), addresses: () => own })
  for (const address of own) assert.deepEqual((await net.connect({ ...address })).remote, address)
  // The node tells its clients the address at which they came: that one is its own again.
  assert.deepEqual(
    accepted.map(({ local }) => local),
    own,
  )
  for (const other of [
    { host: '10.0.0.1', port: 9093 },
    { host: '10.0.0.2', port: 9092 },
  ]) {
    await assert.rejects(net.connect(other), /nobody is there/)
    assert.deepEqual(dialed.at(-1), other)
  }
  assert.equal(accepted.length, 2)
})
