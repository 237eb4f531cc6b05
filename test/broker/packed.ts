// Small batches that unpack to very much.
import { putInt32 } from '../../src/protocol/batches/bytes.ts'
import {
  attributesAt,
  batchLengthAt,
  batchOverhead,
  lastOffsetDeltaAt,
  logOverhead,
  maxTimestampAt,
  recordCountAt,
  stampCrc,
} from '../../src/protocol/batches/header.ts'
import { crc32 } from '../../src/protocol/batches/legacy.ts'
import { codecOf } from '../../src/protocol/compression/compression.ts'
import { batch } from './requests.ts'

/**
 * A batch of magic 2 that unpacks to whatever `section` holds, with a header that tells of `count` records. `codec`: by
 * Kafka's number; those above 2 have to be loaded.
 */
export function packed(section: Uint8Array, count = 1, codec = 1): Buffer {
  const bytes = Buffer.concat([batch(['x']).subarray(0, batchOverhead), codecOf(codec).compress(section)])
  bytes[attributesAt + 1] = codec
  putInt32(bytes, batchLengthAt, bytes.length - logOverhead)
  putInt32(bytes, lastOffsetDeltaAt, count - 1)
  putInt32(bytes, maxTimestampAt, 0)
  putInt32(bytes, maxTimestampAt + 4, 1000)
  putInt32(bytes, recordCountAt, count)
  stampCrc(bytes, 0)
  return bytes
}

/** The smallest records there are, and of an older time than their header says. */
export const tiny = (count: number, codec = 1): Buffer =>
  packed(Buffer.alloc(7 * count, Buffer.from([12, 0, 0, 0, 1, 1, 0])), count, codec)

/** An old message of magic 1 without key, compressed as told. */
export function oldMessage(value: Uint8Array, codec = 0): Buffer {
  const bytes = Buffer.alloc(34 + value.length)
  putInt32(bytes, 8, bytes.length - 12)
  bytes[16] = 1
  bytes[17] = codec
  putInt32(bytes, 26, -1)
  putInt32(bytes, 30, value.length)
  bytes.set(value, 34)
  putInt32(bytes, 12, crc32(bytes, 16, bytes.length) | 0)
  return bytes
}
