import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ListGroups } from '../../protocol/messages/list-groups.ts'
import { handler } from '../handler.ts'

/** The groups of this node (KIP-518, 848, 932: by state and type), those of workers that lease records among them. */
export default handler(ListGroups, async (request, { node }) => {
  const answer = await node.groups.listGroups(request)
  const leases = await node.leases.opening
  if (leases === null || answer.errorCode !== ErrorCode.NONE) return answer
  try {
    const shared = await leases.coordinator.listGroups(request)
    return { ...answer, groups: [...answer.groups, ...shared] }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    const errorCode = error.errorName === 'NOT_COORDINATOR' ? ErrorCode.COORDINATOR_NOT_AVAILABLE : error.code
    return { ...answer, errorCode, groups: [] }
  }
})
