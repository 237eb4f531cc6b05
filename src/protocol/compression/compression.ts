import { KafkaError } from '../errors.ts'
import type { Codec, CompressionType } from './codec.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { loadZstd, zstd, zstdReady } from './zstd.ts'

export type { Codec, CompressionType } from './codec.ts'

const none: Codec = {
  type: 'none',
  compress: bytes => bytes,
  decompress(bytes, maxBytes) {
    if (bytes.length > maxBytes) throw new KafkaError('MESSAGE_TOO_LARGE', `more than ${maxBytes} bytes`)
    return bytes
  },
}

/** By the number that stands in a batch's attributes. */
const codecs: readonly Codec[] = [none, gzip, snappy, lz4, zstd]

/** Kafka's names, each at the place of its number in a batch's attributes. */
export const compressionTypes: readonly CompressionType[] = codecs.map(codec => codec.type)

/** The number of a name, as it stands in a batch's attributes. */
export function compressionId(type: CompressionType): number {
  return compressionTypes.indexOf(type)
}

/**
 * The codec by the number in a batch's attributes (its lowest three bits). Synchronous in all but one case: zstd wants
 * `loadCompression` first (see `compressionReady`). Throws UNSUPPORTED_COMPRESSION_TYPE for numbers without a meaning.
 */
export function codecOf(id: number): Codec {
  const codec = codecs[id]
  if (codec === undefined) {
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `${id} is none of none, gzip, snappy, lz4 and zstd`)
  }
  return codec
}

/** False while the codec of that number must be loaded first. */
export function compressionReady(id: number): boolean {
  return id !== compressionId('zstd') || zstdReady()
}

/** Fulfilled when the codec of that number can be used without waiting. Cheap when it already can. */
export async function loadCompression(id: number): Promise<Codec> {
  return id === compressionId('zstd') ? loadZstd() : codecOf(id)
}
