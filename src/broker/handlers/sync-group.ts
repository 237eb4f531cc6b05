import { SyncGroup } from '../../protocol/messages/sync-group.ts'
import { handler } from '../handler.ts'

/** Members learn what the leader assigned to them (KIP-345, 559). */
export default handler(SyncGroup, (request, { node, version }) => node.groups.syncGroup(version, request), {
  keepsBytes: true,
})
