import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventStream, PacedStream } from './stream.ts'

/** A stream whose other side reads when it is told to. */
class Pipe implements EventStream {
  unsent = 0
  ended = false
  destroyed = false
  #drained = () => {}
  #closed = () => {}

  write(bytes: Uint8Array): void {
    this.unsent += bytes.length
  }

  onDrain(run: () => void): void {
    this.#drained = run
  }

  onClose(run: () => void): void {
    this.#closed = run
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.destroyed = true
  }

  read(): void {
    this.unsent = 0
    this.#drained()
  }

  close(): void {
    this.#closed()
  }
}

function paced() {
  const pipe = new Pipe()
  const clock = { now: 0 }
  let heard = 0
  const stream = new PacedStream(
    pipe,
    () => clock.now,
    () => {
      heard++
    },
  )
  return { pipe, clock, stream, heard: () => heard }
}

const full = new Uint8Array(64 * 1024)

test('a stream is ready until too much of it is unsent', () => {
  const { pipe, stream, heard } = paced()
  stream.write(full.subarray(1))
  assert.equal(stream.ready, true)
  stream.write(full.subarray(0, 1))
  assert.equal(stream.ready, false)
  pipe.read()
  assert.deepEqual([stream.ready, heard()], [true, 1])
})

test('it knows how long it is silent, and how long nobody reads', () => {
  const { pipe, clock, stream } = paced()
  clock.now = 10
  assert.deepEqual([stream.silentMs(clock.now), stream.stalledMs(clock.now)], [10, 0])
  stream.write(full)
  clock.now = 25
  stream.write(full)
  clock.now = 30
  assert.deepEqual([stream.silentMs(clock.now), stream.stalledMs(clock.now)], [5, 20])
  pipe.read()
  assert.equal(stream.stalledMs(clock.now), 0)
})

test('who waits for room goes on when there is some, or at the end', async () => {
  const { pipe, stream } = paced()
  await stream.room()
  stream.write(full)
  const [first, second] = [stream.room(), stream.room()]
  pipe.read()
  await Promise.all([first, second])
  stream.write(full)
  const third = stream.room()
  pipe.close()
  await third
  assert.equal(stream.closed, true)
})

test('nothing is written behind the end, and everybody hears of it', () => {
  for (const finish of ['end', 'cut'] as const) {
    const { pipe, stream, heard } = paced()
    stream[finish]()
    assert.deepEqual([pipe.ended, pipe.destroyed], [finish === 'end', finish === 'cut'])
    assert.deepEqual([stream.closed, stream.ready, heard()], [true, false, 1])
    stream.write(full)
    assert.equal(pipe.unsent, 0)
  }
})
