import { KafkaError } from '../protocol/errors.ts'
import type { StoreOptions } from '../store/store.ts'
import type { Random } from '../world/world.ts'

/** `producer`: batches stay as they came. Anything else: batches with another codec are rewritten on append. */
export type CompressionType = 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** What a topic's configuration means to its logs. Names are Kafka's, in camel case; sizes are bytes, times ms. */
export interface LogConfig {
  /** `cleanup.policy` contains `delete`: retention applies. */
  readonly delete: boolean
  /** `cleanup.policy` contains `compact`: every record needs a key. */
  readonly compact: boolean
  readonly compressionType: CompressionType
  readonly compressionGzipLevel: number
  readonly compressionLz4Level: number
  readonly compressionZstdLevel: number
  /**
   * `ack`: nothing counts as acknowledged before it is on stable storage. `os`: the page cache will do, as with Apache
   * Kafka's defaults, up to `flushMessages` and `flushMs`.
   */
  readonly flush: 'ack' | 'os'
  /** After this many unsynced records an append waits for a sync. */
  readonly flushMessages: number
  /** No record stays unsynced for longer. */
  readonly flushMs: number
  readonly indexIntervalBytes: number
  /** Largest batch, as compressed by the producer. */
  readonly maxMessageBytes: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  /** How far a record's timestamp may lie in the past, and in the future (KIP-937). */
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly minInsyncReplicas: number
  /** Followers copy from the leader (`isr`), or each from the one before it (`chain`). */
  readonly replicationTopology: 'isr' | 'chain'
  /** −1: no limit. */
  readonly retentionBytes: number
  /** −1: no limit. */
  readonly retentionMs: number
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  readonly segmentJitterMs: number
  readonly segmentMs: number
}

/** Kafka writes Long.MAX_VALUE for "never"; numbers above this one are all the same to us. */
const never = Number.MAX_SAFE_INTEGER
const week = 7 * 24 * 60 * 60 * 1000

/** Kafka's own defaults, but for `flush`. */
export const defaultLogConfig: LogConfig = {
  delete: true,
  compact: false,
  compressionType: 'producer',
  compressionGzipLevel: -1,
  compressionLz4Level: 9,
  compressionZstdLevel: 3,
  flush: 'ack',
  flushMessages: never,
  flushMs: never,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1024 * 1024 + 12,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: never,
  messageTimestampAfterMaxMs: 60 * 60 * 1000,
  minInsyncReplicas: 1,
  replicationTopology: 'isr',
  retentionBytes: -1,
  retentionMs: week,
  segmentBytes: 1024 * 1024 * 1024,
  segmentIndexBytes: 10 * 1024 * 1024,
  segmentJitterMs: 0,
  segmentMs: week,
}

type Reading = { [K in keyof LogConfig]?: LogConfig[K] }
type Reader = (value: string, key: string) => Reading

const integer =
  (field: keyof LogConfig, least: number): Reader =>
  (value, key) => {
    const number = /^[+-]?\d{1,19}$/.test(value.trim()) ? Number(value) : Number.NaN
    if (!(number >= least)) throw invalid(key, value, `an integer of at least ${least}`)
    return { [field]: Math.min(number, never) }
  }

const oneOf =
  (field: keyof LogConfig, ...values: string[]): Reader =>
  (value, key) => {
    if (!values.includes(value)) throw invalid(key, value, `one of ${values.join(', ')}`)
    return { [field]: value }
  }

const cleanupPolicy: Reader = (value, key) => {
  const policies = value.split(',').map(policy => policy.trim().toLowerCase())
  const known = policies.every(policy => policy === 'delete' || policy === 'compact')
  if (!known) throw invalid(key, value, 'delete, compact, or both')
  return { delete: policies.includes('delete'), compact: policies.includes('compact') }
}

const readers = new Map<string, Reader>([
  ['cleanup.policy', cleanupPolicy],
  ['compression.type', oneOf('compressionType', 'producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd')],
  ['compression.gzip.level', integer('compressionGzipLevel', -1)],
  ['compression.lz4.level', integer('compressionLz4Level', 1)],
  ['compression.zstd.level', integer('compressionZstdLevel', -131072)],
  ['flush', oneOf('flush', 'ack', 'os')],
  ['flush.messages', integer('flushMessages', 1)],
  ['flush.ms', integer('flushMs', 0)],
  ['index.interval.bytes', integer('indexIntervalBytes', 0)],
  ['max.message.bytes', integer('maxMessageBytes', 0)],
  ['message.timestamp.type', oneOf('messageTimestampType', 'CreateTime', 'LogAppendTime')],
  ['message.timestamp.before.max.ms', integer('messageTimestampBeforeMaxMs', 0)],
  ['message.timestamp.after.max.ms', integer('messageTimestampAfterMaxMs', 0)],
  ['min.insync.replicas', integer('minInsyncReplicas', 1)],
  ['replication.topology', oneOf('replicationTopology', 'isr', 'chain')],
  ['retention.bytes', integer('retentionBytes', -1)],
  ['retention.ms', integer('retentionMs', -1)],
  ['segment.bytes', integer('segmentBytes', 14)],
  ['segment.index.bytes', integer('segmentIndexBytes', 4)],
  ['segment.jitter.ms', integer('segmentJitterMs', 0)],
  ['segment.ms', integer('segmentMs', 1)],
])

/**
 * A topic's own settings (Kafka's names and spellings) over the broker's. Settings that mean nothing to a log are passed
 * over. Throws INVALID_CONFIG.
 */
export function logConfig(
  settings: Iterable<readonly [string, string]>,
  defaults: LogConfig = defaultLogConfig,
): LogConfig {
  let config = defaults
  for (const [key, value] of settings) {
    const read = readers.get(key)
    if (read !== undefined) config = { ...config, ...read(value, key) }
  }
  return config
}

/** What the store below must know; each log draws its share of `segment.jitter.ms`, so that not all roll at once. */
export function storeOptions(config: LogConfig, random: Pick<Random, 'int'>): StoreOptions {
  const jitter = Math.min(config.segmentJitterMs, config.segmentMs - 1)
  return {
    segmentBytes: config.segmentBytes,
    segmentMs: config.segmentMs - (jitter > 0 ? random.int(jitter) : 0),
    indexIntervalBytes: config.indexIntervalBytes,
    segmentIndexBytes: config.segmentIndexBytes,
  }
}

function invalid(key: string, value: string, wanted: string): KafkaError {
  return new KafkaError('INVALID_CONFIG', `Invalid value ${value} for ${key}: it must be ${wanted}`)
}
