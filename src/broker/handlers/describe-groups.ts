import { DescribeGroups } from '../../protocol/messages/describe-groups.ts'
import { authorizedOperations } from '../authorized.ts'
import { handler } from '../handler.ts'

/** State, members and assignments of groups (KIP-430). */
export default handler(DescribeGroups, async (request, { node, version }) => {
  const response = await node.groups.describeGroups(version, request)
  if (!request.includeAuthorizedOperations) return response
  const groups = response.groups.map(group => ({ ...group, authorizedOperations: authorizedOperations.group }))
  return { ...response, groups }
})
