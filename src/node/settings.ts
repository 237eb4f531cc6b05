import type { BrokerLimits } from '../broker/broker.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { defaultGroupConfig, type GroupConfig } from '../groups/config.ts'
import { defaultProducerLimits, type ProducerLimits } from '../log/producers.ts'

/** What the floors below need to know, from the broker's settings; a getter where it may change while we run. */

export function groupConfig(config: BrokerConfig): GroupConfig {
  return {
    ...defaultGroupConfig,
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    maxSize: config.get('group.max.size'),
    offsetMetadataMaxBytes: config.get('offset.metadata.max.bytes'),
    commitTimeoutMs: config.get('offsets.commit.timeout.ms'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
  }
}

export function producerLimits(config: BrokerConfig): ProducerLimits {
  return {
    ...defaultProducerLimits,
    get expirationMs() {
      return config.get('producer.id.expiration.ms')
    },
  }
}

const MiB = 1024 * 1024

export function brokerLimits(config: BrokerConfig): BrokerLimits {
  const requestBytes = config.get('socket.request.max.bytes')
  const queuedBytes = config.get('queued.max.request.bytes')
  return {
    requestBytes,
    // One request of the largest size must always fit.
    connectionBytesInFlight: Math.max(64 * MiB, requestBytes),
    bytesInFlight: Math.max(queuedBytes > 0 ? queuedBytes : 256 * MiB, requestBytes),
    fetchBytes: config.get('fetch.max.bytes'),
    get connections() {
      return config.get('max.connections')
    },
    get connectionsPerAddress() {
      return config.get('max.connections.per.ip')
    },
    idleMs: config.get('connections.max.idle.ms'),
    fetchSessions: config.get('max.incremental.fetch.session.cache.slots'),
    get movedBytesPerSecond() {
      const rate = config.get('leader.replication.throttled.rate')
      return rate < Number.MAX_SAFE_INTEGER ? rate : config.get('replication.move.rate')
    },
  }
}
