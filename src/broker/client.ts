import type { ClientContext } from '../groups/commands.ts'
import type { RequestContext } from './handler.ts'

/** Who asks, as a group's description shows it. */
export const clientOf = ({ clientId, peer }: RequestContext): ClientContext => ({
  clientId,
  clientHost: `/${peer.remote.host}`,
})
