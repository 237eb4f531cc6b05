import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
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
async function start(): Promise<string> {
  const args = ['cluster', 'up', '--nodes', '3', '--port', String(port), '--data', place.path]
  up = spawn(process.execPath, ['bin/ottla.js', ...args, '--set', 'offsets.topic.num.partitions=1'])
  let text = ''
  for await (const chunk of up.stdout!) {
    text += chunk
    const ready = text.split('\n').find(line => line.includes('"ready"'))
    if (ready !== undefined) return JSON.parse(ready).bootstrap
  }
  throw new Error(`ended: ${text}`)
}

async function stop(): Promise<number | null> {
  if (up.exitCode !== null) return up.exitCode
  up.stdout?.resume()
  up.kill('SIGINT')
  const [code] = await once(up, 'exit')
  return code
}

const words = (line: string) => line.split('\t')

test('a cluster of processes serves, shows its nodes, and comes back with its data', async () => {
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
  bootstrap = await start()
  const read = await ottla(['consume', 'hello', '-b', bootstrap, '--from-beginning', '-c', '1'])
  assert.equal(read.stdout, 'Hello, cluster!\n')
})

test('a node that cannot be drained, removed or found is left as it is, and the reason said', async () => {
  const say = async (...args: string[]) => (await ottla(['nodes', ...args, '-b', bootstrap])).stderr
  assert.match(await say('drain', '2'), /node 2 cannot be spared: without it 2 nodes are left, too few for the copies/)
  assert.match(await say('remove', '3'), /node 3 is running: ottla nodes drain 3, then stop it/)
  assert.match(await say('remove', '9'), /there is no node 9; there are 1, 2, 3/)
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
