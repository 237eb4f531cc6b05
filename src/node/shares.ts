import type { LeaseGroups } from '../broker/services.ts'
import type { ForwardingController } from '../cluster/forwarding.ts'
import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { ownNet } from '../gateway/own-net.ts'
import type { Replicas } from '../replication/replicas.ts'
import { ClientDeadLetters } from '../shares/client-dead-letters.ts'
import { ClusterTails } from '../shares/cluster-tails.ts'
import { defaultShareConfig, type ShareConfig } from '../shares/config.ts'
import { ShareCoordinator, shareStateConfigs, shareStateTopic } from '../shares/coordinator.ts'
import { Shares } from '../shares/shares.ts'
import type { Logger } from '../world/logger.ts'
import type { Address, Socket, World } from '../world/world.ts'
import { InternalTopic } from './internal-topic.ts'

/** What lease groups stand on. */
export interface SharesParts {
  readonly nodeId: number
  readonly cluster: ClusterState
  readonly controller: Pick<ForwardingController, 'ask'>
  readonly peers: Peers
  readonly replicas: Replicas
  readonly config: BrokerConfig
  readonly world: World
  readonly logger: Logger
  isSuccessorRuledOut(): boolean
  /** Takes a connection from inside of this process. */
  accept(socket: Socket): void
  /** Where the cluster believes to find this node. */
  addresses(): readonly Address[]
}

/** Makes the coordinator of this node's lease groups, and the way to those of all others. */
export function shares(parts: SharesParts): LeaseGroups {
  const { nodeId, cluster, controller, peers, replicas, config, world, logger } = parts
  const { clock, timers, random } = world
  const net = ownNet(world.net, timers, { accept: parts.accept, addresses: parts.addresses })
  const deadLetters = new ClientDeadLetters({ clock, timers, random, net }, () => parts.addresses())
  const coordinator = new ShareCoordinator({
    config: shareConfig(config),
    partitionCount: () =>
      cluster.topics.get(shareStateTopic)?.partitions.length ??
      config.get('share.coordinator.state.topic.num.partitions'),
    topics: {
      byName: name => {
        const topic = cluster.topics.get(name)
        return topic && { topicId: topic.id, partitions: topic.partitions.length }
      },
      exists: topicId => cluster.topicsById.has(topicId),
    },
    tails: new ClusterTails({ nodeId, cluster, replicas, peers, clock, timers }),
    deadLetters,
    isSuccessorRuledOut: () => parts.isSuccessorRuledOut(),
    clock,
    timers,
    random,
    logger,
  })
  const topic = new InternalTopic(cluster, controller, {
    name: shareStateTopic,
    partitions: config.get('share.coordinator.state.topic.num.partitions'),
    copies: config.get('share.coordinator.state.topic.replication.factor'),
    configs: shareStateConfigs(config.get('share.coordinator.state.topic.segment.bytes')),
  })
  const all = new Shares({ nodeId, coordinator, cluster, peers, createTopic: () => topic.make(), clock, timers })
  return {
    coordinator,
    shares: all,
    stop() {
      coordinator.stop()
      deadLetters.close()
    },
  }
}

function shareConfig(config: BrokerConfig): ShareConfig {
  const deadLetterTopic = config.get('share.dead.letter.topic')
  return {
    ...defaultShareConfig,
    deliveryLimit: config.get('group.share.delivery.count.limit'),
    lockMs: config.get('group.share.record.lock.duration.ms'),
    maxLockMs: config.get('group.share.max.record.lock.duration.ms'),
    maxInFlight: config.get('group.share.partition.max.record.locks'),
    deadLetterTopic: deadLetterTopic === '' ? null : deadLetterTopic,
    backoffMs: config.get('share.redelivery.backoff.ms'),
    maxBackoffMs: config.get('share.redelivery.backoff.max.ms'),
  }
}
