import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeLeases } from '../../protocol/own/leases.ts'
import { handler } from '../handler.ts'
import { forNodes } from '../node-only.ts'

/** How far lease groups are that are coordinated here. */
export default handler(DescribeLeases, (request, { node, peer }) =>
  forNodes(peer, { groups: [] }, async () => {
    const { coordinator } = await node.leases.open()
    const groups = await (request.groups === null
      ? coordinator.list()
      : Promise.all(request.groups.map(id => coordinator.describe(id))))
    return {
      errorCode: ErrorCode.NONE,
      groups: groups.map(({ groupId, error, partitions }) => ({
        groupId,
        errorCode: ErrorCode[error],
        partitions: [...partitions],
      })),
    }
  }),
)
