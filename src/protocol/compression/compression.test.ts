import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { KafkaError } from '../errors.ts'
import { codecOf, compressionId, compressionReady, compressionTypes, loadCompression } from './compression.ts'
import { lz4Frames, zstdFrames } from './frames.test.data.ts'
import { compressLz4, lz4 } from './lz4.ts'

await loadCompression(compressionId('zstd'))

const limit = 8 * 1024 * 1024
const packers = compressionTypes.filter(type => type !== 'none').map(type => codecOf(compressionId(type)))

/** Neither random nor constant: what compressors meet in practice. */
function log(bytes: number): Buffer {
  let text = ''
  for (let i = 0; text.length < bytes; i++) {
    text += `{"id":${i},"user":"user-${(i * 7919) % 1013}","ok":${i % 3 > 0},"note":"the quick brown ottla"}\n`
  }
  return Buffer.from(text.slice(0, bytes))
}

/** Bytes without a pattern. */
function noise(bytes: number): Buffer {
  let seed = 42
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => {
      seed = (Math.imul(seed, 1103515245) + 12345) | 0
      return seed >>> 16
    }),
  )
}

const sizes = [0, 1, 4, 11, 12, 13, 15, 64, 300, 4095, 32768, 32769, 65535, 65536, 65537, 200000]

for (const codec of packers) {
  test(`${codec.type}: what goes in comes out, at every size`, () => {
    for (const size of sizes) {
      for (const content of [log(size), noise(size), Buffer.alloc(size, 7)]) {
        const packed = codec.compress(content)
        assert.deepEqual(Buffer.from(codec.decompress(packed, limit)), content, `${size} bytes`)
        assert.deepEqual(Buffer.from(codec.decompress(packed, Math.max(1, size))), content, `${size}, exact limit`)
      }
    }
    assert.ok(codec.compress(log(100000)).length < 50000)
  })

  test(`${codec.type}: what goes in comes out, whatever it is`, () => {
    const pieces = fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 50 })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(pieces, parts => {
        const content = Buffer.concat(parts.flatMap(([piece, times]) => Array<Uint8Array>(times).fill(piece)))
        assert.ok(content.equals(codec.decompress(codec.compress(content), limit)))
      }),
      { numRuns: 100, seed: 7 },
    )
  })

  test(`${codec.type}: makes no more bytes than it may`, () => {
    for (const size of [100, 65536, 65537, 3 * 1024 * 1024]) {
      const packed = codec.compress(Buffer.alloc(size))
      for (const most of [size - 1, size >> 1, 10]) {
        assert.throws(
          () => codec.decompress(packed, most),
          (error: KafkaError) => error.errorName === 'MESSAGE_TOO_LARGE',
          `${size} bytes into ${most}`,
        )
      }
    }
  })

  test(`${codec.type}: broken bytes give an error and nothing else`, () => {
    const packed = codec.compress(log(700))
    for (let at = 0; at < packed.length; at++) {
      for (const flip of [0x01, 0x40, 0x80, 0xff]) {
        const spoiled = Buffer.from(packed)
        spoiled[at]! ^= flip
        survives(() => codec.decompress(spoiled, 1 << 16))
      }
      if (at > 0) survives(() => codec.decompress(packed.subarray(0, at), 1 << 16))
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), junk => survives(() => codec.decompress(junk, 1 << 16))),
      { numRuns: 300, seed: 11 },
    )
  })
}

function survives(decompress: () => Uint8Array): void {
  try {
    assert.ok(decompress().length <= 1 << 16)
  } catch (error) {
    assert.ok(error instanceof KafkaError, String((error as Error).stack))
  }
}

for (const type of ['gzip', 'lz4', 'zstd', 'snappy'] as const) {
  test(`${type}: reads frames that stand one after the other`, () => {
    const codec = codecOf(compressionId(type))
    const [first, second] = [log(70000), log(10)]
    const packed = Buffer.concat([codec.compress(first), codec.compress(second)])
    assert.ok(Buffer.concat([first, second]).equals(codec.decompress(packed, limit)))
    assert.throws(() => codec.decompress(packed, 70001), KafkaError)
  })
}

for (const { kind, content, hex } of lz4Frames) {
  test(`lz4: reads what the reference library wrote, ${kind}`, () => {
    const frame = Buffer.from(hex, 'hex')
    assert.equal(Buffer.from(lz4.decompress(frame, limit)).toString(), content)
    assert.throws(() => lz4.decompress(frame, content.length - 1), KafkaError)
    for (let at = 4; at < frame.length; at += 1 + (at >> 5)) {
      const spoiled = Buffer.from(frame)
      spoiled[at]! ^= 0x11
      survives(() => lz4.decompress(spoiled, 1 << 16))
    }
  })
}

for (const { kind, content, hex } of zstdFrames) {
  test(`zstd: reads what the reference library wrote, ${kind}`, () => {
    const codec = codecOf(compressionId('zstd'))
    const frame = Buffer.from(hex, 'hex')
    assert.equal(Buffer.from(codec.decompress(frame, limit)).toString(), content)
    assert.throws(
      () => codec.decompress(frame, content.length - 1),
      (error: KafkaError) => error.errorName === 'MESSAGE_TOO_LARGE',
    )
    const skippable = Buffer.from('5b2a4d1803000000ffffff', 'hex')
    assert.equal(Buffer.from(codec.decompress(Buffer.concat([skippable, frame]), limit)).toString(), content)
  })
}

test('zstd: does not believe a stated size', () => {
  const codec = codecOf(compressionId('zstd'))
  // Single segment, eight bytes of size: 2^40, and one raw block of one byte.
  const liar = Buffer.from('28b52ffde000000000000100000900005a', 'hex')
  assert.throws(() => codec.decompress(liar, limit), KafkaError)
})

test('snappy: does not believe a stated size', () => {
  const liar = Buffer.from([0xff, 0xff, 0xff, 0x7f, 0x00, 0x61])
  assert.throws(() => codecOf(compressionId('snappy')).decompress(liar, 2 ** 31), KafkaError)
})

test('snappy: reads a raw block without frames around it', () => {
  // By hand: eight bytes; the literal "ab", then a copy of six from two back.
  const raw = Buffer.from([8, 1 << 2, 0x61, 0x62, (2 << 2) | 1, 2])
  assert.equal(Buffer.from(codecOf(compressionId('snappy')).decompress(raw, 100)).toString(), 'abababab')
})

test('levels: harder ones make it smaller, all are read back', () => {
  const content = log(150000)
  const fast = compressLz4(content, 9).length
  const hard = compressLz4(content, 12)
  assert.ok(hard.length < fast)
  assert.ok(content.equals(lz4.decompress(hard, limit)))
  for (const type of ['gzip', 'zstd'] as const) {
    const codec = codecOf(compressionId(type))
    const best = codec.compress(content, 9)
    assert.ok(best.length < codec.compress(content, 1).length)
    assert.ok(content.equals(codec.decompress(best, limit)))
  }
  assert.ok(content.equals(codecOf(1).decompress(gzipSync(content), limit)))
})

test('numbers without a meaning are refused', () => {
  for (const id of [5, 6, 7]) {
    assert.throws(
      () => codecOf(id),
      (error: KafkaError) => error.errorName === 'UNSUPPORTED_COMPRESSION_TYPE',
    )
  }
  assert.deepEqual(compressionTypes, ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  for (const type of compressionTypes) assert.ok(compressionReady(compressionId(type)))
})
