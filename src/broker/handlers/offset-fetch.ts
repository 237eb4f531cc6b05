import { OffsetFetch } from '../../protocol/messages/offset-fetch.ts'
import { handler } from '../handler.ts'

/** Where a group goes on (KIP-447, 709). */
export default handler(OffsetFetch, (request, { node, version }) => node.groups.offsetFetch(version, request))
