import { type FencedLog, StoreUnfit } from '../cluster/orderer/fenced/fenced-log.ts'
import { FencedOrderer } from '../cluster/orderer/fenced/fenced-orderer.ts'
import { RedisLog } from '../cluster/orderer/redis/redis-log.ts'
import { parseRedisUrl, type RedisTarget } from '../cluster/orderer/redis/url.ts'
import type { Peers } from '../cluster/peers.ts'
import { newUuid } from '../protocol/uuid.ts'
import type { NodeOptions } from './options.ts'
import type { OrdererParts } from './orderer.ts'

/** ms between two attempts to reach it at a first start. */
const retryMs = 500

/** The metadata log in a Redis, as the settings say. Throws a sentence when they make no sense. */
export function openRedisOrderer({
  options,
  volume,
  membership,
  peers,
  endpoints,
  failed,
}: OrdererParts): FencedOrderer {
  const { world, logger, config: resolved } = options
  const { config } = resolved
  const leaseMs = config.get('orderer.lease.ms')
  const renewMs = config.get('orderer.renew.ms')
  if (2 * renewMs > leaseMs) {
    throw new Error(`orderer.renew.ms (${renewMs}) must be at most half of orderer.lease.ms (${leaseMs})`)
  }
  if (volume.list().some(({ topic }) => topic === '__cluster_metadata')) {
    throw new Error(
      'this data directory cannot be used with this orderer: ' +
        'its metadata is in its own log: start it without --orderer',
    )
  }
  const target = targetOf(options)
  const { nodeId, directoryId, clusterId } = membership.meta
  const orderer = new FencedOrderer({
    log: openLog(options, target, message => logger.warn(message)),
    volume,
    world,
    logger,
    clusterId,
    voter: { id: nodeId, directoryId, endpoints },
    leaseMs,
    renewMs,
    // Who joins never begins a cluster.
    create: config.get('join').length === 0,
    accept: target.accept,
    failed,
  })
  peers.onLost(node => void breakLease(orderer, peers, node))
  return orderer
}

/** Where nobody listens any more nobody leads: that is known long before the lease ends. */
async function breakLease(orderer: FencedOrderer, peers: Peers, node: number): Promise<void> {
  const leader = orderer.leader()
  if (leader?.id !== node) return
  if ((await peers.probe(node).catch(() => 'unknown')) === 'refused') orderer.leaderGone(leader)
}

/**
 * The id of the cluster whose log is in the Redis. Where there is none, one is begun there: `wanted`, or a new id. Waits for
 * a Redis that cannot be reached, and says so.
 */
export async function claimClusterId(options: NodeOptions, wanted: string | undefined): Promise<string> {
  const { world, logger } = options
  // How it is set up is said by the one that stays.
  const log = openLog(options, targetOf(options), () => {})
  try {
    for (let said = false; ; ) {
      try {
        const found = await log.look(0)
        if (found !== null) {
          const { clusterId } = found.head
          if (wanted === undefined || wanted === clusterId) return clusterId
          throw new StoreUnfit(`it holds the metadata of cluster ${clusterId}, and cluster.id says ${wanted}`)
        }
        await log.create(newUuid(world.random), wanted ?? newUuid(world.random))
      } catch (error) {
        const reason = (error as Error).message
        if (error instanceof StoreUnfit) throw new Error(`${log.name} cannot be used: ${reason}`)
        if (!said) logger.warn(`waiting for ${log.name}: ${reason}`)
        said = true
        await new Promise<void>(resolve => world.timers.after(retryMs, resolve))
      }
    }
  } finally {
    log.close()
  }
}

function targetOf({ config: { config } }: NodeOptions): RedisTarget {
  const text = config.get('orderer')
  let target: RedisTarget
  try {
    target = parseRedisUrl(text)
  } catch (error) {
    throw new Error(`orderer: ${(error as Error).message}`)
  }
  if (target.password !== '') {
    throw new Error('orderer: an address is shown to everybody; put the password into orderer.password')
  }
  return { ...target, password: config.get('orderer.password') ?? '' }
}

function openLog(
  { world, config: { config }, fencedLog }: NodeOptions,
  target: RedisTarget,
  warn: (message: string) => void,
): FencedLog {
  if (fencedLog !== undefined) return fencedLog()
  return new RedisLog({ target, world, timeoutMs: config.get('orderer.lease.ms') / 2, warn })
}
