import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader } from './frames.ts'

/** A reader that keeps copies, or views, of what it is given. */
function reader(options: { limit?: number; keeps?: boolean } = {}) {
  const frames: Buffer[] = []
  const refused: string[] = []
  const sink = {
    open: true,
    frame(bytes: Buffer) {
      frames.push(options.keeps ? bytes : Buffer.from(bytes))
      return !options.keeps
    },
    refuse: (reason: string) => void refused.push(reason),
    ready: () => sink.open,
  }
  const frameReader = new FrameReader(sink, options.limit ?? 1_000_000)
  const feed = (bytes: Buffer, step: number) => {
    for (let at = 0; at < bytes.length; ) {
      const space = frameReader.space()
      assert.ok(space.length > 0, 'space is never empty')
      const part = bytes.subarray(at, at + Math.min(step, space.length))
      space.set(part)
      frameReader.data(part.length)
      at += part.length
    }
  }
  return { frames, refused, sink, frameReader, feed }
}

function frame(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(4 + length, fill)
  bytes.writeInt32BE(length)
  return bytes
}

const lengths = [0, 1, 10, 4_092, 4_096, 5_000, 70_000, 3, 300_000, 7, 0, 16_000, 16_000, 16_000]
const stream = Buffer.concat(lengths.map((length, i) => frame(length, i + 1)))

for (const step of [1, 3, 1_000, 4_096, 65_536, 1_000_000]) {
  for (const keeps of [false, true]) {
    test(`cuts every frame whole, ${step} bytes at a time, ${keeps ? 'views kept' : 'views dropped'}`, () => {
      const { frames, feed } = reader({ keeps })
      feed(stream, step)
      assert.deepEqual(
        frames.map(bytes => bytes.length),
        lengths,
      )
      for (const [i, bytes] of frames.entries())
        assert.ok(
          bytes.every(byte => byte === i + 1),
          `frame ${i}`,
        )
    })
  }
}

test('a length beyond the limit is refused before memory is taken for it', () => {
  const { refused, frames, feed, frameReader } = reader({ limit: 1_000 })
  feed(frame(10, 1), 100)
  const header = Buffer.alloc(4)
  header.writeInt32BE(1_001)
  feed(header, 4)
  assert.equal(frames.length, 1)
  assert.deepEqual(refused, ['a frame of 1001 bytes; the limit is 1000'])
  assert.ok(frameReader.buffered <= 4_096)
})

test('a negative length is refused', () => {
  const { refused, feed } = reader()
  feed(Buffer.from([0xff, 0xff, 0xff, 0xff]), 4)
  assert.deepEqual(refused, ['a frame of -1 bytes'])
})

test('a declared length takes no memory before its bytes come', () => {
  const { feed, frameReader } = reader({ limit: 100_000_000 })
  const header = Buffer.alloc(8)
  header.writeInt32BE(99_000_000)
  feed(header, 8)
  frameReader.space()
  assert.ok(frameReader.buffered <= 64 * 1024, String(frameReader.buffered))
})

test('frames are held back while the sink is not ready, and follow when it is', () => {
  const { frames, sink, feed, frameReader } = reader()
  sink.open = false
  feed(Buffer.concat([frame(10, 1), frame(20, 2)]), 1_000)
  assert.equal(frames.length, 0)
  sink.open = true
  frameReader.resume()
  assert.deepEqual(
    frames.map(bytes => bytes.length),
    [10, 20],
  )
})

test('an idle connection goes back to a small slab', () => {
  const { feed, frameReader } = reader()
  feed(frame(900_000, 1), 1_000_000)
  assert.ok(frameReader.buffered > 100_000)
  for (let i = 0; i < 200; i++) feed(frame(20, 2), 100)
  assert.ok(frameReader.buffered <= 64 * 1024, String(frameReader.buffered))
})

test('what is no frame can be given to somebody else, every byte once', () => {
  const { frames, refused, feed, frameReader } = reader()
  feed(frame(10, 1), 3)
  feed(Buffer.from('GET / HTTP/1.1'), 14)
  assert.equal(frames.length, 1)
  assert.equal(refused.length, 1)
  assert.equal(
    frameReader.beginsWith(bytes => bytes[0] === 0x47),
    true,
  )
  assert.equal(frameReader.surrender().toString(), 'GET / HTTP/1.1')
  assert.equal(frameReader.surrender().length, 0)
  assert.equal(frameReader.buffered, 0)
})
