import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameInput, frameTurns } from './frame-input.ts'

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  return Buffer.concat([head, payload])
}

const data = 0
const headers = 1

function bench() {
  const soon: (() => void)[] = []
  const turns = frameTurns({ soon: run => void soon.push(run) })
  const turn = () => {
    for (const run of soon.splice(0)) run()
  }
  const reader = () => {
    const got: Buffer[] = []
    const state = { got, paused: false, ended: false, full: false }
    const input = new FrameInput(turns, {
      push: bytes => {
        if (bytes === null) state.ended = true
        else got.push(bytes)
        return !state.full
      },
      pause: () => {
        state.paused = true
      },
      resume: () => {
        state.paused = false
      },
    })
    return { input, state, bytes: () => Buffer.concat(got) }
  }
  return { turn, reader, waiting: () => soon.length }
}

test('large frames pass as they come, in the buffers in which they came', () => {
  const { reader } = bench()
  const { input, state } = reader()
  input.want()
  const chunks = [preface, ...Array.from({ length: 20 }, () => frame(data, Buffer.alloc(16_384, 'x')))]
  for (const chunk of chunks) input.add(chunk)
  assert.deepEqual(state.got, chunks)
  assert.ok(state.got.every((chunk, i) => chunk === chunks[i]))
  assert.equal(state.paused, false)
})

test('of many calls some are handed on each turn, whole, and nothing is read in between', () => {
  const { reader, turn } = bench()
  const { input, state, bytes } = reader()
  const call = frame(headers, Buffer.alloc(11, 'h'))
  const all = Buffer.concat([preface, ...Array.from({ length: 220 }, () => call)])
  input.want()
  input.add(all)
  // A hundred calls cost all of a turn.
  assert.equal(bytes().length, preface.length + 100 * call.length)
  assert.equal(state.paused, true)
  turn()
  assert.equal(bytes().length, preface.length + 200 * call.length)
  assert.equal(state.paused, true)
  turn()
  assert.deepEqual(bytes(), all)
  assert.equal(state.paused, false)
})

test('all connections share a turn, and those that find nothing left come next', () => {
  const { reader, turn } = bench()
  const call = frame(headers, Buffer.alloc(11))
  const all = Buffer.concat([preface, ...Array.from({ length: 60 }, () => call)])
  const readers = Array.from({ length: 6 }, reader)
  const begun = () => readers.map(({ bytes }) => Math.max(0, bytes().length - preface.length) / call.length)
  for (const { input } of readers) {
    input.want()
    input.add(all)
  }
  assert.deepEqual(begun(), [60, 40, 0, 0, 0, 0])
  turn()
  assert.deepEqual(begun(), [60, 60, 25, 25, 25, 5])
  turn()
  assert.deepEqual(begun(), [60, 60, 50, 50, 50, 30])
  turn()
  assert.deepEqual(begun(), [60, 60, 60, 60, 60, 60])
})

test('bytes that come one by one pass, and are counted as frames all the same', () => {
  const { reader, turn } = bench()
  const { input, bytes } = reader()
  const all = Buffer.concat([preface, ...Array.from({ length: 110 }, () => frame(headers, Buffer.alloc(3, 'h')))])
  input.want()
  for (const byte of all) input.add(Buffer.from([byte]))
  assert.equal(bytes().length, preface.length + 100 * 12)
  turn()
  assert.deepEqual(bytes(), all)
})

test('what nobody wants yet waits, and the end waits behind it', () => {
  const { reader, turn } = bench()
  const { input, state, bytes } = reader()
  input.add(preface)
  assert.equal(state.paused, true)
  assert.equal(bytes().length, 0)
  input.end()
  state.full = true
  input.want()
  assert.deepEqual(bytes(), preface)
  assert.equal(state.ended, false)
  input.want()
  assert.equal(state.ended, true)
  turn()
})

test('a connection that is dropped takes no more turns', () => {
  const { reader, turn, waiting } = bench()
  const { input, bytes } = reader()
  input.want()
  input.add(Buffer.concat([preface, ...Array.from({ length: 150 }, () => frame(headers, Buffer.alloc(11)))]))
  const before = bytes().length
  input.drop()
  turn()
  assert.equal(bytes().length, before)
  turn()
  assert.equal(waiting(), 0)
})
