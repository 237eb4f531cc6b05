import { ListPartitionReassignments } from '../../protocol/messages/list-partition-reassignments.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Which partitions are getting other replicas (KIP-455). */
export default handler(ListPartitionReassignments, (request, context) =>
  askController(context, 'listPartitionReassignments', request),
)
