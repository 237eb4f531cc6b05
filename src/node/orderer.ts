import { LocalOrderer } from '../cluster/orderer/local.ts'
import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { Peers } from '../cluster/peers.ts'
import type { Volume } from '../store/store.ts'
import type { Membership } from './membership.ts'
import type { NodeOptions } from './options.ts'

export interface OrdererParts {
  readonly options: NodeOptions
  readonly volume: Volume
  readonly membership: Membership
  readonly peers: Peers
  readonly failed: (error: Error) => void
}

/** The one place that says who puts the metadata in order. */
export function openOrderer({ options, volume, membership, failed }: OrdererParts): Orderer {
  const { world, logger } = options
  const voter = { id: membership.meta.nodeId, directoryId: membership.meta.directoryId, endpoints: [] }
  return new LocalOrderer({ volume, world, logger, voter, failed })
}
