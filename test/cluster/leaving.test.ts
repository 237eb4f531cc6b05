import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { drain, remove, replace, undrain } from '../../src/cli/nodes/change.ts'
import { list } from '../../src/cli/nodes/list.ts'
import { createPaint } from '../../src/cli/paint.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { clusterView } from '../../src/client/cluster-view.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { clientOf, eventually } from './kit.ts'

let running: RunningCluster
let client: Cluster
let said = ''

const out = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream
const terminal: Terminal = {
  env: {},
  world: nodeWorld,
  stdin: process.stdin,
  stdout: out,
  stderr: out,
  paint: createPaint(false),
  errorPaint: createPaint(false),
  isTerminal: false,
  onOutputClosed() {},
  outputMayBeLost() {},
  print() {},
}
const flags = () => ({ bootstrapServer: running.bootstrap })

before(async () => {
  running = await startCluster({ nodes: 4 })
  client = clientOf(running.bootstrap)
  await new Admin(client).createTopics([{ name: 'a', partitions: 8 }])
  const producer = new Producer(client)
  const values = Array.from({ length: 800 }, (_, i) => i)
  await Promise.all(
    values.map(i => producer.send({ topic: 'a', partition: i % 8, key: null, value: Buffer.alloc(500) })),
  )
})

after(async () => {
  client?.close()
  await running?.stop()
})

interface Row {
  readonly node: number
  readonly state: string
  readonly quorum: string
  readonly leads: number
  readonly holds: number
}

async function rows(): Promise<Row[]> {
  said = ''
  await list({ ...flags(), json: true }, terminal)
  const lines = said
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row)
  return lines.filter(row => row.node !== undefined)
}

const voters = async () => {
  const { quorum } = await clusterView(client)
  return quorum
    .filter(({ voter }) => voter)
    .map(({ id }) => id)
    .sort()
}

test('topics that do not say get three copies, spread over all nodes', async () => {
  const shown = await rows()
  assert.deepEqual(
    shown.map(({ node, state }) => [node, state]),
    [1, 2, 3, 4].map(id => [id, 'serving']),
  )
  assert.equal(
    shown.reduce((sum, { holds }) => sum + holds, 0),
    24,
  )
  assert.equal(
    shown.reduce((sum, { leads }) => sum + leads, 0),
    8,
  )
  assert.ok(shown.every(({ holds }) => holds >= 4))
  assert.equal(shown.filter(({ quorum }) => quorum === 'controller').length, 1)
  assert.equal((await voters()).length, 3)
})

test('a node that is drained gives away its data and its vote, and gets a share again when it shall', async () => {
  const [leaving = 0] = (await voters()).filter(id => id !== 1)
  await drain(String(leaving), flags(), terminal)
  const drained = (await rows()).find(({ node }) => node === leaving)
  assert.deepEqual([drained?.state, drained?.leads, drained?.holds], ['draining', 0, 0])
  assert.ok(!(await voters()).includes(leaving))
  assert.equal((await voters()).length, 3)
  await undrain(String(leaving), flags(), terminal)
  await eventually(async () => {
    const again = (await rows()).find(({ node }) => node === leaving)
    assert.deepEqual([again?.state, (again?.holds ?? 0) > 0], ['serving', true])
  })
})

test('who waits for what cannot be made elsewhere, or for a node that has come back, is told so', async () => {
  const four = running.nodes.find(({ id }) => id === 4)!
  const admin = new Admin(client)
  await admin.createTopics([{ name: 'lonely', assignments: [[4]] }])
  await four.stop()
  // Its seconds are short.
  const { clock } = nodeWorld
  const hasty = { ...terminal, world: { ...nodeWorld, clock: { ...clock, mono: () => 5 * clock.mono() } } }
  await assert.rejects(
    replace('4', flags(), hasty),
    /nobody leads 1 partition of those that node 4 holds \(lonely-0\), so they cannot be copied: start a node that has them/,
  )
  const waits = replace('4', flags(), terminal)
  await Promise.all([
    assert.rejects(
      waits,
      /node 4 runs again, and keeps what it holds: to take it out all the same, ottla nodes drain 4/,
    ),
    // It has looked by then.
    sleep(1500).then(() => four.start()),
  ])
  await admin.deleteTopics(['lonely'])
})

test('a node that died is replaced by the others, and forgotten', async () => {
  const dead = running.nodes.find(({ id }) => id === 4)!
  await assert.rejects(replace('4', flags(), terminal), /node 4 is running/)
  await dead.stop()
  await assert.rejects(
    remove('4', flags(), terminal),
    /^Failure: node 4 still holds \d partitions: ottla nodes replace 4 has them made elsewhere$/,
  )
  await replace('4', flags(), terminal)
  const left = await rows()
  assert.deepEqual(
    left.map(({ node, holds, state }) => [node, holds, state]),
    [1, 2, 3].map(id => [id, 8, 'serving']),
  )
  assert.deepEqual(await voters(), [1, 2, 3])
  await assert.rejects(remove('4', flags(), terminal), /there is no node 4; there are 1, 2, 3/)
})

test('with as many nodes as copies none can be spared', async () => {
  await assert.rejects(
    drain('2', flags(), terminal),
    /node 2 cannot be spared: without it 2 nodes are left, too few for the copies of 8 partitions \(a-0/,
  )
})
