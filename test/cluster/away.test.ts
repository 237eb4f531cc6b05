// What a node says while the voters of the metadata are away, and how nodes find each other that have all moved.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { clusterView } from '../../src/client/cluster-view.ts'
import type { RunningNode } from '../../src/node.ts'
import { clientOf, eventually, freePort, LogLines, type Settings, startOne } from './kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'ottla-away-'))
const token = 'ottla_a-secret-of-three-nodes'
const running = new Map<number, RunningNode>()
const log = new LogLines()
let ports: number[] = []

async function start(id: number, settings: Settings = {}, logger?: LogLines): Promise<void> {
  const own = { data: join(folder, String(id)), port: ports[id - 1]!, 'node.id': id, token }
  running.set(id, await startOne({ ...own, 'quorum.voter.probation.ms': 0, ...settings }, logger))
}

async function stop(id: number): Promise<void> {
  const node = running.get(id)
  running.delete(id)
  await node?.stop()
}

const addressOf = (id: number) => `127.0.0.1:${ports[id - 1]}`

async function newPorts(): Promise<void> {
  ports = []
  while (ports.length < 3) ports = [...new Set([...ports, await freePort()])]
}

/** As node 1 tells them, once there are three. */
const whole = () =>
  eventually(async () => {
    const client = clientOf(addressOf(1))
    try {
      const { nodes, quorum } = await clusterView(client)
      assert.equal(quorum.filter(({ voter }) => voter).length, 3)
      assert.deepEqual(
        nodes.map(({ id, address, fenced }) => [id, address, fenced]),
        [1, 2, 3].map(id => [id, addressOf(id), false]),
      )
    } finally {
      client.close()
    }
  }, 20_000)

/** Said by node 1 when the others, at these addresses, are away. */
const alone = (others: readonly string[]) =>
  'warn nobody decides about the metadata: that takes 2 of 3 voters, and nodes ' +
  `2 (${others[0]}), 3 (${others[1]}) cannot be reached; topics, leaders and members stay as they are until then ` +
  '(a node that has a new address finds the others with --join and one of theirs) {}'

before(async () => {
  await newPorts()
  await start(1, {}, log)
  for (const id of [2, 3]) await start(id, { join: addressOf(1) })
  await whole()
})

after(async () => {
  for (const id of [3, 2, 1]) await stop(id)
  rmSync(folder, { recursive: true, force: true })
})

test('a node that is left alone says whom it misses, and that they are back', async () => {
  await stop(3)
  await stop(2)
  await eventually(() => assert.ok(log.lines.includes(alone([addressOf(2), addressOf(3)]))))
  await start(2)
  await eventually(() => log.match(/^info the metadata of the cluster is led again {"node":[12]}$/))
  await start(3)
})

test('nodes that have all moved find each other when one is told where another is; until then they wait, and say so', async () => {
  for (const id of [3, 2, 1]) await stop(id)
  const before = [addressOf(2), addressOf(3)]
  await newPorts()
  const said = new LogLines()
  const first = start(1, {}, said)
  await eventually(() => assert.ok(said.lines.includes(alone(before))))
  await Promise.all([first, ...[2, 3].map(id => start(id, { join: addressOf(1) }))])
  await whole()
  // They know it by themselves from now on.
  for (const id of [3, 2, 1]) await stop(id)
  await Promise.all([1, 2, 3].map(id => start(id)))
  await whole()
})
