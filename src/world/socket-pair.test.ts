import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from './node.ts'
import { socketPair } from './socket-pair.ts'
import type { Socket } from './world.ts'

const here = { host: 'here', port: 1 }
const there = { host: 'there', port: 2 }

/** What arrives at a socket, through memory of `room` bytes. */
class Heard {
  readonly bytes: number[] = []
  ended = false
  closed = 0
  readonly #memory: Uint8Array

  constructor(socket: Socket, room = 8) {
    this.#memory = new Uint8Array(room)
    socket.receive({
      space: () => this.#memory,
      data: count => this.bytes.push(...this.#memory.subarray(0, count)),
      end: () => {
        this.ended = true
      },
    })
    socket.onClose(() => this.closed++)
  }

  get text(): string {
    return Buffer.from(this.bytes).toString()
  }
}

const pair = () => socketPair(nodeWorld.timers, here, there)
const text = (value: string) => Buffer.from(value)

/** Long enough for everything that needs no more than a few turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>(resolve => nodeWorld.timers.soon(resolve))
}

test('what is written at one end arrives at the other, in order and in pieces of any size', async () => {
  const [one, other] = pair()
  const heard = new Heard(other, 3)
  const back = new Heard(one)
  let sent = 0
  one.write([text('hello'), text(', '), text('world')], () => sent++)
  one.write([text('!')])
  other.write([text('hi')])
  assert.equal(heard.text, '', 'nothing arrives within the call that writes it')
  assert.equal(one.unsent, 13)
  await settled()
  assert.deepEqual([heard.text, back.text, sent, one.unsent], ['hello, world!', 'hi', 1, 0])
})

test('addresses are those of the two sides', () => {
  const [one, other] = pair()
  assert.deepEqual([one.local, one.remote, other.local, other.remote], [here, there, there, here])
})

test('bytes wait for a reader, and for one that pauses', async () => {
  const [one, other] = pair()
  one.write([text('a')])
  await settled()
  const heard = new Heard(other)
  await settled()
  assert.equal(heard.text, 'a')
  other.pause()
  one.write([text('b')])
  await settled()
  assert.deepEqual([heard.text, one.unsent], ['a', 1])
  other.resume()
  await settled()
  assert.deepEqual([heard.text, one.unsent], ['ab', 0])
})

test('a writer that wrote much hears when it is gone', async () => {
  const [one, other] = pair()
  let drained = 0
  one.onDrain(() => drained++)
  const heard = new Heard(other, 1 << 16)
  one.write([Buffer.alloc(100)])
  await settled()
  assert.equal(drained, 0, 'a little is nothing to wait for')
  other.pause()
  one.write([Buffer.alloc(100_000)])
  await settled()
  assert.deepEqual([drained, one.unsent], [0, 100_000])
  other.resume()
  await settled()
  assert.deepEqual([drained, one.unsent, heard.bytes.length], [1, 0, 100_100])
})

test('much does not go over in one turn of the event loop', async () => {
  const [one, other] = pair()
  const seen: number[] = []
  const memory = new Uint8Array(1 << 18)
  let got = 0
  other.receive({
    space: () => memory,
    data: count => {
      got += count
    },
    end: () => {},
  })
  one.write([Buffer.alloc(3 << 20)])
  for (let turn = 0; turn < 6; turn++) {
    await new Promise<void>(resolve => nodeWorld.timers.soon(resolve))
    seen.push(got)
  }
  assert.equal(got, 3 << 20)
  assert.equal(seen[0], 1 << 20)
})

test('one side ends, the other goes on until it ends too; then both are closed, once', async () => {
  const [one, other] = pair()
  const heard = new Heard(other)
  const back = new Heard(one)
  one.write([text('question')])
  one.end()
  await settled()
  assert.deepEqual([heard.text, heard.ended, heard.closed], ['question', true, 0])
  other.write([text('too late to be heard')])
  other.end()
  await settled()
  assert.deepEqual([back.text, back.ended, back.closed, heard.closed], ['', false, 1, 1])
})

test('the end is heard after everything before it, by a reader that came late, too', async () => {
  const [one, other] = pair()
  one.write([text('last words')])
  one.end()
  await settled()
  const heard = new Heard(other)
  await settled()
  assert.deepEqual([heard.text, heard.ended], ['last words', true])
})

test('destroyed: what was written arrives, what was not read is lost, and both sides are closed', async () => {
  const [one, other] = pair()
  const heard = new Heard(other)
  const back = new Heard(one)
  let sent = 0
  one.write([text('acks 0')])
  other.write([text('nobody hears this')], () => sent++)
  one.destroy()
  one.destroy()
  await settled()
  assert.deepEqual([heard.text, back.text, sent], ['acks 0', '', 1])
  assert.deepEqual([heard.closed, back.closed], [1, 1])
  other.write([text('into the void')], () => sent++)
  await settled()
  assert.deepEqual([sent, other.unsent], [2, 0])
})

test('a reader that pauses hears of a destroyed connection when it has read what came before', async () => {
  const [one, other] = pair()
  const heard = new Heard(other)
  await settled()
  other.pause()
  one.write([text('x')])
  one.destroy()
  await settled()
  assert.equal(heard.closed, 0)
  other.resume()
  await settled()
  assert.deepEqual([heard.text, heard.closed], ['x', 1])
})
