import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import { LazyPeers } from './lazy-peers.ts'

test('what cannot be loaded is as a node that cannot be reached, and is tried again', async () => {
  let attempts = 0
  const options = {
    world: nodeWorld,
    logger: silent,
    clientId: 'test',
    clusterId: 'test',
    addresses: () => [],
    lastResort: () => [],
    token: 'a-token-for-tests-that-is-long-enough',
    requestTimeoutMs: 1000,
  }
  const peers = new LazyPeers(options, () => {
    attempts++
    return Promise.reject(new Error('EMFILE: too many open files'))
  })
  const ask = () => peers.send({ id: 2 } as never, ApiVersions as never, {} as never)
  await assert.rejects(ask(), { errorName: 'NETWORK_EXCEPTION', message: /EMFILE/ })
  await assert.rejects(ask(), { errorName: 'NETWORK_EXCEPTION' })
  assert.equal(attempts, 2)
})
