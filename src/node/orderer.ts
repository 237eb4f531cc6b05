import type { Orderer, Voter } from '../cluster/orderer/orderer.ts'
import { RaftOrderer } from '../cluster/orderer/raft/raft-orderer.ts'
import type { Peers } from '../cluster/peers.ts'
import type { Volume } from '../store/store.ts'
import { joinedName, type Membership } from './membership.ts'
import type { NodeOptions } from './options.ts'

export interface OrdererParts {
  readonly options: NodeOptions
  readonly volume: Volume
  readonly membership: Membership
  readonly peers: Peers
  /** Where other nodes reach us. */
  readonly endpoints: Voter['endpoints']
  readonly failed: (error: Error) => void
}

/** Only the one that is used is loaded. */
export async function ordererOf({ config: { config } }: NodeOptions): Promise<(parts: OrdererParts) => Orderer> {
  return config.get('orderer') === 'raft' ? openOrderer : (await import('./redis-orderer.ts')).openRedisOrderer
}

/** Kept by nodes whose metadata is elsewhere: `rememberedName` of the fenced orderer, which is not loaded for its name. */
const elsewhereName = 'orderer-state'

/** The one place that says who puts the metadata in order. */
function openOrderer({ options, volume, membership, peers, endpoints, failed }: OrdererParts): Orderer {
  const { world, logger, config: resolved } = options
  const { config } = resolved
  const { nodeId, directoryId, clusterId } = membership.meta
  // To begin anew beside what the cluster knows would make strangers of its topics.
  if (volume.get(elsewhereName) !== null)
    throw new Error(
      'this data directory cannot be used with this orderer: ' +
        'its metadata is in an orderer outside of the cluster: start it with --orderer as before',
    )
  return new RaftOrderer({
    volume,
    world,
    logger,
    clusterId,
    voter: { id: nodeId, directoryId, endpoints },
    peers,
    seeds: membership.seeds,
    joins: config.get('join').length > 0 || volume.get(joinedName) !== null,
    settings: {
      fetchTimeoutMs: config.get('controller.quorum.fetch.timeout.ms'),
      electionTimeoutMs: config.get('controller.quorum.election.timeout.ms'),
      retryMs: config.get('controller.quorum.retry.backoff.ms'),
    },
    fetchBytes: config.get('controller.quorum.fetch.max.bytes'),
    requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
    applies: config.get('controller.quorum.auto.join.enable'),
    failed,
  })
}
