import { AlterPartitionReassignments } from '../../protocol/messages/alter-partition-reassignments.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Partitions get other replicas (KIP-455, 860). */
export default handler(AlterPartitionReassignments, (request, context) =>
  askController(context, 'alterPartitionReassignments', request),
)
