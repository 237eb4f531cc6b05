import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { AcquireLeases } from '../../protocol/own/leases.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { beginCodes } from '../../shares/wire.ts'
import { handler } from '../handler.ts'
import { forNodes } from '../node-only.ts'

/** Another node hands out records of a lease group that is coordinated here. */
export default handler(AcquireLeases, (request, { node, peer }) =>
  forNodes(peer, { topicId: ZERO_UUID, grants: [] }, async () => {
    const { groupId, topic, begin, waitMs, wants } = request
    const gone = new AbortController()
    const forget = peer.onClose(() => gone.abort())
    try {
      const { error, topicId, grants } = await (await node.leases.open()).coordinator.acquire({
        groupId,
        topic,
        begin: beginCodes[begin] ?? 'earliest',
        wants,
        waitMs,
        signal: gone.signal,
      })
      if (error !== 'NONE') throw new KafkaError(error)
      return {
        errorCode: ErrorCode.NONE,
        topicId,
        grants: grants.map(grant => ({ ...grant, records: [...grant.records] })),
      }
    } finally {
      forget()
    }
  }),
)
