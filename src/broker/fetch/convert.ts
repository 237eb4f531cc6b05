import { attributes, compressionBits, sizeInBytes } from '../../protocol/batches/header.ts'
import { downConvert } from '../../protocol/batches/legacy-write.ts'
import { loadCompression } from '../../protocol/compression/compression.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { FetchResult } from './fetch.ts'

/** Record batches (magic 2) came with Fetch 4, zstd with Fetch 10 (KIP-98, 110). */
const batchesSince = 4
const zstdSince = 10
const zstd = 4

/** Makes results readable for a client of an old Fetch version; a promise when a codec must be loaded first. */
export function readableBy(version: number, results: readonly FetchResult[]): void | Promise<void> {
  if (version >= zstdSince) return
  if (version >= batchesSince) {
    for (const result of results) if (codecsOf(result).has(zstd)) refuseZstd(result)
    return
  }
  return convert(version, results)
}

async function convert(version: number, results: readonly FetchResult[]): Promise<void> {
  for (const result of results) {
    const codecs = codecsOf(result)
    if (codecs.has(zstd)) {
      refuseZstd(result)
      continue
    }
    for (const codec of codecs) await loadCompression(codec)
    const magic = version < 2 ? 0 : 1
    const from = result.wanted.fetchOffset
    result.records = result.records.map(bytes => downConvert(bytes, magic, from))
    result.bytes = result.records.reduce((sum, bytes) => sum + bytes.length, 0)
  }
}

function codecsOf({ records }: FetchResult): Set<number> {
  const codecs = new Set<number>()
  for (const bytes of records)
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at))
      codecs.add(attributes(bytes, at) & compressionBits)
  return codecs
}

function refuseZstd(result: FetchResult): void {
  result.error = new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Fetch version 10 or newer')
  result.records = []
  result.bytes = 0
}
