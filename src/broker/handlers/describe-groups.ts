import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import { authorizedOperations } from '../authorized.ts'
import { handler } from '../handler.ts'

/** State, members and assignments of groups (KIP-430). */
export default handler(DescribeGroups, async (request, { node, version }) => {
  const response = await node.groups.describeGroups(version, request)
  const groups = await Promise.all(
    response.groups.map(async group => {
      const isOther = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND && (await isLeaseGroup(group.groupId))
      return isOther ? { ...group, errorMessage: `Group ${group.groupId} is not a classic group.` } : group
    }),
  )
  if (!request.includeAuthorizedOperations) return { ...response, groups }
  return {
    ...response,
    groups: groups.map(group => ({ ...group, authorizedOperations: authorizedOperations.group })),
  }

  /** Of another type, as Kafka says for these (KIP-1043). Where that cannot be told now, it is as if it were not there. */
  async function isLeaseGroup(groupId: string): Promise<boolean> {
    const leases = await node.leases.opening
    if (leases === null) return false
    return leases.shares.describe(groupId).then(
      ({ error }) => error === 'NONE',
      () => false,
    )
  }
})
