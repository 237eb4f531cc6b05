import { type CompressionType, codecOf, compressionId } from '../compression/compression.ts'
import { putInt16, putInt32 } from './bytes.ts'
import {
  attributes,
  attributesAt,
  batchLengthAt,
  batchOverhead,
  compressionBits,
  logOverhead,
  recordsAt,
  stampCrc,
} from './header.ts'
import { defaultMaxDecompressedBytes, recordBytes } from './records.ts'

/**
 * A copy of the batch at `at` in the codec of its topic (`compression.type`); null when it already is in that codec. Only the
 * record section is packed anew: offsets, timestamps and producer fields are the same. Both codecs must be loaded.
 */
export function recompress(
  bytes: Uint8Array,
  at: number,
  type: CompressionType,
  level?: number,
  maxBytes = defaultMaxDecompressedBytes,
): Buffer | null {
  const id = compressionId(type)
  const bits = attributes(bytes, at)
  if ((bits & compressionBits) === id) return null
  const section = codecOf(id).compress(recordBytes(bytes, at, maxBytes), level)
  const batch = Buffer.allocUnsafe(batchOverhead + section.length)
  batch.set(bytes.subarray(at, at + batchOverhead))
  batch.set(section, recordsAt)
  putInt32(batch, batchLengthAt, batch.length - logOverhead)
  putInt16(batch, attributesAt, (bits & ~compressionBits) | id)
  stampCrc(batch, 0)
  return batch
}
