import { JoinGroup } from '../../protocol/messages/join-group.ts'
import { clientOf } from '../client.ts'
import { handler } from '../handler.ts'

/** A member joins or re-joins its group (KIP-394, 345, 559, 800, 814). */
export default handler(
  JoinGroup,
  (request, context) => context.node.groups.joinGroup(context.version, request, clientOf(context)),
  { keepsBytes: true },
)
