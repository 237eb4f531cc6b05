import { putInt16 } from '../protocol/batches/bytes.ts'
import {
  attributes,
  attributesAt,
  compressionBits,
  logAppendTimeBit,
  magic,
  stampCrc,
} from '../protocol/batches/header.ts'
import { defaultMaxMessageSetBytes, isMessageSet, upConvert } from '../protocol/batches/legacy.ts'
import { recompress } from '../protocol/batches/recompress.ts'
import { readRecords } from '../protocol/batches/records.ts'
import { type CompressionType, compressionId, compressionReady } from '../protocol/compression/compression.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { LogCounters } from './counters.ts'
import type { LogConfig } from './log-config.ts'
import { checkFitsSegment, checkProducedBatch, checkSize, checkTimestamps } from './produced-batch.ts'

/**
 * What of a client's bytes goes into the log: nearly always the very bytes, checked by their header. Records are read only
 * where a rule is about them, and rewritten only where they come in an old form or in another codec than the topic's.
 * Throws KafkaError.
 */
export function admitProduced(bytes: Uint8Array, config: LogConfig, now: number, counters: LogCounters): Uint8Array {
  const produced = isMessageSet(bytes) ? convert(bytes, config, counters) : bytes
  const size = checkProducedBatch(produced, config)
  const batch = size === produced.length ? produced : produced.subarray(0, size)
  if (config.compact || limitsPast(config)) checkRecords(batch, config, now)
  checkTimestamps(batch, config, now)
  if ((attributes(batch, 0) & logAppendTimeBit) !== 0) dropAppendTime(batch)
  const stored = config.compressionType === 'producer' ? batch : rewrite(batch, config, counters)
  checkFitsSegment(stored.length, config)
  return stored
}

/** The codec (its number in a batch's attributes) that must be loaded before `admitProduced` can take these bytes, or null. */
export function codecToLoad(bytes: Uint8Array, config: LogConfig): number | null {
  if (config.compressionType === 'producer' && !config.compact && !limitsPast(config)) return null
  const target = targetCodec(config)
  if (target !== null && !compressionReady(compressionId(target))) return compressionId(target)
  if (bytes.length < 23 || magic(bytes, 0) !== 2) return null
  const codec = attributes(bytes, 0) & compressionBits
  return compressionReady(codec) ? null : codec
}

function limitsPast(config: LogConfig): boolean {
  return config.messageTimestampType === 'CreateTime' && config.messageTimestampBeforeMaxMs < Number.MAX_SAFE_INTEGER
}

/** What old messages may unpack to, as a multiple of `max.message.bytes`: each becomes an object on its way. */
const mostUnpacked = 4

/** Old message sets become one batch, as Kafka has it: several compressed messages at once were never allowed. */
function convert(bytes: Uint8Array, config: LogConfig, counters: LogCounters): Uint8Array {
  const [batch, ...others] = upConvert(
    bytes,
    Math.min(defaultMaxMessageSetBytes, mostUnpacked * config.maxMessageBytes),
  )
  if (batch === undefined || others.length > 0)
    throw new KafkaError('INVALID_RECORD', 'A message set holds one compressed message, or uncompressed ones only')
  counters.converted++
  return batch
}

function checkRecords(batch: Uint8Array, config: LogConfig, now: number): void {
  const checksTime = config.messageTimestampType === 'CreateTime'
  let keyless = 0
  for (const record of readRecords(batch)) {
    if (config.compact && record.key === null) keyless++
    else if (checksTime && record.timestamp !== -1) checkTime(record.timestamp, config, now)
  }
  if (keyless > 0)
    throw new KafkaError('INVALID_RECORD', `${keyless} records have no key; a compacted topic needs one for each`)
}

function checkTime(timestamp: number, config: LogConfig, now: number): void {
  const before = config.messageTimestampBeforeMaxMs
  const after = config.messageTimestampAfterMaxMs
  if (now - timestamp > before || timestamp - now > after)
    throw new KafkaError('INVALID_TIMESTAMP', `Timestamp ${timestamp} is not within ${now - before} to ${now + after}`)
}

/** A producer's LogAppendTime on a topic with CreateTime: Kafka stores the batch as CreateTime. */
function dropAppendTime(batch: Uint8Array): void {
  putInt16(batch, attributesAt, attributes(batch, 0) & ~logAppendTimeBit)
  stampCrc(batch, 0)
}

function rewrite(batch: Uint8Array, config: LogConfig, counters: LogCounters): Uint8Array {
  const rewritten = recompress(batch, 0, targetCodec(config)!, level(config))
  if (rewritten === null) return batch
  counters.converted++
  checkSize(rewritten.length, config)
  return rewritten
}

function targetCodec({ compressionType }: LogConfig): CompressionType | null {
  if (compressionType === 'producer') return null
  return compressionType === 'uncompressed' ? 'none' : compressionType
}

function level(config: LogConfig): number | undefined {
  if (config.compressionType === 'gzip') return config.compressionGzipLevel
  if (config.compressionType === 'lz4') return config.compressionLz4Level
  return config.compressionType === 'zstd' ? config.compressionZstdLevel : undefined
}
