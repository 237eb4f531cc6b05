import { AlterPartitions } from '../broker/alter-partition.ts'
import type { Copying } from '../broker/replica-manager.ts'
import type { ForwardingController } from '../cluster/forwarding.ts'
import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import { Fetchers } from '../replication/fetchers.ts'
import type { Logger } from '../world/logger.ts'
import type { World } from '../world/world.ts'

export interface ReplicationParts {
  readonly nodeId: number
  brokerEpoch(): number
  readonly cluster: ClusterState
  readonly controller: Pick<ForwardingController, 'ask'>
  readonly peers: Pick<Peers, 'send'>
  readonly config: BrokerConfig
  readonly world: Pick<World, 'clock' | 'timers'>
  readonly logger: Logger
}

/** What goes on between the copies of partitions: followers' fetches, and the leaders' word about who is in sync. */
export function replication(parts: ReplicationParts): Copying & { stop(): void } {
  const { nodeId, brokerEpoch, cluster, controller, peers, config, world, logger } = parts
  const { clock, timers } = world
  const isrChanges = new AlterPartitions({
    brokerId: nodeId,
    brokerEpoch,
    ask: request => controller.ask('alterPartition', request),
    timers,
    logger,
  })
  const fetchers = new Fetchers({
    node: nodeId,
    brokerEpoch,
    port: {
      fetch: (node, request, timeoutMs) => peers.send(node, Fetch, request, { lane: 'replica', timeoutMs }),
    },
    settings: {
      waitMs: config.get('replica.fetch.wait.max.ms'),
      minBytes: config.get('replica.fetch.min.bytes'),
      responseBytes: config.get('replica.fetch.response.max.bytes'),
      partitionBytes: config.get('replica.fetch.max.bytes'),
      timeoutMs: config.get('replica.socket.timeout.ms'),
      backoffMs: config.get('replica.fetch.backoff.ms'),
    },
    clock,
    timers,
    logger,
  })
  return {
    around: {
      isrChanges,
      eligibleEpoch(node) {
        const broker = cluster.brokers.get(node)
        return broker === undefined || broker.fenced || broker.inControlledShutdown ? -1 : broker.epoch
      },
      mono: () => clock.mono(),
      get lagMaxMs() {
        return config.get('replica.lag.time.max.ms')
      },
      slowAfterMs: config.get('replica.slow.after.ms'),
      slowProbationMs: config.get('replica.slow.probation.ms'),
      warn: (message, fields) => logger.warn(message, fields),
    },
    fetchers,
    timers,
    stop() {
      isrChanges.stop()
      fetchers.close()
    },
  }
}
