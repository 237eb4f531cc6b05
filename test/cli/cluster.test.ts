import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ottla, scratch } from './processes.ts'

const place = scratch()
let port: number
let up: ReturnType<typeof spawn>
let bootstrap: string

before(async () => {
  port = await freePorts(3)
  bootstrap = await start()
})

after(async () => {
  await stop()
  place.remove()
})

/** Three processes; their addresses. */
async function start(data = place.path): Promise<string> {
  const args = ['cluster', 'up', '--nodes', '3', '--port', String(port), '--data', data]
  up = spawn(process.execPath, ['bin/ottla.js', ...args, '--set', 'offsets.topic.num.partitions=1'])
  let text = ''
  return new Promise((resolve, reject) => {
    // Read to the end: it goes on to tell what its nodes have to say.
    up.stdout!.setEncoding('utf8').on('data', chunk => {
      text += chunk
      const ready = text.split('\n').find(line => line.includes('"ready"'))
      if (ready !== undefined) resolve(JSON.parse(ready).bootstrap)
    })
    up.once('exit', () => reject(new Error(`ended: ${text}`)))
  })
}

async function stop(): Promise<number | null> {
  if (up.exitCode !== null) return up.exitCode
  up.kill('SIGINT')
  const [code] = await once(up, 'exit')
  return code
}

const words = (line: string) => line.split('\t')

test('a cluster of processes serves, shows its nodes, and comes back with its data, at other ports, too', async () => {
  assert.equal(bootstrap.split(',').length, 3)
  const [first = ''] = bootstrap.split(',')
  const made = await ottla(['topics', 'create', 'hello', '-b', first, '--replication-factor', '3'])
  assert.equal(made.code, 0, made.stderr)
  await ottla(['produce', 'hello', '-b', bootstrap, '-m', 'Hello, cluster!'])
  const nodes = await ottla(['nodes', '-b', first])
  const rows = nodes.stdout.trim().split('\n').map(words)
  assert.deepEqual(
    rows.map(([id, address, state]) => [id, address, state]),
    [1, 2, 3].map(id => [String(id), `127.0.0.1:${port + id - 1}`, 'serving']),
  )
  assert.equal(rows.filter(([, , , quorum]) => quorum === 'controller').length, 1)
  const described = JSON.parse((await ottla(['cluster', 'describe', '--json', '-b', first])).stdout)
  assert.equal(described.nodes.length, 3)
  assert.equal(await stop(), 0)
  port = await freePorts(3)
  bootstrap = await start()
  assert.deepEqual(
    bootstrap.split(','),
    [0, 1, 2].map(i => `localhost:${port + i}`),
  )
  const read = await ottla(['consume', 'hello', '-b', bootstrap, '--from-beginning', '-c', '1'])
  assert.equal(read.stdout, 'Hello, cluster!\n')
})

test('a node that cannot be drained, removed or found is left as it is, and the reason said', async () => {
  const say = async (...args: string[]) => (await ottla(['nodes', ...args, '-b', bootstrap])).stderr
  assert.match(await say('drain', '2'), /node 2 cannot be spared: without it 2 nodes are left, too few for the copies/)
  assert.match(await say('remove', '3'), /node 3 is running: ottla nodes drain 3, then stop it/)
  assert.match(await say('remove', '9'), /there is no node 9; there are 1, 2, 3/)
})

test('who must not join hears why, in one sentence', async () => {
  const at = bootstrap.split(',')[0]!
  const token = readFileSync(join(place.path, 'node-1/join-token'), 'utf8').trim()
  const clusterId = JSON.parse((await ottla(['cluster', 'describe', '--json', '-b', at])).stdout).clusterId
  const cases: readonly [args: readonly string[], sentence: string][] = [
    [[], 'to join a cluster takes its token (--token or OTTLA_TOKEN): it is in the file join-token of its nodes'],
    [
      ['--token', 'ottla_of-another-cluster-altogether'],
      `${at} does not accept the token: take the one in the file join-token of a node of that cluster`,
    ],
    [
      ['--token', token, '--set', 'cluster.id=AAAAAAAAAAAAAAAAAAAAAA'],
      `the nodes at --join are cluster ${clusterId}, not AAAAAAAAAAAAAAAAAAAAAA`,
    ],
    [
      ['--token', token, '--set', 'node.id=2', '--set', 'initial.broker.registration.timeout.ms=500'],
      'a node with this node.id is running already: choose another one, or leave it out',
    ],
  ]
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await ottla(['start', '--port', '0', '--memory', '--join', at, ...args])
    // It may say before that it waits for a former life of its own.
    const others = stdout.split('\n').filter(line => line !== '' && !line.includes('"message":"waiting: '))
    assert.deepEqual([code, others, stderr], [1, [], `ottla: ${sentence}\n`])
  }
})

test('a cluster that was interrupted at its very beginning begins again', async () => {
  assert.equal(await stop(), 0)
  const data = join(place.path, 'interrupted')
  // The first node had its number and no more, the second one had just joined.
  for (const id of [1, 2]) {
    const identity = `cluster.id=AauM3WNygOvKsnjDZCnatA\nnode.id=${id}\ndirectory.id=AauM3WNygOvKsnjDZCna${id}A\n`
    mkdirSync(join(data, `node-${id}`), { recursive: true })
    writeFileSync(join(data, `node-${id}/meta.properties`), `version=1\n${identity}`)
  }
  writeFileSync(join(data, 'node-2/joined'), '')
  bootstrap = await start(data)
  assert.equal(bootstrap.split(',').length, 3)
})

async function freePorts(count: number): Promise<number> {
  for (let first = 20_000 + (process.pid % 20_000); ; first += count) {
    const servers = Array.from({ length: count }, (_, i) => createServer().listen(first + i, '127.0.0.1'))
    const free = await Promise.all(
      servers.map(server => {
        return new Promise<boolean>(resolve => {
          server.once('listening', () => resolve(true))
          server.once('error', () => resolve(false))
        })
      }),
    )
    await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
    if (free.every(Boolean)) return first
  }
}
