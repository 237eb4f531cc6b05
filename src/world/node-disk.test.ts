import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { nodeDisk } from './node-disk.ts'

const root = mkdtempSync(join(tmpdir(), 'ottla-disk-'))
after(() => rmSync(root, { recursive: true, force: true }))

test('writes many chunks at a place, reads them back in both ways', async () => {
  const file = nodeDisk.open(join(root, 'many'), 'create')
  const chunks = Array.from({ length: 2500 }, (_, i) => Buffer.from(`chunk ${i};`))
  file.write([Buffer.from('head')], 0)
  file.write(chunks, 4)
  const whole = Buffer.concat([Buffer.from('head'), ...chunks])
  assert.equal(file.size(), whole.length)
  for (const into of [Buffer.alloc(whole.length + 10), Buffer.alloc(100)]) {
    const expected = whole.subarray(7, 7 + into.length)
    assert.equal(file.read(into, 7), expected.length)
    assert.deepEqual(into.subarray(0, expected.length), expected)
    into.fill(0)
    assert.equal(await file.readLater(into, 7), expected.length)
    assert.deepEqual(into.subarray(0, expected.length), expected)
  }
  await file.sync()
  file.truncate(10)
  assert.equal(file.size(), 10)
  file.close()
  file.close()
  assert.throws(() => nodeDisk.open(join(root, 'none'), 'write'), { code: 'ENOENT' })
  assert.throws(() => nodeDisk.open(join(root, 'many'), 'read').write([whole], 0), { code: 'EBADF' })
})

test('replaces a file as a whole, the last one wins, with its permissions', async () => {
  const path = join(root, 'meta')
  writeFileSync(`${path}.tmp`, 'left behind')
  await Promise.all(['one', 'two', 'three'].map(text => nodeDisk.replaceFile(path, text, 0o600)))
  assert.equal(nodeDisk.readFile(path).toString(), 'three')
  if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(nodeDisk.exists(`${path}.tmp`), false)
  await assert.rejects(nodeDisk.replaceFile(join(root, 'no', 'folder'), 'x'), { code: 'ENOENT' })
})

test('folders', async () => {
  const folder = join(root, 'folder')
  nodeDisk.makeDirectory(folder)
  nodeDisk.makeDirectory(folder)
  nodeDisk.writeFile(join(folder, 'b'), 'b')
  nodeDisk.writeFile(join(folder, 'a'), 'aa')
  assert.deepEqual(nodeDisk.list(folder), ['a', 'b'])
  assert.equal(nodeDisk.size(join(folder, 'a')), 2)
  nodeDisk.rename(join(folder, 'a'), join(folder, 'c'))
  nodeDisk.remove(join(folder, 'b'))
  await nodeDisk.syncDirectory(folder)
  assert.deepEqual(nodeDisk.list(folder), ['c'])
  nodeDisk.removeTree(folder)
  nodeDisk.removeTree(folder)
  assert.throws(() => nodeDisk.list(folder), { code: 'ENOENT' })
  const { free, total } = nodeDisk.space(root)
  assert.ok(free > 0 && free <= total)
})

test('a lock excludes this process and others, and dies with its holder', async () => {
  const path = join(root, '.lock')
  const lock = nodeDisk.lock(path)
  assert.ok(lock !== null)
  assert.equal(nodeDisk.lock(path), null)
  assert.ok(nodeDisk.lock(join(root, '.lock2')) !== null, 'another file is another lock')

  const module = pathToFileURL(join(import.meta.dirname, 'node-disk.js')).href
  const script = `const { nodeDisk } = await import(${JSON.stringify(module)})
    console.log(nodeDisk.lock(${JSON.stringify(path)}) !== null); setInterval(() => {}, 1000)`
  const attempt = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [answer] = await once(child.stdout, 'data')
    return { child, got: String(answer).trim() === 'true' }
  }
  const stop = async ({ child }: Awaited<ReturnType<typeof attempt>>): Promise<void> => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  const refused = await attempt()
  assert.equal(refused.got, false)
  await stop(refused)
  lock.release()
  const holder = await attempt()
  assert.equal(holder.got, true)
  assert.equal(nodeDisk.lock(path), null)
  await stop(holder)
  const again = nodeDisk.lock(path)
  assert.ok(again !== null, 'the holder was killed')
  again.release()
  again.release()
})

test('a lock can be taken on a full disk; with any other error it is not kept', {
  skip: process.platform !== 'linux',
}, t => {
  const path = join(root, '.lock-full')
  let code = 'EIO'
  t.mock.method(fs, 'writeSync', () => {
    throw Object.assign(new Error(code), { code })
  })
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  assert.throws(() => nodeDisk.lock(path), { code: 'EIO' })
  code = 'ENOSPC'
  const lock = nodeDisk.lock(path)
  assert.ok(lock !== null)
  assert.equal(nodeDisk.lock(path), null)
  lock.release()
})

test('a note of a process that is gone, or that was another one, locks nothing', {
  skip: process.platform !== 'linux',
}, () => {
  const path = join(root, '.lock3')
  for (const note of ['', 'nonsense', '{"pid":1,"started":"1","where":"elsewhere"}', '{"pid":999999999}']) {
    writeFileSync(path, note)
    const lock = nodeDisk.lock(path)
    assert.ok(lock !== null, note)
    lock.release()
  }
})

test('a folder is made with those above it; where that cannot be, it is said at once', () => {
  const path = join(root, 'a', 'b', 'c')
  nodeDisk.makeDirectory(path)
  nodeDisk.makeDirectory(path)
  assert.ok(nodeDisk.exists(path))
  nodeDisk.writeFile(join(root, 'file'), Buffer.from(''))
  assert.throws(() => nodeDisk.makeDirectory(join(root, 'file')), { code: 'EEXIST' })
  assert.throws(() => nodeDisk.makeDirectory(join(root, 'file', 'below')), { code: 'ENOTDIR' })
  if (process.platform === 'linux') assert.throws(() => nodeDisk.makeDirectory('/proc/ottla'), { code: 'ENOENT' })
})
