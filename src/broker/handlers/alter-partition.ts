import { AlterPartition } from '../../protocol/messages/alter-partition.ts'
import { askControllerAsNode } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** A leader says who is in sync (KIP-497, 903). */
export default handler(AlterPartition, (request, context) => askControllerAsNode(context, 'alterPartition', request))
