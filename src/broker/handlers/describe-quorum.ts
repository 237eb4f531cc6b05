import { metadataTopic } from '../../cluster/orderer/metadata-log.ts'
import type { QuorumReplica } from '../../cluster/orderer/orderer.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeQuorum } from '../../protocol/messages/describe-quorum.ts'
import { handler, type RequestContext, type RequestOf, type ResponseOf } from '../handler.ts'
import { asLeader } from '../quorum/leader.ts'

type Response = ResponseOf<typeof DescribeQuorum>

/** Who votes about metadata, who only copies it, and how far each is (KIP-595, 836, 853). The leader knows. */
export default handler(DescribeQuorum, (request, context) =>
  asLeader(context, DescribeQuorum, request, () => describe(request, context), {
    errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    errorMessage: 'Nobody leads the quorum of the metadata now.',
    topics: [],
    nodes: [],
  }),
)

function describe({ topics }: RequestOf<typeof DescribeQuorum>, { node }: RequestContext): Response {
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = node.orderer.describe()
  const known = topics.length === 1 && topics[0]!.topicName === metadataTopic.topic
  const partitions = known ? topics[0]!.partitions : []
  if (partitions.length !== 1 || partitions[0]!.partitionIndex !== metadataTopic.partition) {
    const errorMessage = 'Only the metadata log has a quorum.'
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage, topics: [], nodes: [] }
  }
  const partition = {
    partitionIndex: metadataTopic.partition,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(replicaState),
    observers: observers.map(replicaState),
  }
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: [{ topicName: metadataTopic.topic, partitions: [partition] }],
    nodes: voters.map(({ id, endpoints }) => ({ nodeId: id, listeners: endpoints.map(plain) })),
  }
}

const plain = ({ name, host, port }: { name: string; host: string; port: number }) => ({ name, host, port })

function replicaState({ id, directoryId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp }: QuorumReplica) {
  return { replicaId: id, replicaDirectoryId: directoryId, logEndOffset, lastFetchTimestamp, lastCaughtUpTimestamp }
}
