import { ErrorCode } from '../../protocol/errors.ts'
import { SettleLeases } from '../../protocol/own/leases.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { settlementCodes } from '../../shares/wire.ts'
import { handler } from '../handler.ts'
import { forNodes } from '../node-only.ts'

/** Another node says what became of records of a lease group that is coordinated here. */
export default handler(SettleLeases, (request, { node, peer }) =>
  forNodes(peer, { results: [] }, async () => {
    const { groupId, topic } = request
    const skippedOf = request.skippedOf === ZERO_UUID ? null : request.skippedOf
    const items = request.items.map(({ what, ...item }) => ({ ...item, what: settlementCodes[what] ?? 'return' }))
    const skipped = request.skipped.map(({ partition, fromOffset, toOffset }) => ({
      partition,
      from: fromOffset,
      to: toOffset,
    }))
    const { coordinator } = await node.leases.open()
    const { results } = await coordinator.settle({ groupId, topic, items, skipped, skippedOf })
    return { errorCode: ErrorCode.NONE, results: results.map(result => ErrorCode[result]) }
  }),
)
