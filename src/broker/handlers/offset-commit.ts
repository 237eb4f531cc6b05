import { OffsetCommit } from '../../protocol/messages/offset-commit.ts'
import { handler } from '../handler.ts'

/** How far a group has come. */
export default handler(OffsetCommit, (request, { node, version }) => node.groups.offsetCommit(version, request))
