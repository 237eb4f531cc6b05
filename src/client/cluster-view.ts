import { DescribeCluster } from '../protocol/messages/describe-cluster.ts'
import { DescribeQuorum } from '../protocol/messages/describe-quorum.ts'
import type { Cluster } from './cluster.ts'
import { throwIf } from './failures.ts'

export interface NodeState {
  readonly id: number
  readonly address: string
  readonly rack: string | null
  readonly fenced: boolean
}

export interface QuorumMember {
  readonly id: number
  /** Of its directory: a node with another one is another member. */
  readonly directoryId: string
  /** Metadata records that it does not have yet. */
  readonly lag: number
  readonly voter: boolean
}

export interface ClusterView {
  readonly clusterId: string
  /** −1: nobody decides now. */
  readonly controller: number
  readonly epoch: number
  readonly nodes: readonly NodeState[]
  /** Empty where the metadata is not kept by a quorum. */
  readonly quorum: readonly QuorumMember[]
}

/** Who is there, with those that do not serve now, and who keeps the metadata. */
export async function clusterView(cluster: Cluster): Promise<ClusterView> {
  const connection = await cluster.any()
  const version = connection.versionOf(DescribeCluster as never)
  const body = { includeClusterAuthorizedOperations: false, ...(version >= 2 ? { includeFencedBrokers: true } : {}) }
  const found = await connection.request(DescribeCluster, body)
  throwIf(found.errorCode, 'the cluster', found.errorMessage)
  const { leaderId, leaderEpoch, members } = await quorumOf(cluster)
  return {
    clusterId: found.clusterId,
    controller: leaderId >= 0 ? leaderId : found.controllerId,
    epoch: leaderEpoch,
    nodes: found.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
      id: brokerId,
      address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      rack,
      fenced: isFenced,
    })),
    quorum: members,
  }
}

async function quorumOf(cluster: Cluster) {
  const connection = await cluster.controller()
  if (connection.versionOf(DescribeQuorum as never) < 0) return { leaderId: -1, leaderEpoch: -1, members: [] }
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const answer = await connection.request(DescribeQuorum, { topics })
  throwIf(answer.errorCode, 'the quorum', answer.errorMessage)
  const partition = answer.topics[0]?.partitions[0]
  if (partition === undefined) return { leaderId: -1, leaderEpoch: -1, members: [] }
  throwIf(partition.errorCode, 'the quorum', partition.errorMessage)
  const { leaderId, leaderEpoch, currentVoters, observers } = partition
  const end = Math.max(0, ...currentVoters.map(({ logEndOffset }) => logEndOffset))
  const member = (voter: boolean) => (replica: (typeof observers)[number]) => ({
    id: replica.replicaId,
    directoryId: replica.replicaDirectoryId,
    lag: replica.logEndOffset < 0 ? -1 : Math.max(0, end - replica.logEndOffset),
    voter,
  })
  return { leaderId, leaderEpoch, members: [...currentVoters.map(member(true)), ...observers.map(member(false))] }
}
