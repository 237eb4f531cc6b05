import { ListGroups } from '../../protocol/messages/list-groups.ts'
import { handler } from '../handler.ts'

/** The groups of this node (KIP-518, 848: by state and type). */
export default handler(ListGroups, (request, { node }) => node.groups.listGroups(request))
