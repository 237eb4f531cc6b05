import { DeleteGroups } from '../../protocol/messages/delete-groups.ts'
import { handler } from '../handler.ts'

/** Deletes groups without members (KIP-229). */
export default handler(DeleteGroups, (request, { node }) => node.groups.deleteGroups(request))
