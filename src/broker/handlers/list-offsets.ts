import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ListOffsets } from '../../protocol/messages/list-offsets.ts'
import { type FoundOffset, listOffset } from '../../replication/list-offset.ts'
import { handler, type RequestContext, type ResponseOf } from '../handler.ts'

type PartitionResponse = ResponseOf<typeof ListOffsets>['topics'][number]['partitions'][number]

/** Offsets by timestamp and by the special timestamps −1 … −6 (KIP-79, 207, 405, 734, 1005). */
export default handler(ListOffsets, async (request, context) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(partition => answer(name, partition, request.isolationLevel === 1, context)),
      ),
    })),
  ),
}))

async function answer(
  topic: string,
  {
    partitionIndex,
    currentLeaderEpoch,
    timestamp,
  }: { partitionIndex: number; currentLeaderEpoch: number; timestamp: number },
  committed: boolean,
  { node, version }: RequestContext,
): Promise<PartitionResponse> {
  try {
    const partition = node.replicas.get(topic, partitionIndex)
    partition.checkLeader(currentLeaderEpoch)
    const found = await listOffset(partition, timestamp, version, committed)
    return response(partitionIndex, found, version)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { ...response(partitionIndex, null, version), errorCode: error.code }
  }
}

function response(partitionIndex: number, found: FoundOffset | null, version: number): PartitionResponse {
  const { timestamp, offset, leaderEpoch } = found ?? { timestamp: -1, offset: -1, leaderEpoch: -1 }
  // v0 knew only lists of segment starts; a list of the one right offset is what its clients look at.
  if (version === 0) {
    const oldStyleOffsets = found !== null && offset >= 0 ? [offset] : []
    return { partitionIndex, errorCode: ErrorCode.NONE, oldStyleOffsets, timestamp: -1, offset: -1, leaderEpoch: -1 }
  }
  const epoch = version >= 4 ? leaderEpoch : -1
  return { partitionIndex, errorCode: ErrorCode.NONE, oldStyleOffsets: [], timestamp, offset, leaderEpoch: epoch }
}
