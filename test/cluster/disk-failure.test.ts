import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Producer } from '../../src/client/producer.ts'
import type { FencedLog } from '../../src/cluster/orderer/fenced/fenced-log.ts'
import { TestStore } from '../../src/cluster/orderer/fenced/testing.ts'
import { resolveConfig } from '../../src/config/sources.ts'
import { type RunningNode, startNode } from '../../src/node.ts'
import { silent } from '../../src/world/logger.ts'
import { nodeWorld } from '../../src/world/node.ts'
import type { World } from '../../src/world/world.ts'
import { clientOf, eventually } from './kit.ts'

const folder = mkdtempSync(join(tmpdir(), 'ottla-disk-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** `whole`, but for some of its methods. */
function instead<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(_, name) {
      if (name in parts) return Reflect.get(parts, name)
      const value = Reflect.get(whole, name, whole)
      return typeof value === 'function' ? value.bind(whole) : value
    },
  })
}

/** A disk that can write no file whose path matches, any more. */
function failing(): { world: World; fails: (path: RegExp) => void } {
  let bad: RegExp | null = null
  const { disk } = nodeWorld
  const unless = <T>(path: string, run: () => Promise<T>): Promise<T> =>
    bad?.test(path) ? Promise.reject(new Error('EIO: i/o error')) : run()
  const open: typeof disk.open = (path, how) => {
    const file = disk.open(path, how)
    return instead(file, { sync: () => unless(path, () => file.sync()) })
  }
  const replaceFile: typeof disk.replaceFile = (path, ...rest) => unless(path, () => disk.replaceFile(path, ...rest))
  return {
    world: { ...nodeWorld, disk: { ...disk, open, replaceFile } },
    fails: path => {
      bad = path
    },
  }
}

/** Its connections to the store, and whether each was closed. */
function watched(store: TestStore): { open: () => FencedLog; closed: boolean[] } {
  const closed: boolean[] = []
  const open = () => {
    const i = closed.push(false) - 1
    const log = store.client(() => false)
    const close = () => {
      closed[i] = true
      log.close()
    }
    return instead(log, { close })
  }
  return { open, closed }
}

function start(name: string, world: World, fencedLog: () => FencedLog): Promise<RunningNode> {
  const settings = { host: '127.0.0.1', port: '0', data: join(folder, name), orderer: 'redis://127.0.0.1:1' }
  const flags = Object.entries(settings).map(([key, value]) => ({ name: key, value, origin: key }))
  return startNode({ config: resolveConfig({ flags }), world, logger: silent, fencedLog })
}

test('a disk that fails at the start ends a node whose metadata is elsewhere: nothing of it goes on', async () => {
  const store = new TestStore(nodeWorld)
  const { world, fails } = failing()
  const { open, closed } = watched(store)
  fails(/orderer-state$/)
  await assert.rejects(start('at-start', world, open), /EIO/)
  await eventually(() => assert.ok(closed.length > 0 && closed.every(is => is), 'it is still connected'))
})

test('a disk that fails later takes the lead from its node at once: others need not wait for the lease', async () => {
  const store = new TestStore(nodeWorld)
  const { world, fails } = failing()
  const { open, closed } = watched(store)
  const node = await start('later', world, open)
  assert.notEqual(store.state?.lease, '')
  fails(/a-0/)
  const client = clientOf(node.bootstrap)
  const sent = new Producer(client).send({ topic: 'a', partition: 0, key: null, value: Buffer.from('x') })
  sent.catch(() => {})
  await assert.rejects(node.failed, /EIO/)
  client.close()
  await eventually(() =>
    assert.ok(
      closed.every(is => is),
      'it is still connected',
    ),
  )
  assert.equal(store.state?.lease, '')
})
