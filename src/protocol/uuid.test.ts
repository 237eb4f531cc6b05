import assert from 'node:assert/strict'
import test from 'node:test'
import { dice } from './hostile-frames.ts'
import { getUuid, putUuid, ZERO_UUID } from './uuid.ts'

const bytesOf = (text: string): Buffer => {
  const bytes = Buffer.alloc(18, 0xee)
  putUuid(bytes, 1, text)
  assert.equal(bytes[0], 0xee)
  assert.equal(bytes[17], 0xee)
  return bytes.subarray(1, 17)
}

test('uuids are printed as Kafka prints them', () => {
  const text = 'lRDF6MofQ9uDGPGOQSKIjw'
  assert.equal(bytesOf(text).toString('hex'), '9510c5e8ca1f43db8318f18e4122888f')
  assert.equal(getUuid(bytesOf(text), 0), text)
  assert.equal(bytesOf(ZERO_UUID).toString('hex'), '0'.repeat(32))
  assert.equal(getUuid(Buffer.alloc(16), 0), ZERO_UUID)
})

test('many uuids at once do not take each other’s place', () => {
  const roll = dice(5)
  const known = Array.from({ length: 5000 }, () => Buffer.from(Array.from({ length: 16 }, () => roll(256))))
  // Counters too: they differ in few bits, and fall on few slots of a table.
  for (let i = 0; i < 2000; i++) known.push(Buffer.from(i.toString(16).padStart(32, '0'), 'hex'))
  for (let round = 0; round < 2; round++) {
    for (const bytes of known) {
      const text = bytes.toString('base64url')
      assert.equal(getUuid(bytes, 0), text)
      assert.ok(bytesOf(text).equals(bytes))
    }
  }
})

test('what is no uuid is refused', () => {
  for (const text of [
    '',
    'AAAA',
    'AAAAAAAAAAAAAAAAAAAAA!',
    'AAAAAAAAAAAAAAAAAAAAAAA',
    'AAAAAAAAAAAAAAAAAAAAAB',
    undefined,
  ]) {
    assert.throws(() => bytesOf(text as string), /not a uuid/, String(text))
  }
})
