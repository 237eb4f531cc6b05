import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import { append, batch, defaults, everything, fill, offsets, partition, topicId } from '../contract.ts'
import type { FileStore } from './file-store.ts'
import { FileVolume, VolumeInUseError } from './file-volume.ts'

async function openOn(
  disk: MemoryDisk,
  segmentBytes = 1 << 20,
): Promise<{ volume: FileVolume; store: FileStore; heard: string[] }> {
  const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, silent)
  const store = volume.open(partition, topicId, { ...defaults, segmentBytes })
  const heard: string[] = []
  store.observe({
    written: upTo => heard.push(`written ${upTo}`),
    durable: upTo => heard.push(`durable ${upTo}`),
    dropped: from => heard.push(`dropped ${from}`),
    failed: error => heard.push(`failed ${error.message}`),
  })
  return { volume, store, heard }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
/** Longer than a sync waits for more appends. */
const gathered = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 3))
const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i)

describe('a full disk', () => {
  for (const segmentBytes of [1 << 20, 250]) {
    it(`drops what does not fit, and goes on when there is room; segments of ${segmentBytes} bytes`, async () => {
      for (const room of [0, 1, 60, 100, 200, 270, 350]) {
        const disk = new MemoryDisk()
        const { volume, store, heard } = await openOn(disk, segmentBytes)
        fill(store, 4)
        await store.sync()
        heard.length = 0
        disk.room = room
        fill(store, 5)
        const waiting = store.sync()
        assert.equal(store.endOffset, 9)
        await assert.rejects(waiting, { code: 'ENOSPC' })
        const end = store.endOffset
        // A small segment is written for itself: those that fitted stay.
        assert.ok(end >= 4 && end < 9, `${end}`)
        assert.ok(heard.includes(`dropped ${end}`), heard.join())
        assert.ok(!heard.some(word => /failed/.test(word)), heard.join())
        assert.deepEqual(offsets(await everything(store)), range(end))
        disk.room = 1e9
        fill(store, 3)
        assert.equal(await store.sync(), end + 3)
        assert.deepEqual(offsets(await everything(store)), range(end + 3))
        const again = await openOn(disk.powerCut({ int: () => 0 }), segmentBytes)
        assert.deepEqual(offsets(await everything(again.store)), range(end + 3))
        await again.volume.close()
        void volume
      }
    })
  }

  it('also when the first byte of a partition does not fit', async () => {
    const disk = new MemoryDisk()
    const { volume, store, heard } = await openOn(disk)
    disk.room = 0
    fill(store, 2)
    await assert.rejects(store.sync(), { code: 'ENOSPC' })
    assert.deepEqual([store.startOffset, store.endOffset, store.sizeInBytes], [0, 0, 0])
    assert.deepEqual(heard, ['dropped 0'])
    disk.room = 1e9
    fill(store, 2)
    assert.equal(await store.sync(), 2)
    await volume.close()
  })

  it('takes nothing between the loss and the news of it', async () => {
    const disk = new MemoryDisk()
    const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, silent, { writeAtOnceBytes: 1 })
    const store = volume.open(partition, topicId, defaults)
    disk.room = 50
    fill(store, 1)
    assert.equal(store.endOffset, 0)
    assert.throws(() => fill(store, 1), { errorName: 'KAFKA_STORAGE_ERROR' })
    disk.room = 1e9
    await turn()
    fill(store, 1)
    assert.equal(await store.sync(), 1)
    await volume.close()
  })
})

/** Whose pauses are short. */
const hasty = {
  ...nodeWorld,
  timers: {
    ...nodeWorld.timers,
    after: (ms: number, run: () => void) => nodeWorld.timers.after(Math.min(ms, 5), run, true),
  },
}

describe('a full disk, where the log must be cut', () => {
  const cuts: [string, (store: FileStore) => Promise<void>, number[]][] = [
    ['at the end of a batch', store => store.truncate(5), range(5)],
    ['at a segment’s begin', store => store.truncate(3), range(3)],
    ['to begin anew', store => store.reset(20), []],
  ]
  for (const [where, cut, left] of cuts)
    it(`waits for room, takes nothing meanwhile, and goes on: ${where}`, async () => {
      const disk = new MemoryDisk()
      const volume = await FileVolume.open('/data', { ...hasty, disk }, silent)
      const store = volume.open(partition, topicId, { ...defaults, segmentBytes: 250 })
      const heard: string[] = []
      store.observe({ written() {}, durable() {}, dropped() {}, failed: error => heard.push(error.message) })
      fill(store, 10)
      await store.sync()
      await volume.checkpoint()
      // Also when a little comes back, as from an index that is cut.
      disk.room = -1e6
      let done = false
      const cutting = cut(store).then(() => {
        done = true
      })
      for (let i = 0; i < 5; i++) await gathered()
      assert.equal(done, false)
      assert.deepEqual(offsets(await everything(store)), left)
      assert.throws(() => fill(store, 1), { errorName: 'KAFKA_STORAGE_ERROR' })
      disk.room = 1e9
      await cutting
      const end = store.endOffset
      fill(store, 2)
      assert.equal(await store.sync(), end + 2)
      assert.deepEqual(heard, [])
      const again = await openOn(disk.powerCut({ int: () => 0 }), 250)
      assert.deepEqual(offsets(await everything(again.store)), [...left, end, end + 1])
      assert.equal(again.store.damage, null)
      await again.volume.close()
    })

  it('also for the file that says where the log goes on, and for the mark of its gap', async () => {
    const disk = new MemoryDisk()
    const volume = await FileVolume.open('/data', { ...hasty, disk }, silent)
    const store = volume.open(partition, topicId, defaults)
    store.observe({ written() {}, durable() {}, dropped() {}, failed: error => assert.fail(error) })
    fill(store, 5)
    append(store, batch(10))
    await store.sync()
    disk.room = -1e6
    const cutting = store.truncate(7)
    for (let i = 0; i < 5; i++) await gathered()
    assert.throws(() => fill(store, 1), { errorName: 'KAFKA_STORAGE_ERROR' })
    disk.room = 1e9
    await cutting
    fill(store, 1)
    await store.sync()
    const again = await openOn(disk.powerCut({ int: () => 0 }))
    assert.deepEqual(offsets(await everything(again.store)), [...range(5), 7])
    await again.volume.close()
  })

  it('a crash meanwhile, or the end of the process, leaves the log as it was', async () => {
    for (const crash of [true, false]) {
      const disk = new MemoryDisk()
      const volume = await FileVolume.open('/data', { ...hasty, disk }, silent)
      const store = volume.open(partition, topicId, defaults)
      fill(store, 10)
      await store.sync()
      await volume.checkpoint()
      disk.room = -1e6
      const cutting = store.truncate(5).catch(() => {})
      await gathered()
      if (!crash) {
        await volume.close()
        await cutting
      }
      const next = crash ? disk.powerCut({ int: () => 0 }) : disk
      next.room = 1e9
      const again = await openOn(next)
      assert.deepEqual(offsets(await everything(again.store)), range(10))
      assert.equal(again.store.damage, null)
      await again.volume.close()
    }
  })
})

describe('a failing disk', () => {
  it('a failed sync ends it: nothing more is taken or promised', async () => {
    const disk = new MemoryDisk()
    const { volume, store, heard } = await openOn(disk)
    fill(store, 2)
    await store.sync()
    disk.failingSyncs = 1
    fill(store, 2)
    const [one, two] = await Promise.allSettled([store.sync(), store.sync()])
    assert.deepEqual([one.status, two.status], ['rejected', 'rejected'])
    await turn()
    assert.deepEqual(
      heard.filter(word => /failed/.test(word)),
      ['failed EIO: sync'],
    )
    assert.equal(store.durableOffset, 2)
    assert.throws(() => fill(store, 1), { errorName: 'KAFKA_STORAGE_ERROR' })
    await assert.rejects(store.sync(), { code: 'EIO' })
    assert.deepEqual(offsets(await everything(store)), range(4), 'reads go on')
    await volume.close()
    assert.equal(disk.exists('/data/.kafka_cleanshutdown'), false)
    const again = await openOn(disk.powerCut({ int: () => 0 }))
    assert.equal(again.volume.clean, false)
    assert.deepEqual(offsets(await everything(again.store)), range(2))
    await again.volume.close()
  })

  it('the next process does not believe what the kernel shows of it: it writes it again', async () => {
    const disk = new MemoryDisk()
    const { volume, store } = await openOn(disk)
    fill(store, 2)
    await store.sync()
    disk.failingSyncs = 1
    fill(store, 2)
    await assert.rejects(store.sync(), { code: 'EIO' })
    await volume.close()
    // Started again at once, on the same machine: reads find all four, and the next sync has nothing to do.
    const later = disk.killed()
    const again = await openOn(later)
    assert.deepEqual(offsets(await everything(again.store)), range(4))
    assert.equal(await again.store.sync(), 4)
    const last = later.powerCut({ int: () => 0 })
    const after = await openOn(last)
    assert.deepEqual(offsets(await everything(after.store)), range(4))
    // Until it is left in order once.
    assert.equal(last.exists('/data/.ottla_disk_failed'), true)
    await after.volume.close()
    assert.equal(last.exists('/data/.ottla_disk_failed'), false)
  })

  it('so does a write that fails for any reason but room', async () => {
    const disk = new MemoryDisk()
    const { volume, store, heard } = await openOn(disk)
    fill(store, 2)
    await store.sync()
    disk.failingWrites = 'EIO'
    fill(store, 1)
    await assert.rejects(store.sync(), { code: 'EIO' })
    await turn()
    assert.ok(heard.some(word => /failed EIO/.test(word)))
    assert.throws(() => fill(store, 1), { errorName: 'KAFKA_STORAGE_ERROR' })
    await volume.close()
    assert.equal(disk.exists('/data/.kafka_cleanshutdown'), false)
  })

  it('one that has no descriptors left recovers', async () => {
    const disk = new MemoryDisk()
    const { volume, store, heard } = await openOn(disk)
    disk.failingWrites = 'EMFILE'
    fill(store, 1)
    await turn()
    assert.deepEqual(heard, ['dropped 0'])
    disk.failingWrites = null
    fill(store, 1)
    assert.equal(await store.sync(), 1)
    await volume.close()
  })
})

describe('syncs', () => {
  it('are shared: who comes while one runs gets the next', async () => {
    let syncs = 0
    const held: (() => void)[] = []
    const disk = new MemoryDisk(run => held.push(run))
    const opening = openOn(disk)
    const release = async (): Promise<void> => {
      while (held.length > 0) {
        held.shift()!()
        syncs++
        await gathered()
      }
    }
    await turn()
    await release()
    const { store } = await opening
    fill(store, 1)
    const first = store.sync()
    await gathered()
    await release()
    await first
    syncs = 0
    const all: Promise<number>[] = []
    for (let i = 0; i < 10; i++) {
      fill(store, 1)
      all.push(store.sync())
      await turn()
    }
    assert.equal(held.length, 1, 'one at a time')
    assert.equal(store.durableOffset, 1)
    await release()
    assert.equal(Math.max(...(await Promise.all(all))), 11)
    assert.equal(syncs, 2)
  })

  it('do not count what a truncation replaced meanwhile', async () => {
    const held: (() => void)[] = []
    let holding = false
    const disk = new MemoryDisk(run => (holding ? held.push(run) : setImmediate(run)))
    const { store } = await openOn(disk)
    fill(store, 3)
    await store.sync()
    holding = true
    fill(store, 3)
    void store.sync().catch(() => {})
    await gathered()
    assert.equal(held.length, 1)
    const cut = store.truncate(1)
    append(store, batch(1, 9))
    const again = store.sync()
    await turn()
    held.shift()!()
    await turn()
    assert.equal(store.durableOffset, 1, 'that sync says nothing about the new bytes')
    holding = false
    for (const run of held) run()
    await cut
    assert.equal(await again, 10)
  })
})

describe('a volume', () => {
  it('belongs to one broker at a time', async () => {
    const disk = new MemoryDisk()
    const { volume } = await openOn(disk)
    await assert.rejects(openOn(disk), VolumeInUseError)
    await volume.close()
    const again = await openOn(disk)
    await again.volume.close()
  })

  it('finishes what a crash interrupted: removed partitions, replaced files, half compactions', async () => {
    const disk = new MemoryDisk()
    const { volume, store } = await openOn(disk, 200)
    fill(store, 6)
    await volume.close()
    const segments = store.segments().map(({ baseOffset }) => String(baseOffset).padStart(20, '0'))
    const doomed = `/data/gone-0.${'0a'.repeat(16)}-delete`
    disk.makeDirectory(doomed)
    disk.writeFile(`${doomed}/00000000000000000000.log`, 'x')
    disk.makeDirectory(`/data/stray-0.${'0a'.repeat(16)}-stray`)
    disk.writeFile('/data/a-0/00000000000000000000.log.deleted', 'x')
    disk.writeFile('/data/a-0/00000000000000000002.log.cleaned', 'x')
    disk.writeFile('/data/a-0/leader-epoch-checkpoint.tmp', 'x')
    disk.writeFile('/data/a-0/00000000000000000099.index', 'x')
    // A compaction that kept one batch of the first two segments had been decided.
    const [one, two] = segments
    const kept = disk.readFile(`/data/a-0/${two}.log`)
    disk.writeFile(`/data/a-0/${one}.log.swap`, kept)
    const again = await openOn(disk, 200)
    assert.deepEqual(
      again.volume.list().map(({ topic }) => topic),
      ['a'],
    )
    assert.equal(again.store.startOffset, 0)
    const found = offsets(await everything(again.store))
    assert.ok(!found.includes(0) && found.at(-1) === 5, found.join())
    assert.equal(new Set(found).size, found.length)
    for (let i = 0; i < 5; i++) await turn()
    assert.equal(disk.exists(doomed), false)
    assert.equal(
      disk.list('/data').some(name => name.endsWith('-stray')),
      true,
      'not ours to remove',
    )
    assert.ok(!disk.list('/data/a-0').some(name => /deleted|cleaned|tmp|swap|99/.test(name)))
    await again.volume.close()
  })

  it('names folders as Kafka does, also of topics with very long names', async () => {
    const disk = new MemoryDisk()
    const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, silent)
    const place = { topic: 't'.repeat(249), partition: 12345 }
    const store = volume.open(place, topicId, defaults)
    fill(store, 1)
    await store.sync()
    await volume.remove(place)
    const [name] = disk.list('/data').filter(each => each.startsWith('ttt'))
    assert.match(name!, /^t+-12345\.[0-9a-f]{32}-delete$/)
    assert.ok(name!.length <= 255)
    for (const topic of ['', '.', '..', 'a/b', 'a\0', '../a', 't'.repeat(250)]) {
      assert.throws(() => volume.open({ topic, partition: 0 }, topicId, defaults), RangeError)
    }
    await volume.close()
  })

  it('makes no file for a partition without records', async () => {
    const disk = new MemoryDisk()
    const { volume, store } = await openOn(disk)
    assert.deepEqual(disk.list('/data'), [])
    await volume.close()
    assert.deepEqual(disk.list('/data'), ['.kafka_cleanshutdown'])
    void store
  })
})
