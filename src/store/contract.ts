import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { readHeader, sizeInBytes } from '../protocol/batches/header.ts'
import type { BatchSummary, Store, StoreOptions, TopicPartition, Volume } from './store.ts'

/** What every adapter of `Store` and `Volume` must hold: call `storeContract` from a test file of the adapter. */

export interface VolumeUnderTest {
  /** A volume that nobody has used. */
  open(): Volume | Promise<Volume>
  /** Opens again what was closed; null where nothing outlives the process. */
  reopen: ((volume: Volume) => Promise<Volume>) | null
  /** After each test. */
  cleanUp(): void
}

export const partition: TopicPartition = { topic: 'a', partition: 0 }
export const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'
export const defaults: StoreOptions = {
  segmentBytes: 1 << 20,
  segmentMs: 7 * 24 * 3600 * 1000,
  indexIntervalBytes: 4096,
  segmentIndexBytes: 10 << 20,
}

export interface Written {
  readonly bytes: Uint8Array
  readonly batches: readonly BatchSummary[]
}

/** A batch of `records` records with values of `valueBytes` bytes. */
export function batch(
  baseOffset: number,
  records = 1,
  valueBytes = 10,
  timestamp = baseOffset,
  leaderEpoch = 0,
): Written {
  const value = new Uint8Array(valueBytes).fill(baseOffset & 0xff)
  const bytes = buildBatch({ baseOffset, leaderEpoch, records: Array(records).fill({ timestamp, value }) })
  return { bytes, batches: [readHeader(bytes, 0)] }
}

export function together(...written: Written[]): Written {
  return { bytes: Buffer.concat(written.map(({ bytes }) => bytes)), batches: written.flatMap(({ batches }) => batches) }
}

export function append(store: Store, ...written: Written[]): void {
  for (const { bytes, batches } of written) store.append(bytes, batches)
}

/** Appends `count` batches of one record each, one call for each. */
export function fill(store: Store, count: number, valueBytes = 10): void {
  const from = store.endOffset
  for (let i = 0; i < count; i++) append(store, batch(from + i, 1, valueBytes))
}

export async function read(store: Store, from: number, maxBytes = 1e9, upTo = store.endOffset): Promise<Buffer> {
  return Buffer.concat(await store.read(from, maxBytes, upTo))
}

/** Base offsets of batches that lie one after the other. */
export function offsets(bytes: Uint8Array): number[] {
  const found: number[] = []
  for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) found.push(readHeader(bytes, at).baseOffset)
  return found
}

/** Everything in the store, read piece by piece. */
export async function everything(store: Store, pieceBytes = 4096): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for (let from = store.startOffset; from < store.endOffset; ) {
    const views = await store.read(from, pieceBytes, store.endOffset)
    if (views.length === 0) {
      // The log may end with offsets that no batch has.
      assert.deepEqual([...store.scan(from)], [], `nothing at ${from}, the end is ${store.endOffset}`)
      break
    }
    for (const view of views) {
      pieces.push(view)
      for (let at = 0; at < view.length; at += sizeInBytes(view, at)) from = readHeader(view, at).lastOffset + 1
    }
  }
  return Buffer.concat(pieces)
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

export function storeContract(name: string, setUp: () => VolumeUnderTest): void {
  describe(`store: ${name}`, () => {
    const test = (title: string, run: (volume: Volume, under: VolumeUnderTest) => Promise<void>): void => {
      it(title, async () => {
        const under = setUp()
        const volume = await under.open()
        try {
          await run(volume, under)
        } finally {
          await volume.close()
          under.cleanUp()
        }
      })
    }

    test('a new store is empty', async volume => {
      const store = volume.open(partition, topicId, defaults)
      assert.deepEqual(
        [store.startOffset, store.endOffset, store.writtenOffset, store.durableOffset, store.sizeInBytes],
        [0, 0, 0, 0, 0],
      )
      assert.equal(store.damage, null)
      assert.deepEqual(await store.read(0, 100, 0), [])
      assert.equal(store.segments().length, 1)
      assert.deepEqual([...store.scan(0)], [])
      assert.equal(await store.batchForTimestamp(0), null)
      assert.deepEqual(store.names(), [])
      assert.equal(await store.sync(), 0)
    })

    test('what was appended can be read at once, before and after it is durable', async volume => {
      const store = volume.open(partition, topicId, defaults)
      const written = [batch(0, 3), together(batch(3, 2), batch(5, 1)), batch(6, 4, 3000)]
      append(store, ...written)
      assert.equal(store.endOffset, 10)
      const all = Buffer.concat(written.map(({ bytes }) => bytes))
      assert.equal(store.sizeInBytes, all.length)
      assert.deepEqual(await read(store, 0), all)
      assert.equal(await store.sync(), 10)
      assert.equal(store.durableOffset, 10)
      assert.equal(store.writtenOffset, 10)
      assert.deepEqual(await read(store, 0), all)
      assert.deepEqual(await everything(store, 1), all)
    })

    test('a read begins with the batch that holds the offset and ends before its limits', async volume => {
      const store = volume.open(partition, topicId, defaults)
      append(store, together(batch(0, 2), batch(2, 3)), batch(5, 1), batch(6, 4))
      await store.sync()
      const size = (at: number, records: number): number => batch(at, records).bytes.length
      const cases: [from: number, maxBytes: number, upTo: number, expected: number[]][] = [
        [0, 1e6, 10, [0, 2, 5, 6]],
        [1, 1e6, 10, [0, 2, 5, 6]],
        [4, 1e6, 10, [2, 5, 6]],
        [9, 1e6, 10, [6]],
        [10, 1e6, 10, []],
        [3, 1e6, 6, [2, 5]],
        [0, 1e6, 5, [0, 2]],
        [0, 1e6, 4, [0]],
        [0, 1e6, 2, [0]],
        [0, 1e6, 1, []],
        [5, 1e6, 5, []],
        [0, 1, 10, [0]],
        [0, size(0, 2) + size(2, 3), 10, [0, 2]],
        [0, size(0, 2) + size(2, 3) - 1, 10, [0]],
        [0, size(0, 2) + size(2, 3) + size(5, 1) - 1, 10, [0, 2]],
        [7, 0, 10, [6]],
      ]
      for (const [from, maxBytes, upTo, expected] of cases) {
        const found = offsets(await read(store, from, maxBytes, upTo))
        assert.deepEqual(found, expected, `read(${from}, ${maxBytes}, ${upTo})`)
      }
    })

    test('reading outside is a RangeError', async volume => {
      const store = volume.open(partition, topicId, defaults)
      await store.reset(5)
      fill(store, 2)
      for (const from of [-1, 4, 8]) {
        await assert.rejects(async () => store.read(from, 100, 100), RangeError, `offset ${from}`)
      }
    })

    test('offsets may leave gaps but not go back', async volume => {
      const store = volume.open(partition, topicId, defaults)
      append(store, batch(3, 2), batch(10, 1))
      assert.equal(store.endOffset, 11)
      assert.throws(() => append(store, batch(10, 1)), RangeError)
      assert.throws(() => store.append(batch(11, 1).bytes, []), RangeError)
      assert.throws(() => store.append(batch(11, 1).bytes.subarray(1), batch(11, 1).batches), RangeError)
      assert.equal(store.endOffset, 11)
      for (const wait of [false, true]) {
        if (wait) await store.sync()
        assert.deepEqual(offsets(await read(store, 0)), [3, 10])
        assert.deepEqual(offsets(await read(store, 7)), [10])
        assert.deepEqual(
          [...store.scan(5)].map(({ baseOffset }) => baseOffset),
          [10],
        )
      }
    })

    test('the bytes that were handed over are what is read, however small or large', async volume => {
      const store = volume.open(partition, topicId, defaults)
      const slab = new Uint8Array(256 * 1024)
      const written = [batch(0, 1, 0), batch(1, 1, 9000), batch(2, 1, 100_000), batch(3, 50, 20)].map(whole => {
        const place = slab.subarray(1000, 1000 + whole.bytes.length)
        place.set(whole.bytes)
        return { bytes: place.slice(), batches: whole.batches }
      })
      append(store, ...written)
      assert.deepEqual(await everything(store), Buffer.concat(written.map(({ bytes }) => bytes)))
      await store.sync()
      assert.deepEqual(await everything(store, 100), Buffer.concat(written.map(({ bytes }) => bytes)))
    })

    test('observers hear what is written and durable, after the call that caused it', async volume => {
      const store = volume.open(partition, topicId, defaults)
      const heard: string[] = []
      store.observe({
        written: upTo => heard.push(`written ${upTo}`),
        durable: upTo => heard.push(`durable ${upTo}`),
        dropped: from => heard.push(`dropped ${from}`),
        failed: () => heard.push('failed'),
      })
      fill(store, 3)
      assert.equal(heard.length, 0)
      await store.sync()
      await new Promise(resolve => setImmediate(resolve))
      assert.ok(heard.includes('written 3') && heard.includes('durable 3'), heard.join())
      assert.ok(heard.indexOf('written 3') < heard.indexOf('durable 3'), heard.join())
      fill(store, 1)
      await new Promise(resolve => setImmediate(resolve))
      assert.ok(heard.includes('written 4'), heard.join())
      assert.ok(!heard.some(word => /dropped|failed/.test(word)))
    })

    test('all who wait for a sync get it', async volume => {
      const store = volume.open(partition, topicId, defaults)
      fill(store, 1)
      const first = store.sync()
      const second = store.sync()
      fill(store, 1)
      const third = store.sync()
      assert.ok((await first) >= 1)
      assert.ok((await second) >= 1)
      fill(store, 1)
      assert.ok((await third) >= 2)
      assert.equal(await store.sync(), 3)
      assert.equal(await store.sync(), 3)
    })

    test('segments roll by size, time, index and on demand', async volume => {
      const size = batch(0).bytes.length
      const bases = (store: Store): number[] => store.segments().map(({ baseOffset }) => baseOffset)
      const bySize = volume.open({ topic: 'size', partition: 0 }, topicId, { ...defaults, segmentBytes: 2 * size })
      fill(bySize, 5)
      assert.deepEqual(bases(bySize), [0, 2, 4])
      append(bySize, batch(5, 1, 1000))
      assert.deepEqual(bases(bySize), [0, 2, 4, 5], 'a batch larger than a segment has one for itself')

      const byTime = volume.open({ topic: 'time', partition: 0 }, topicId, { ...defaults, segmentMs: 100 })
      append(byTime, batch(0, 1, 10, 1000), batch(1, 1, 10, 1100), batch(2, 1, 10, 1101), batch(3, 1, 10, -1))
      assert.deepEqual(bases(byTime), [0, 2])

      const relative = volume.open({ topic: 'relative', partition: 0 }, topicId, defaults)
      append(relative, ...[0, 2 ** 31 - 1, 2 ** 31, 2 ** 40].map(at => batch(at, 1, 10, 0)))
      assert.deepEqual(bases(relative), [0, 2 ** 31, 2 ** 40])
      assert.deepEqual(offsets(await everything(relative)), [0, 2 ** 31 - 1, 2 ** 31, 2 ** 40])

      const onDemand = volume.open({ topic: 'demand', partition: 0 }, topicId, defaults)
      onDemand.roll()
      assert.deepEqual(bases(onDemand), [0])
      fill(onDemand, 2)
      onDemand.roll()
      onDemand.roll()
      assert.deepEqual(bases(onDemand), [0, 2])
      assert.equal(onDemand.endOffset, 2)
      fill(onDemand, 1)
      assert.deepEqual(
        onDemand
          .segments()
          .map(({ baseOffset, endOffset, sizeInBytes, maxTimestamp }) => [
            baseOffset,
            endOffset,
            sizeInBytes,
            maxTimestamp,
          ]),
        [
          [0, 2, 2 * size, 1],
          [2, 3, size, 2],
        ],
      )
      for (const store of [bySize, byTime, relative, onDemand]) {
        await store.sync()
        assert.equal(
          store.sizeInBytes,
          store.segments().reduce((sum, segment) => sum + segment.sizeInBytes, 0),
        )
        assert.equal((await everything(store)).length, store.sizeInBytes)
      }
    })

    test('trim drops whole segments from the front, never the last', async volume => {
      const store = volume.open(partition, topicId, { ...defaults, segmentBytes: 2 * batch(0).bytes.length })
      fill(store, 6)
      await store.sync()
      await store.trim(3)
      assert.equal(store.startOffset, 2)
      assert.deepEqual(offsets(await everything(store)), [2, 3, 4, 5])
      assert.throws(() => store.read(1, 100, 6), RangeError)
      await store.trim(100)
      assert.equal(store.startOffset, 4)
      assert.equal(store.endOffset, 6)
      store.roll()
      await store.trim(6)
      assert.equal(store.startOffset, 6)
      assert.equal(store.sizeInBytes, 0)
      fill(store, 1)
      assert.deepEqual(offsets(await everything(store)), [6])
    })

    test('truncate drops the tail, wherever it is', async volume => {
      for (const synced of [false, true]) {
        for (const to of range(0, 7)) {
          const place = { topic: `cut-${synced}`, partition: to }
          const store = volume.open(place, topicId, { ...defaults, segmentBytes: 2 * batch(0).bytes.length })
          fill(store, 6)
          if (synced) await store.sync()
          const cut = store.truncate(to)
          assert.equal(store.endOffset, to, 'at once')
          assert.ok(store.durableOffset <= to)
          await cut
          assert.equal(store.endOffset, to)
          assert.deepEqual(offsets(await everything(store)), range(0, to))
          append(store, batch(to, 2), batch(to + 2, 1))
          await store.sync()
          assert.deepEqual(offsets(await everything(store)), [...range(0, to), to, to + 2])
          assert.equal((await everything(store)).length, store.sizeInBytes)
          assert.equal(store.durableOffset, to + 3)
        }
      }
    })

    test('truncate cuts inside of what was appended together, but not inside of a batch', async volume => {
      const store = volume.open(partition, topicId, defaults)
      append(store, together(batch(0, 2), batch(2, 2), batch(4, 2)), batch(6, 1))
      for (const wait of [false, true]) {
        if (wait) await store.sync()
        await assert.rejects(async () => store.truncate(3), RangeError)
        assert.deepEqual(offsets(await everything(store)), [0, 2, 4, 6])
      }
      await store.truncate(4)
      assert.deepEqual(offsets(await everything(store)), [0, 2])
      await store.truncate(2)
      append(store, batch(2, 1))
      await store.sync()
      assert.deepEqual(offsets(await everything(store)), [0, 2])
    })

    test('a sync that began before a truncation says nothing about what came after', async volume => {
      const store = volume.open(partition, topicId, defaults)
      fill(store, 4)
      const early = store.sync()
      const cut = store.truncate(1)
      fill(store, 1)
      await cut
      await early.catch(() => {})
      assert.equal(await store.sync(), 2)
      assert.deepEqual(offsets(await everything(store)), [0, 1])
    })

    test('reset starts anew, at any offset', async volume => {
      const store = volume.open(partition, topicId, { ...defaults, segmentBytes: 200 })
      for (const at of [100, 3, 2 ** 33]) {
        fill(store, 5)
        const done = store.reset(at)
        assert.deepEqual([store.startOffset, store.endOffset, store.sizeInBytes], [at, at, 0])
        await done
        assert.deepEqual(await store.read(at, 100, at), [])
        fill(store, 5)
        await store.sync()
        assert.deepEqual(offsets(await everything(store)), range(at, at + 5))
      }
    })

    test('batches are found by time', async volume => {
      const store = volume.open(partition, topicId, { ...defaults, segmentBytes: 10_000, indexIntervalBytes: 500 })
      const times = [...range(0, 300)].map(i => 1000 + 10 * i + (i % 7) * 3)
      for (const [i, time] of times.entries()) append(store, batch(2 * i, 2, 30, time))
      for (const wait of [false, true]) {
        if (wait) await store.sync()
        for (const wanted of [0, 1000, 1001, 1013, 1500, 2222, 3333, 3990, Math.max(...times)]) {
          const expected = 2 * times.findIndex(time => time >= wanted)
          assert.equal(await store.batchForTimestamp(wanted), expected, `${wanted}`)
        }
        assert.equal(await store.batchForTimestamp(5000), null)
      }
      assert.ok(store.segments().length > 2)
    })

    test('scan gives the headers of all batches', async volume => {
      const store = volume.open(partition, topicId, { ...defaults, segmentBytes: 3000 })
      for (let at = 0; at < 200; at += 4) append(store, batch(at, 4, 50, at, at < 100 ? 1 : 2))
      for (const wait of [false, true]) {
        if (wait) await store.sync()
        for (const from of [0, 1, 3, 4, 97, 196, 199, 200]) {
          const expected = range(0, 50).filter(i => 4 * i + 3 >= from)
          const found = [...store.scan(from)]
          assert.deepEqual(
            found.map(({ baseOffset }) => baseOffset),
            expected.map(i => 4 * i),
            `from ${from}`,
          )
          for (const header of found) {
            assert.equal(header.recordCount, 4)
            assert.equal(header.leaderEpoch, header.baseOffset < 100 ? 1 : 2)
          }
        }
      }
      for (const { baseOffset } of store.scan(0)) {
        if (baseOffset < 40) continue
        await store.truncate(44)
        break
      }
      assert.equal([...store.scan(0)].length, 11)
    })

    test('small files beside the batches', async volume => {
      const store = volume.open(partition, topicId, defaults)
      assert.equal(store.get('leader-epoch-checkpoint'), null)
      await store.put('leader-epoch-checkpoint', Buffer.from('one'))
      const last = [
        store.put('leader-epoch-checkpoint', Buffer.from('two')),
        store.put('b.snapshot', new Uint8Array(3)),
      ]
      await Promise.all([...last, store.put('leader-epoch-checkpoint', Buffer.from('three'))])
      assert.equal(Buffer.from(store.get('leader-epoch-checkpoint')!).toString(), 'three')
      assert.deepEqual(store.names(), ['b.snapshot', 'leader-epoch-checkpoint'])
      store.drop('leader-epoch-checkpoint')
      store.drop('never-was-there')
      assert.equal(store.get('leader-epoch-checkpoint'), null)
      fill(store, 1)
      await store.sync()
      assert.deepEqual(store.names(), ['b.snapshot'])
    })

    test('many stores side by side', async volume => {
      const stores = range(0, 20).map(i => volume.open({ topic: `t-${i % 3}`, partition: i }, topicId, defaults))
      stores.forEach((store, i) => {
        fill(store, i + 1)
      })
      const ends = await Promise.all(stores.map(store => store.sync()))
      assert.deepEqual(ends, range(1, 21))
      assert.equal(volume.list().length, 20)
      assert.ok(volume.list().every(entry => entry.topicId === topicId))
      for (const [i, store] of stores.entries()) assert.deepEqual(offsets(await everything(store)), range(0, i + 1))
    })

    test('a removed partition is gone, and another of its name is new', async volume => {
      const store = volume.open(partition, topicId, defaults)
      fill(store, 3)
      await store.put('x.snapshot', new Uint8Array(1))
      volume.setLogStartOffset(partition, 2)
      volume.setHighWatermark(partition, 3)
      const removed = volume.remove(partition)
      assert.throws(() => fill(store, 1))
      await removed
      await volume.remove({ topic: 'never-was-there', partition: 0 })
      assert.deepEqual(volume.list(), [])
      assert.equal(volume.logStartOffset(partition), 0)
      assert.equal(volume.highWatermark(partition), 0)
      const next = volume.open(partition, 'AAAAAAAAAAAAAAAAAAAAAg', defaults)
      assert.equal(next.endOffset, 0)
      assert.deepEqual(next.names(), [])
      fill(next, 1)
      assert.deepEqual(offsets(await everything(next)), [0])
    })

    test('a topic does not open the bytes of another one of its name', async volume => {
      const store = volume.open(partition, topicId, defaults)
      fill(store, 1)
      await store.close()
      assert.throws(() => volume.open(partition, 'AAAAAAAAAAAAAAAAAAAAAg', defaults), { name: /KafkaError/ })
    })

    test('a closed store takes nothing', async volume => {
      const store = volume.open(partition, topicId, defaults)
      fill(store, 1)
      await store.close()
      await store.close()
      assert.throws(() => fill(store, 1), { name: /KafkaError/ })
    })

    test('what was closed is there again', async (volume, under) => {
      const options = { ...defaults, segmentBytes: 700 }
      const store = volume.open(partition, topicId, options)
      append(store, ...range(0, 20).map(i => batch(i * 3, 3, 20, 5000 + i, 7)))
      await store.trim(10)
      await store.put('5.snapshot', Buffer.from('five'))
      volume.setLogStartOffset(partition, 13)
      volume.setHighWatermark(partition, 57)
      await volume.put('meta.properties', Buffer.from('version=1\n'), 0o600)
      const before = await everything(store)
      const segments = store.segments().map(plain)
      await store.close()
      if (under.reopen === null) return
      await volume.close(42)
      const again = await under.reopen(volume)
      assert.equal(again.clean, true)
      assert.equal(again.previousBrokerEpoch, 42)
      assert.equal(Buffer.from(again.get('meta.properties')!).toString(), 'version=1\n')
      assert.equal(again.get('none'), null)
      assert.deepEqual(again.list(), [{ ...partition, topicId }])
      assert.equal(again.logStartOffset(partition), 13)
      assert.equal(again.highWatermark(partition), 57)
      const reopened = again.open(partition, topicId, options)
      assert.deepEqual(reopened.segments().map(plain), segments)
      assert.deepEqual([reopened.endOffset, reopened.durableOffset, reopened.writtenOffset], [60, 60, 60])
      assert.deepEqual(await everything(reopened), before)
      assert.equal(await reopened.batchForTimestamp(5015), 45)
      assert.deepEqual(reopened.names(), ['5.snapshot'])
      append(reopened, batch(60))
      await reopened.sync()
      assert.equal(offsets(await everything(reopened)).at(-1), 60)
      await again.close()
    })

    test('without an orderly close the volume says so, and what was synced is there', async (volume, under) => {
      if (under.reopen === null) return
      const store = volume.open(partition, topicId, defaults)
      fill(store, 5)
      await store.sync()
      const before = await everything(store)
      // A second opening of the same bytes, as after a crash: the first volume is not closed.
      const again = await under.reopen(volume)
      assert.equal(again.clean, false)
      const reopened = again.open(partition, topicId, defaults)
      assert.deepEqual(await everything(reopened), before)
      await again.close()
    })

    test('space is told', async volume => {
      const { free, total } = volume.space()
      assert.ok(free > 0 && free <= total)
    })
  })
}

function plain({ baseOffset, endOffset, sizeInBytes, maxTimestamp }: ReturnType<Store['segments']>[number]): unknown {
  return { baseOffset, endOffset, sizeInBytes, maxTimestamp }
}
