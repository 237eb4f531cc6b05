import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { baseOffset, lastOffset, leaderEpoch, readHeader, sizeInBytes } from '../../protocol/batches/header.ts'
import type { Logger } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import { append, batch, defaults, everything, offsets, partition, topicId } from '../contract.ts'
import type { StoreOptions } from '../store.ts'
import { OffsetCheckpoint } from './checkpoints.ts'
import type { FileStore } from './file-store.ts'
import { FileVolume } from './file-volume.ts'
import { cleanedName, recoveryPointsName } from './names.ts'

const said: string[] = []
const logger: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => said.push(`${message} ${JSON.stringify(fields)}`),
  error: (message, fields) => said.push(`${message} ${JSON.stringify(fields)}`),
}
const options: StoreOptions = { ...defaults, indexIntervalBytes: 200, segmentBytes: 1200 }
const folder = '/data/a-0'

async function openOn(disk: MemoryDisk): Promise<{ volume: FileVolume; store: FileStore }> {
  said.length = 0
  const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, logger)
  return { volume, store: volume.open(partition, topicId, options) }
}

interface Image {
  readonly files: ReadonlyMap<string, Buffer>
  /** Where each batch of the last segment begins, and where the last one ends. */
  readonly ends: readonly number[]
  readonly baseOffset: number
  readonly last: string
}

/** A log of a few segments after a kill, whose last one has some batches of different sizes and epochs. */
async function makeImage(): Promise<Image> {
  const disk = new MemoryDisk()
  const { store } = await openOn(disk)
  const sizes = [40, 300, 350, 200, 260, 20, 20, 3, 6, 9, 0, 5]
  for (const [i, size] of sizes.entries()) {
    if (i === 6) store.roll()
    append(store, batch(store.endOffset, 1 + (i % 3), size, 1000 + i, i >> 2))
  }
  await store.sync()
  const left = disk.killed()
  const files = new Map(left.list(folder).map(name => [name, left.readFile(`${folder}/${name}`)]))
  const last = [...files.keys()].findLast(name => name.endsWith('.log'))!
  const bytes = files.get(last)!
  const ends = [0]
  for (let at = 0; at < bytes.length; at = ends.at(-1)!) ends.push(at + sizeInBytes(bytes, at))
  const logs = [...files.keys()].filter(name => name.endsWith('.log'))
  assert.ok(logs.length > 2 && ends.length > 4, `${logs.length} segments, ${ends.length - 1} batches in the last`)
  return { files, ends, last, baseOffset: Number(last.slice(0, 20)) }
}

/** The image with another last segment, and with what is known to be durable. */
function diskOf(image: Image, lastLog: Buffer, recoveryPoint: number): MemoryDisk {
  const disk = new MemoryDisk()
  disk.makeDirectory(folder)
  for (const [name, bytes] of image.files) disk.writeFile(`${folder}/${name}`, name === image.last ? lastLog : bytes)
  const points = new OffsetCheckpoint()
  points.set(partition, recoveryPoint)
  disk.writeFile(`/data/${recoveryPointsName}`, points.toText())
  return disk
}

const image = await makeImage()
const log = image.files.get(image.last)!
const endOffsets = image.ends.slice(0, -1).map(at => lastOffset(log, at) + 1)
/** Offset after the last batch that lies whole within the first `bytes` of the last segment. */
const endWithin = (bytes: number): number => {
  const whole = image.ends.findLastIndex(end => end <= bytes)
  return whole === 0 ? image.baseOffset : endOffsets[whole - 1]!
}
const whole = endWithin(log.length)

/** All batches that the log had, as far as they lie below `offset`. */
function bytesBelow(offset: number): Buffer {
  const logs = [...image.files].filter(([name]) => name.endsWith('.log')).map(([, bytes]) => bytes)
  const all = Buffer.concat(logs)
  let at = 0
  while (at < all.length && lastOffset(all, at) < offset) at += sizeInBytes(all, at)
  return all.subarray(0, at)
}

async function assertRecovers(disk: MemoryDisk, endOffset: number, what: string, twice = false): Promise<void> {
  const { volume, store } = await openOn(disk)
  assert.equal(store.damage, null, what)
  assert.equal(store.endOffset, endOffset, what)
  assert.ok((await everything(store)).equals(bytesBelow(endOffset)), what)
  if (!twice) return
  append(store, batch(endOffset, 2, 20, 5000, 9))
  assert.equal(await store.sync(), endOffset + 2)
  await volume.close()
  const again = await openOn(disk)
  assert.deepEqual(said, [], `${what}: once is enough`)
  assert.equal(offsets(await everything(again.store)).at(-1), endOffset, what)
  await again.volume.close()
}

describe('recovery of a torn tail', () => {
  it('a log that ends after any byte', async () => {
    for (let bytes = 0; bytes <= log.length; bytes++) {
      const disk = diskOf(image, log.subarray(0, bytes), image.baseOffset)
      await assertRecovers(disk, endWithin(bytes), `${bytes} bytes`, bytes % 16 === 0)
      const torn = disk.list(folder).filter(name => name.endsWith('.torn'))
      const cut = log.subarray(image.ends.findLast(end => end <= bytes)!, bytes)
      assert.equal(torn.length, cut.every(byte => byte === 0) ? 0 : 1, 'the cut bytes are kept, zeros are not')
      if (torn.length > 0) assert.deepEqual(disk.readFile(`${folder}/${torn[0]}`), cut)
    }
  })

  it('zeros from any byte on, with and without bytes after them', async () => {
    for (let bytes = 0; bytes < log.length; bytes += 5) {
      const zeros = Buffer.concat([log.subarray(0, bytes), Buffer.alloc(2000)])
      // Zeros may be what stood there.
      const same = zeros.findIndex((byte, i) => byte !== (log[i] ?? -1))
      const disk = diskOf(image, zeros, image.baseOffset)
      await assertRecovers(disk, endWithin(same), `zeros from ${bytes}`)
      const torn = disk.list(folder).filter(name => name.endsWith('.torn'))
      const cut = zeros.subarray(image.ends.findLast(end => end <= same)!)
      assert.equal(torn.length, cut.every(byte => byte === 0) ? 0 : 1, 'zeros alone are not worth keeping')
    }
  })

  it('a flipped bit in any byte', async () => {
    let undetectable = 0
    for (let at = 0; at < log.length; at++) {
      const flipped = Buffer.from(log)
      flipped[at]! ^= 1 << (at % 8)
      const start = image.ends.findLast(end => end <= at)!
      const inBatch = at - start
      // Base offset and leader epoch lie outside of the CRC: only their order can betray them.
      if (inBatch < 8 || (inBatch >= 12 && inBatch < 16)) {
        const header = readHeader(flipped, start)
        const before = start === 0 ? image.baseOffset : endWithin(start)
        const epochBefore = start === 0 ? -1 : leaderEpoch(log, image.ends.findLast(end => end < start)!)
        if (header.baseOffset >= before && (header.leaderEpoch < 0 || header.leaderEpoch >= epochBefore)) {
          undetectable++
          continue
        }
      }
      const disk = diskOf(image, flipped, image.baseOffset)
      await assertRecovers(disk, endWithin(at), `byte ${at}`)
    }
    assert.ok(undetectable < 12 * image.ends.length)
  })

  it('sectors that were exchanged or never written', async () => {
    const sector = 64
    for (let at = 0; at + 2 * sector <= log.length; at += sector) {
      const swapped = Buffer.from(log)
      log.copy(swapped, at, at + sector, at + 2 * sector)
      log.copy(swapped, at + sector, at, at + sector)
      const same = swapped.findIndex((byte, i) => byte !== log[i])
      if (same === -1) continue
      await assertRecovers(diskOf(image, swapped, image.baseOffset), endWithin(same), `sectors at ${at}`, true)
    }
  })

  it('says what it cut, and whether it may have been more than a torn write', async () => {
    const flipped = Buffer.from(log)
    flipped[image.ends[1]! + 61]! ^= 1
    const { store } = await openOn(diskOf(image, flipped, image.baseOffset))
    assert.equal(said.length, 1)
    assert.match(said[0]!, /Cut off .*"partition":0.*CRC/)
    assert.deepEqual([store.cuts[0]?.offset, store.cuts[0]?.doubtful], [endOffsets[0], true])
    const torn = await openOn(diskOf(image, log.subarray(0, -1), image.baseOffset))
    assert.equal(torn.store.cuts[0]?.doubtful, false)
  })

  it('a bad batch in an older segment takes those after it along', async () => {
    const [first] = image.files.keys()
    const older = Buffer.from(image.files.get(first!)!)
    older[older.length - 1]! ^= 1
    const files = new Map(image.files).set(first!, older)
    const { volume, store } = await openOn(diskOf({ ...image, files }, log, 0))
    assert.equal(store.damage, null)
    assert.ok(store.endOffset < image.baseOffset)
    assert.ok((await everything(store)).equals(bytesBelow(store.endOffset)))
    await volume.close()
  })

  it('an older segment whose last batch never came to the disk takes those after it along, above the recovery point', async () => {
    const [first] = image.files.keys()
    const older = image.files.get(first!)!
    let last = 0
    for (let at = 0; at < older.length; at += sizeInBytes(older, at)) last = at
    const files = new Map(image.files).set(first!, older.subarray(0, last))
    const { volume, store } = await openOn(diskOf({ ...image, files }, log, 0))
    assert.equal(store.damage, null)
    assert.equal(store.endOffset, baseOffset(older, last))
    assert.match(store.cuts[0]!.reason, /it ends at offset \d+, the next one begins at \d+/)
    assert.ok((await everything(store)).equals(bytesBelow(store.endOffset)))
    await volume.close()
  })

  /** A log of twelve segments, of which the second one has lost its batch; `say` tells what Kafka's checkpoints say. */
  async function withHole(say: (left: MemoryDisk) => void) {
    const disk = new MemoryDisk()
    const small = { ...options, segmentBytes: 200 }
    const world = { ...nodeWorld, disk }
    const made = await FileVolume.open('/data', world, logger)
    const store = made.open(partition, topicId, small)
    for (let i = 0; i < 12; i++) {
      append(store, batch(store.endOffset, 3, 100, 1000 + i, 0))
      store.roll()
    }
    await store.sync()
    const left = disk.killed()
    const logs = left.list(folder).filter(name => name.endsWith('.log'))
    const bytes = logs.reduce((sum, name) => sum + left.size(`${folder}/${name}`), 0)
    left.writeFile(`${folder}/${logs[1]}`, '')
    say(left)
    const { store: again } = await openOn(left)
    const kept = left.list(folder).filter(name => /[.](log|torn)$/.test(name))
    const keptBytes = kept.reduce((sum, name) => sum + left.size(`${folder}/${name}`), 0)
    assert.equal(again.damage, null)
    assert.ok(keptBytes >= (bytes * 10) / 12, `${keptBytes} of ${bytes} bytes are left: ${kept}`)
    return again.endOffset
  }

  const checkpointOf = (offset: number): string => {
    const points = new OffsetCheckpoint()
    points.set(partition, offset)
    return points.toText()
  }

  it('cuts at a hole, and keeps all that it sets aside behind it', async () => {
    assert.equal(await withHole(left => left.writeFile(`/data/${recoveryPointsName}`, checkpointOf(0))), 3)
  })

  it('takes a hole for what a compaction left where Kafka says that it has compacted', async () => {
    assert.equal(await withHole(left => left.writeFile(`/data/${cleanedName}`, checkpointOf(6))), 36)
    assert.equal(await withHole(left => left.writeFile(`/data/${cleanedName}`, checkpointOf(5))), 3)
  })

  it('keeps no more than a few torn files', async () => {
    const disk = diskOf(image, log.subarray(0, -1), image.baseOffset)
    for (let i = 0; i < 12; i++) disk.writeFile(`${folder}/${String(i).padStart(20, '0')}.torn`, 'x')
    const { volume } = await openOn(disk)
    assert.equal(disk.list(folder).filter(name => name.endsWith('.torn')).length, 4)
    await volume.close()
  })
})

describe('damage below the recovery point', () => {
  it('is reported, and nothing is cut', async () => {
    const start = image.ends.at(-2)!
    const cases: [string, Buffer][] = [
      ['cut off', log.subarray(0, log.length - 5)],
      ['a batch is missing', log.subarray(0, start)],
      ['zeros', Buffer.concat([log.subarray(0, start + 3), Buffer.alloc(500)])],
    ]
    for (const [what, bytes] of cases) {
      const disk = diskOf(image, bytes, whole)
      const { volume, store } = await openOn(disk)
      assert.equal(store.damage?.offset, endWithin(start), what)
      assert.match(said.join(), /stable storage/)
      assert.deepEqual(disk.readFile(`${folder}/${image.last}`), bytes, what)
      assert.ok((await everything(store)).equals(bytesBelow(store.endOffset)), 'what is good is served')
      assert.throws(() => append(store, batch(store.endOffset)), /damaged/)
      await volume.close()
      assert.equal(disk.exists('/data/.kafka_cleanshutdown'), false)
      const again = await openOn(disk)
      assert.equal(again.store.damage?.offset, endWithin(start), 'also the next time')
      await again.store.truncate(again.store.endOffset)
      assert.equal(again.store.damage, null, 'somebody has decided')
      append(again.store, batch(again.store.endOffset, 1, 10, 1, 9))
      await again.store.sync()
      await again.volume.close()
      assert.equal(disk.exists('/data/.kafka_cleanshutdown'), true)
    }
  })

  it('is found by readers, who never get it', async () => {
    const name = [...image.files.keys()].find(each => each.endsWith('.log'))!
    const first = image.files.get(name)!
    const second = sizeInBytes(first, 0)
    const offset = readHeader(first, second).baseOffset
    for (const [at, ...values] of [
      [16, 7],
      [8, 1],
      [10, 0, 3],
      [3, 1],
    ] as const) {
      const bad = Buffer.from(first)
      bad.set(values, second + at)
      const disk = diskOf({ ...image, files: new Map(image.files).set(name, bad) }, log, whole)
      disk.writeFile('/data/.kafka_cleanshutdown', '{}')
      const { volume, store } = await openOn(disk)
      assert.deepEqual(offsets(Buffer.concat(await store.read(0, 1e6, whole))), [0], 'up to the bad one')
      await assert.rejects(async () => store.read(offset, 1e6, whole), { errorName: 'CORRUPT_MESSAGE' })
      assert.throws(() => [...store.scan(0)], { errorName: 'CORRUPT_MESSAGE' })
      assert.ok((await store.read(image.baseOffset, 1e6, whole)).length > 0, 'what follows is still there')
      await volume.close()
    }
  })
})

describe('indexes', () => {
  const ruin: [string, (bytes: Buffer) => Buffer | null][] = [
    ['missing', () => null],
    ['empty', () => Buffer.alloc(0)],
    ['cut in the middle of an entry', bytes => bytes.subarray(0, bytes.length - 3)],
    ['zeros', bytes => Buffer.alloc(bytes.length)],
    ['longer by zeros', bytes => Buffer.concat([bytes, Buffer.alloc(240)])],
    ['noise', bytes => Buffer.from(bytes.map((_, i) => (i * 151 + 7) & 0x7f))],
    ['ones', bytes => Buffer.alloc(bytes.length + 24, 0xff)],
    ['of another log', bytes => Buffer.concat([bytes, bytes])],
  ]
  for (const clean of [false, true]) {
    for (const [what, change] of ruin) {
      it(`${what}, after ${clean ? 'an orderly stop' : 'a crash'}`, async () => {
        const disk = diskOf(image, log, clean ? whole : image.baseOffset)
        const first = await openOn(disk)
        await first.volume.close()
        if (!clean) disk.remove('/data/.kafka_cleanshutdown')
        for (const name of disk.list(folder).filter(name => name.endsWith('index'))) {
          const changed = change(disk.readFile(`${folder}/${name}`))
          disk.remove(`${folder}/${name}`)
          if (changed !== null) disk.writeFile(`${folder}/${name}`, changed)
        }
        const { volume, store } = await openOn(disk)
        assert.equal(store.endOffset, whole)
        const all = bytesBelow(whole)
        assert.ok((await everything(store, 10)).equals(all))
        for (let at = 0; at < all.length; at += sizeInBytes(all, at)) {
          const { baseOffset, lastOffset: last } = readHeader(all, at)
          assert.deepEqual(offsets(Buffer.concat(await store.read(last, 1, whole))), [baseOffset])
          assert.equal(store.scan(last)[Symbol.iterator]().next().value?.baseOffset, baseOffset)
        }
        await volume.close()
      })
    }
  }
})
