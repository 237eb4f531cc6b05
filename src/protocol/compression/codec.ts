import { KafkaError } from '../errors.ts'

/** Kafka's names for the compression of records. */
export type CompressionType = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** One way to compress records. Synchronous, and without state between calls. */
export interface Codec {
  readonly type: CompressionType
  /** `level` as in the topic option `compression.<type>.level`; left out: Kafka's default. */
  compress(bytes: Uint8Array, level?: number): Uint8Array
  /**
   * Never makes more than `maxBytes` bytes and never allocates by a declared size alone. Throws MESSAGE_TOO_LARGE when the
   * content is larger, CORRUPT_MESSAGE when it is broken. The result may be a view of `bytes` or of larger memory.
   */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

export function corrupt(reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', reason)
}

export function tooLarge(type: CompressionType, maxBytes: number): KafkaError {
  return new KafkaError('MESSAGE_TOO_LARGE', `${type}: decompresses to more than ${maxBytes} bytes`)
}
