import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { CheckpointFile } from './checkpoint-file.ts'
import { brokerEpochIn, cleanMark, OffsetCheckpoint, partitionMetadata, topicIdIn } from './checkpoints.ts'
import { departedDirectoryName, directoryName, fileName, isDeletedDirectory, offsetIn, partitionIn } from './names.ts'

test('offsets in the format of Kafka', () => {
  const text = '0\n2\nplain 0 30000\na-b_c.d 12 9007199254740991\n'
  const checkpoint = OffsetCheckpoint.parse(text)!
  assert.equal(checkpoint.get({ topic: 'a-b_c.d', partition: 12 }), Number.MAX_SAFE_INTEGER)
  assert.equal(checkpoint.get({ topic: 'plain', partition: 1 }), undefined)
  assert.equal(checkpoint.toText(), text)
  assert.equal(checkpoint.changed, false)
  checkpoint.set({ topic: 'plain', partition: 0 }, 30000)
  assert.equal(checkpoint.changed, false)
  checkpoint.delete({ topic: 'plain', partition: 0 })
  assert.equal(checkpoint.changed, true)
  assert.equal(OffsetCheckpoint.parse('0\n0\n')!.toText(), '0\n0\n')
})

test('offsets in any other format are none', () => {
  for (const text of [
    '',
    '0',
    '1\n0\n',
    '0\n1\n',
    '0\n2\na 0 1\n',
    '0\n1\na 0\n',
    '0\n1\na 0 x\n',
    '0\n1\na 0 99999999999999999999\n',
  ])
    assert.equal(OffsetCheckpoint.parse(text), null, JSON.stringify(text))
})

test('saves that come together are one, and the last values win', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/data')
  const file = new CheckpointFile(disk, '/data/points')
  const place = { topic: 'a', partition: 0 }
  await file.save()
  assert.equal(disk.exists('/data/points'), false, 'nothing to save')
  const saves: Promise<void>[] = []
  for (let offset = 1; offset <= 20; offset++) {
    file.set(place, offset)
    saves.push(file.save())
  }
  const before = disk.operations
  await Promise.all(saves)
  assert.ok(disk.operations - before < 10, `${disk.operations - before} operations`)
  assert.equal(new CheckpointFile(disk, '/data/points').get(place), 20)
  disk.writeFile('/data/points', 'noise')
  assert.equal(new CheckpointFile(disk, '/data/points').unreadable, true)
})

test('a save that fails can be tried again', async () => {
  const disk = new MemoryDisk()
  disk.makeDirectory('/data')
  const file = new CheckpointFile(disk, '/data/points')
  file.set({ topic: 'a', partition: 0 }, 5)
  disk.failingSyncs = 1
  await assert.rejects(file.save(), { code: 'EIO' })
  await file.save()
  assert.equal(disk.readFile('/data/points').toString(), '0\n1\na 0 5\n')
})

test('the other small files', () => {
  const id = 'bPQ1YzsbTMWjTg8Ms_ZHcg'
  assert.equal(topicIdIn(partitionMetadata(id)), id)
  assert.equal(topicIdIn(`version: 0\ntopic_id: ${id}\n`), id)
  for (const text of ['', 'version: 0', `version: 1\ntopic_id: ${id}`, 'version: 0\ntopic_id: short'])
    assert.equal(topicIdIn(text), null)
  assert.equal(brokerEpochIn(cleanMark(77)), 77)
  assert.equal(brokerEpochIn('{"version":0,"brokerEpoch":12}'), 12)
  for (const text of ['', 'x', '{}', '{"brokerEpoch":"1"}']) assert.equal(brokerEpochIn(text), -1)
})

test('names of folders and files', () => {
  assert.equal(fileName(42, '.log'), '00000000000000000042.log')
  assert.equal(offsetIn('00000000000000000042.log', '.log'), 42)
  for (const name of [
    '42.log',
    '00000000000000000042.index',
    '0000000000000000004x.log',
    '99999999999999999999.log',
    '00000000000000000042.log.deleted',
  ])
    assert.equal(offsetIn(name, '.log'), null, name)
  assert.deepEqual(partitionIn('a-b-12'), { topic: 'a-b', partition: 12 })
  for (const name of [
    'a',
    'a-',
    '-1',
    'a-01',
    'a-2147483648',
    'a-0.x-delete',
    'a b-0',
    `${'t'.repeat(250)}-0`,
    'lost+found',
  ])
    assert.equal(partitionIn(name), null, name)
  const longest = { topic: 't'.repeat(249), partition: 99999 }
  assert.equal(directoryName(longest).length, 255)
  assert.throws(() => directoryName({ topic: 't'.repeat(249), partition: 999999 }), RangeError)
  for (const topic of ['a', longest.topic]) {
    const name = departedDirectoryName({ topic, partition: 3 }, new Uint8Array(16).fill(0xab), 'delete')
    assert.ok(isDeletedDirectory(name) && name.length <= 255 && name.includes(`-3.${'ab'.repeat(16)}-delete`))
    assert.equal(partitionIn(name), null)
  }
})
