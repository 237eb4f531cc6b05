import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import { handler } from '../handler.ts'

/** More partitions for topics that exist (KIP-195). */
export default handler(CreatePartitions, (request, { node }) => node.controller.ask('createPartitions', request))
