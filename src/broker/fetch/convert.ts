import { attributes, compressionBits, lastOffset, recordCount, sizeInBytes } from '../../protocol/batches/header.ts'
import { downConvert } from '../../protocol/batches/legacy-write.ts'
import { loadCompression } from '../../protocol/compression/compression.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { FetchResult } from './fetch.ts'

/** Record batches (magic 2) came with Fetch 4, zstd with Fetch 10 (KIP-98, 110). */
const batchesSince = 4
const zstdSince = 10
const zstd = 4
/** Records that are converted for one answer: each of them is taken apart and put together again, at once. */
const mostConverted = 100_000

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
  const magic = version < 2 ? 0 : 1
  let left = mostConverted
  for (const result of results) {
    const codecs = codecsOf(result)
    if (codecs.has(zstd)) {
      refuseZstd(result)
      continue
    }
    for (const codec of codecs) await loadCompression(codec)
    try {
      left -= convertOne(result, magic, left)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      refuse(result, error)
    }
  }
}

/**
 * As many batches as suit the limits: what they unpack to may be a thousand times what was asked for. Returns the number of
 * records that were converted.
 */
function convertOne(result: FetchResult, magic: 0 | 1, left: number): number {
  const { fetchOffset, maxBytes } = result.wanted
  const converted: Uint8Array[] = []
  let bytes = 0
  let records = 0
  for (const batch of batchesOf(result)) {
    if (lastOffset(batch, 0) < fetchOffset) continue
    const count = recordCount(batch, 0)
    if (count > mostConverted)
      throw new KafkaError('MESSAGE_TOO_LARGE', `${count} records in one batch are too many for Fetch below version 4`)
    if (records + count > left || (bytes > 0 && bytes >= maxBytes)) break
    const messages = downConvert(batch, magic, fetchOffset)
    records += count
    bytes += messages.length
    converted.push(messages)
  }
  result.records = converted
  result.bytes = bytes
  return records
}

function* batchesOf({ records }: FetchResult): Generator<Uint8Array, void, void> {
  for (const bytes of records)
    for (let at = 0; at < bytes.length; ) {
      const end = at + sizeInBytes(bytes, at)
      yield bytes.subarray(at, end)
      at = end
    }
}

function codecsOf(result: FetchResult): Set<number> {
  const codecs = new Set<number>()
  for (const batch of batchesOf(result)) codecs.add(attributes(batch, 0) & compressionBits)
  return codecs
}

function refuseZstd(result: FetchResult): void {
  refuse(result, new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Fetch version 10 or newer'))
}

function refuse(result: FetchResult, error: KafkaError): void {
  result.error = error
  result.records = []
  result.bytes = 0
}
