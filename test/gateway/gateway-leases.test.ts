// Lease groups at a gateway, which coordinates none.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningCluster, startBroker, startCluster } from '../../src/index.ts'
import { newJoinToken } from '../../src/security/join-token.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { ask } from './kit.ts'

const token = newJoinToken(nodeWorld.random)
let nodes: RunningCluster

before(async () => {
  nodes = await startCluster({ config: { token } })
})

after(() => nodes?.stop())

test('a gateway that nobody has pulled from lists the groups that there are', async () => {
  const node = `http://127.0.0.1:${nodes.nodes[0]!.port}`
  await ask(`${node}/topics/jobs/records`, { body: { value: 1 } })
  const { json } = await ask(`${node}/topics/jobs/pull?group=workers&waitMs=5000`, { method: 'POST' })
  assert.equal(json.records.length, 1)
  const gateway = await startBroker({ config: { roles: 'gateway', join: nodes.bootstrap, token } })
  try {
    const listed = await ask(`http://127.0.0.1:${gateway.port}/lease-groups`)
    assert.equal(listed.status, 200, listed.text)
    assert.deepEqual(listed.json.groups.map(({ group }: { group: string }) => group), ['workers']) // biome-ignore format: one line
  } finally {
    await gateway.stop()
  }
})
