// Lease groups where Kafka's tools look for groups: as share groups (KIP-932).
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cluster } from '../../src/client/cluster.ts'
import { DescribeGroups } from '../../src/protocol/messages/describe-groups.ts'
import { ListGroups } from '../../src/protocol/messages/list-groups.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { ottla } from '../cli/processes.ts'
import { ask, start } from './kit.ts'

const node = await start()
const cluster = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port: node.port }] })
after(() => cluster.close())

async function list(statesFilter: string[] = [], typesFilter: string[] = []) {
  const [broker] = (await cluster.metadata([])).brokers
  const connection = await cluster.broker(broker!.nodeId)
  const answer = await connection.request(ListGroups, { statesFilter, typesFilter })
  assert.equal(answer.errorCode, 0)
  return answer.groups.map(({ groupId, groupState, groupType, protocolType }) => [groupId, groupState, groupType, protocolType]) // biome-ignore format: one line
}

test('a lease group is listed as a share group, by state and type', async () => {
  assert.deepEqual(await list(), [])
  await ask(`${node.url}/topics/jobs/records`, { body: { value: 1 } })
  const pull = async () => (await ask(`${node.url}/topics/jobs/pull?group=workers`, { method: 'POST' })).json.records[0]
  const { leaseId } = await pull()
  const busy = ['workers', 'Stable', 'share', 'share']
  assert.deepEqual(await list(), [busy])
  assert.deepEqual(await list(['stable'], ['Share']), [busy])
  assert.deepEqual([await list(['Empty']), await list([], ['classic', 'consumer'])], [[], []])
  assert.deepEqual((await ask(`${node.url}/groups`)).json.groups, [{ group: 'workers', state: 'Stable', type: 'share', protocolType: 'share' }]) // biome-ignore format: one line
  await ask(`${node.url}/topics/jobs/leases/${leaseId}/ack`, { method: 'POST' })
  assert.deepEqual(await list(), [['workers', 'Empty', 'share', 'share']])
  // Who waits for work is there, too.
  const aborter = new AbortController()
  const waiting = ask(`${node.url}/topics/jobs/pull?group=workers&waitMs=10000`, { method: 'POST', signal: aborter.signal }) // biome-ignore format: one line
  const gone = waiting.catch(() => {})
  for (const end = performance.now() + 5000; (await list(['Stable'])).length === 0; )
    assert.ok(performance.now() < end, 'nobody waits after 5 s')
  aborter.abort()
  await gone
})

test('it is no classic group', async () => {
  const connection = await cluster.coordinator('group', 'workers')
  const { groups } = await connection.request(DescribeGroups, { groups: ['workers', 'nobody'] })
  assert.deepEqual(
    groups.map(({ groupState, errorMessage }) => [groupState, errorMessage]),
    [
      ['Dead', 'Group workers is not a classic group.'],
      ['Dead', 'Group nobody not found.'],
    ],
  )
})

test('the command line lists it, and says where it is described', async () => {
  const run = (words: string) => ottla([...words.split(' '), '--bootstrap-server', node.bootstrap])
  assert.equal((await run('groups list')).stdout, 'workers\n')
  assert.match((await run('groups list --type share')).stdout, /workers\s+(Stable|Empty)\s+share\s+share/)
  assert.equal((await run('groups list --type classic')).stdout.includes('workers'), false)
  const { code, stderr } = await run('groups describe workers')
  assert.equal(code, 1)
  assert.match(stderr, /workers is a group of workers that pull/)
  assert.equal((await run('groups describe')).code, 0)
})
