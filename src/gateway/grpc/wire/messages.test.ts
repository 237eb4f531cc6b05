import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcError } from '../status.ts'
import { MessageCutter } from './messages.ts'

function framed(text: string, flag = 0): Buffer {
  const bytes = Buffer.concat([Buffer.from([flag, 0, 0, 0, 0]), Buffer.from(text)])
  bytes.writeUInt32BE(text.length, 1)
  return bytes
}

const texts = (messages: ReturnType<MessageCutter['push']>) => messages.map(({ bytes }) => bytes.toString())

test('messages come out whole, however their bytes come in', () => {
  const all = Buffer.concat([framed('one'), framed(''), framed('three', 1), framed('x'.repeat(1000))])
  for (const size of [1, 2, 3, 4, 5, 6, 7, 11, 100, 999, all.length]) {
    const cutter = new MessageCutter(1000)
    const found: ReturnType<MessageCutter['push']> = []
    for (let at = 0; at < all.length; at += size) found.push(...cutter.push(all.subarray(at, at + size)))
    assert.deepEqual(texts(found), ['one', '', 'three', 'x'.repeat(1000)], `pieces of ${size}`)
    assert.deepEqual(
      found.map(({ compressed }) => compressed),
      [false, false, true, false],
    )
    assert.equal(cutter.held, 0)
  }
})

test('a message that came in one piece is not copied', () => {
  const bytes = framed('one')
  assert.equal(new MessageCutter(10).push(bytes)[0]?.bytes.buffer, bytes.buffer)
})

test('too long a message is refused by its length alone, in whatever pieces that comes', () => {
  for (const size of [1, 5]) {
    const cutter = new MessageCutter(10)
    const bytes = framed('x'.repeat(11)).subarray(0, 5)
    assert.throws(
      () => {
        for (let at = 0; at < 5; at += size) cutter.push(bytes.subarray(at, at + size))
      },
      (error: GrpcError) => error instanceof GrpcError && error.status === 'RESOURCE_EXHAUSTED',
    )
  }
})

test('a flag that does not exist is refused', () => {
  assert.throws(() => new MessageCutter(10).push(framed('x', 2)), GrpcError)
})

test('a declared length holds no memory', () => {
  const cutter = new MessageCutter(4 * 1024 * 1024)
  cutter.push(Buffer.from([0, 0, 0x40, 0, 0]))
  assert.equal(cutter.held, 5)
})
