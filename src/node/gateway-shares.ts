import { Admin } from '../client/admin.ts'
import type { Cluster } from '../client/cluster.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Directory } from '../gateway/kafka/directory.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { partitionOfKey } from '../protocol/java-hash.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { shareStateConfigs, shareStateTopic } from '../shares/coordinator.ts'
import { type Coordinator, Shares } from '../shares/shares.ts'
import type { Logger } from '../world/logger.ts'
import type { World } from '../world/world.ts'
import { LazyPeers } from './lazy-peers.ts'

export interface GatewaySharesParts {
  readonly world: World
  readonly logger: Logger
  readonly config: BrokerConfig
  readonly directory: Directory
  readonly cluster: Cluster
  /** The cluster's secret: coordinators of lease groups answer only who knows it. */
  readonly token: string
}

const topic = { name: shareStateTopic, topicId: ZERO_UUID }
/** Answers after which the coordinator is looked for anew. */
const elsewhere = new Set<number>([ErrorCode.NOT_COORDINATOR, ErrorCode.COORDINATOR_NOT_AVAILABLE])

/** Lease groups at a gateway: all of them are coordinated elsewhere, where the metadata says. */
export function gatewayShares(parts: GatewaySharesParts): { readonly shares: Shares; close(): void } {
  const { world, logger, config, directory, token } = parts
  const peers = new LazyPeers({
    world,
    logger,
    clientId: 'ottla-gateway',
    clusterId: directory.clusterId ?? '',
    addresses: node => [directory.brokers.get(node)].flatMap(found => (found === undefined ? [] : [found])),
    token,
    requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
  })
  const { clock, timers } = world
  const shares = new Shares({
    nodeId: -1,
    coordinator: nobodyHere(directory),
    cluster: { topics: { has: () => directory.leaders(topic) !== null, get: () => stateOf(directory) } },
    peers: { send: (to, api, request, options) => watched(peers.send(to, api, request, options), directory) },
    lookUp: () => directory.lookUp([topic]),
    createTopic: () => findTopic(parts),
    clock,
    timers,
  })
  return { shares, close: () => peers.close() }
}

/** Knows which partition a group belongs to, and is asked for nothing else: it is no node. */
function nobodyHere(directory: Directory): Coordinator {
  const notHere = () => Promise.reject(new KafkaError('NOT_COORDINATOR', 'a gateway coordinates nothing'))
  const count = () => Math.max(1, directory.leaders(topic)?.length ?? 1)
  return {
    acquire: notHere,
    settle: notHere,
    describe: notHere,
    list: notHere,
    delete: notHere,
    reset: notHere,
    partitionFor: groupId => partitionOfKey(groupId, count()),
  }
}

function stateOf(directory: Directory) {
  const leaders = directory.leaders(topic)
  return leaders === null ? undefined : { partitions: leaders.map(leader => ({ leader })) }
}

async function watched<T>(sent: Promise<T>, directory: Directory): Promise<T> {
  try {
    const answer = await sent
    if (elsewhere.has((answer as { errorCode?: number }).errorCode ?? 0)) directory.forget(topic)
    return answer
  } catch (error) {
    directory.forget(topic)
    throw error
  }
}

/** Looks for the groups' topic, and makes it where there is none yet. */
async function findTopic({ directory, config, cluster }: GatewaySharesParts): Promise<void> {
  await directory.lookUp([topic])
  if (directory.leaders(topic) === null) {
    await makeTopic(cluster, config, directory.brokers.size)
    await directory.lookUp([topic])
  }
  if (directory.leaders(topic) === null) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'its topic is being made')
}

/** As a node does. */
async function makeTopic(cluster: Cluster, config: BrokerConfig, brokers: number): Promise<void> {
  const wanted = {
    name: shareStateTopic,
    partitions: config.get('share.coordinator.state.topic.num.partitions'),
    replicationFactor: Math.max(1, Math.min(config.get('share.coordinator.state.topic.replication.factor'), brokers)),
    configs: shareStateConfigs(config.get('share.coordinator.state.topic.segment.bytes')),
  }
  try {
    await new Admin(cluster).createTopics([wanted])
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'TOPIC_ALREADY_EXISTS') throw error
  }
}
