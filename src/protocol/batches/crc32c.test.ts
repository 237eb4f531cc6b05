import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, plainCrc32c } from './crc32c.ts'
import { crc32 } from './legacy.ts'

const digits = Buffer.from('123456789')

test('gives the check values of the catalogue of CRCs', () => {
  assert.equal(crc32c(digits), 0xe3069283)
  assert.equal(crc32(digits, 0, 9), 0xcbf43926)
  assert.equal(crc32c(new Uint8Array(0)), 0)
  // RFC 3720, B.4: 32 bytes of zeros.
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
})

test('is the same natively and in plain code, at every length and position', () => {
  const bytes = Uint8Array.from({ length: 1100 }, (_, i) => (i * 7919) >> 3)
  for (const length of [0, 1, 7, 8, 9, 63, 64, 255, 256, 257, 1000, 1024]) {
    for (const from of [0, 1, 21]) {
      assert.equal(crc32c(bytes, from, from + length), plainCrc32c(bytes, from, from + length), `${length} at ${from}`)
      assert.equal(crc32c(bytes, from, from + length), plainCrc32c(bytes.slice(from, from + length)))
    }
  }
})
