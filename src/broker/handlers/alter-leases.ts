import { ErrorCode } from '../../protocol/errors.ts'
import { AlterLeases } from '../../protocol/own/leases.ts'
import { handler } from '../handler.ts'
import { forNodes } from '../node-only.ts'

/** A lease group is forgotten, or goes on elsewhere. */
export default handler(AlterLeases, (request, { node, peer }) =>
  forNodes(peer, {}, async () => {
    const { coordinator } = await node.leases.open()
    const error = await (request.forget ? coordinator.delete(request.groupId) : coordinator.reset(request))
    return { errorCode: ErrorCode[error] }
  }),
)
