import { LocalOrderer } from '../cluster/orderer/local.ts'
import type { Orderer, Voter } from '../cluster/orderer/orderer.ts'
import type { Peers } from '../cluster/peers.ts'
import type { Volume } from '../store/store.ts'
import type { Membership } from './membership.ts'
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

/** The one place that says who puts the metadata in order. */
function openOrderer({ options, volume, membership, failed }: OrdererParts): Orderer {
  const { world, logger } = options
  const voter = { id: membership.meta.nodeId, directoryId: membership.meta.directoryId, endpoints: [] }
  return new LocalOrderer({ volume, world, logger, voter, failed })
}
