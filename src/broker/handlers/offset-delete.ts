import { OffsetDelete } from '../../protocol/messages/offset-delete.ts'
import { handler } from '../handler.ts'

/** Forgets committed offsets of topics that the group does not read any more (KIP-496). */
export default handler(OffsetDelete, (request, { node }) => node.groups.offsetDelete(request))
