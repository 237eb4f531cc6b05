import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** More partitions for topics that exist (KIP-195). */
export default handler(CreatePartitions, (request, context) => askController(context, 'createPartitions', request))
