import { LeaveGroup } from '../../protocol/messages/leave-group.ts'
import { handler } from '../handler.ts'

/** Members leave (KIP-345: several at once, KIP-800: with a reason). */
export default handler(LeaveGroup, (request, { node, version }) => node.groups.leaveGroup(version, request))
