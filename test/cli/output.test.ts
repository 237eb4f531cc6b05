import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, signal } from '../children.ts'
import { freePort } from '../free-port.ts'
import { ottla, scratch } from './processes.ts'

const folder = scratch()
after(() => folder.remove())

const start = (port: number, data: string, ...more: string[]): string[] => {
  const where = ['bin/ottla.js', 'start', '--host', '127.0.0.1', '--port', String(port), '--data', data]
  return [...where, '--set', 'offsets.topic.num.partitions=1', ...more]
}

function run(
  program: string,
  args: readonly string[],
  stdout: 'pipe' | number = 'pipe',
  channel = false,
): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', stdout, stdout, ...(channel ? (['ipc'] as const) : [])] })
  alive.add(child.pid!)
  child.once('exit', () => alive.delete(child.pid!))
  return child
}

/** Sooner or later it takes a record and gives it back. */
async function serves(port: number): Promise<void> {
  const bootstrap = `127.0.0.1:${port}`
  for (const until = performance.now() + 15_000; ; await sleep(100)) {
    const { code, stderr } = await ottla(['produce', 'a', '-b', bootstrap, '-m', 'x'])
    if (code === 0) return
    assert.ok(performance.now() < until, stderr)
  }
}

async function stopsCleanly(
  child: ChildProcess,
  data: string,
  ask: () => unknown = () => child.kill('SIGTERM'),
): Promise<void> {
  const ended = once(child, 'exit')
  ask()
  assert.deepEqual(await ended, [0, null])
  assert.ok(existsSync(join(data, '.kafka_cleanshutdown')), 'it handed over nothing and marked nothing')
}

test('a node whose log nobody reads any more serves on, and stops cleanly', async () => {
  const [port, data] = [await freePort(), join(folder.path, 'unread')]
  const node = run(process.execPath, start(port, data))
  node.stdout!.destroy()
  node.stderr!.destroy()
  await serves(port)
  await stopsCleanly(node, data)
})

test('a node whose log is on a full disk serves on, and stops cleanly', {
  skip: !existsSync('/dev/full'),
}, async () => {
  const [port, data] = [await freePort(), join(folder.path, 'full')]
  const full = openSync('/dev/full', 'w')
  const node = run(process.execPath, start(port, data), full)
  closeSync(full)
  await serves(port)
  await stopsCleanly(node, data)
})

test('a node whose starter is gone, and with it the reader of its log, stops cleanly', async () => {
  const [port, data] = [await freePort(), join(folder.path, 'orphan')]
  const node = run(process.execPath, start(port, data), 'pipe', true)
  node.stdout!.destroy()
  node.stderr!.destroy()
  await serves(port)
  await stopsCleanly(node, data, () => node.disconnect())
})

test('a node whose terminal is hung up stops cleanly', { skip: !existsSync('/usr/bin/script') }, async t => {
  const [port, data] = [await freePort(), join(folder.path, 'terminal')]
  const [pid, code] = [join(folder.path, 'pid'), join(folder.path, 'code')]
  // As interactive shells do, and after them the kernel and the end of the session.
  const command = [process.execPath, ...start(port, data)].join(' ')
  const node = `trap "" HUP; sh -c 'echo $$ > ${pid}; exec ${command}'; echo $? > ${code}`
  const hangUp = `trap "" HUP; p=$(cat ${pid}); kill -HUP $p; kill -HUP $p; kill $p`
  const shell = `(${node}) & trap '${hangUp}' HUP; wait; wait`
  const terminal = run('script', ['-qfc', shell, '/dev/null'])
  t.after(() => existsSync(pid) && signal(Number(readFileSync(pid, 'utf8')), 'SIGKILL'))
  terminal.stdout!.resume()
  await serves(port)
  terminal.kill('SIGKILL')
  for (const until = performance.now() + 15_000; !existsSync(code) || readFileSync(code).length === 0; await sleep(50))
    assert.ok(performance.now() < until, `it does not end: ${readdirSync(data)}`)
  assert.equal(readFileSync(code, 'utf8'), '0\n')
  assert.ok(existsSync(join(data, '.kafka_cleanshutdown')))
})

test('a cluster of local processes goes on when nobody reads what it says', async () => {
  const port = await freePort()
  const args = ['bin/ottla.js', 'cluster', 'up', '--nodes', '1', '--port', String(port), '--memory']
  const up = run(process.execPath, args)
  up.stdout!.destroy()
  up.stderr!.destroy()
  await serves(port)
  const ended = once(up, 'exit')
  up.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})
