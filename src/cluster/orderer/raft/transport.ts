import { ErrorCode, errorName } from '../../../protocol/errors.ts'
import { BeginQuorumEpoch } from '../../../protocol/messages/begin-quorum-epoch.ts'
import { EndQuorumEpoch } from '../../../protocol/messages/end-quorum-epoch.ts'
import { Fetch } from '../../../protocol/messages/fetch.ts'
import { FetchSnapshot } from '../../../protocol/messages/fetch-snapshot.ts'
import { Vote } from '../../../protocol/messages/vote.ts'
import type { Address } from '../../../world/world.ts'
import type { Peers, PeerTarget } from '../../peers.ts'
import { metadataTopic, metadataTopicId } from '../metadata-log.ts'
import type { Voter } from '../orderer.ts'
import type {
  BeginRequest,
  EndRequest,
  FetchRequest,
  FetchSnapshotRequest,
  RaftError,
  RaftRequest,
  RaftResponse,
  VoteRequest,
} from './types.ts'

/** Batches as they came. */
export type Records = Uint8Array

export interface TransportOptions {
  readonly peers: Pick<Peers, 'send'>
  readonly clusterId: string
  readonly own: () => Voter['endpoints']
  /** Bytes of records in one answer, and of a part of a snapshot. */
  readonly maxBytes: number
  /** ms. */
  readonly timeoutMs: number
  /** Where an answer says that a node is. */
  readonly learn: (node: number, address: Address) => void
}

const { topic: topicName, partition: partitionIndex } = metadataTopic

/** What Raft asks of others, in Kafka's protocol. Rejects when there is no answer, or none that means anything. */
export class Transport {
  readonly #options: TransportOptions

  constructor(options: TransportOptions) {
    this.#options = options
  }

  send(to: PeerTarget, request: RaftRequest): Promise<RaftResponse<Records>> {
    switch (request.type) {
      case 'vote':
        return this.#vote(to, request)
      case 'begin':
        return this.#begin(to, request)
      case 'end':
        return this.#end(to, request)
      case 'fetch':
        return this.#fetch(to, request)
      case 'fetchSnapshot':
        return this.#fetchSnapshot(to, request)
    }
  }

  async #vote(to: PeerTarget, request: VoteRequest): Promise<RaftResponse<Records>> {
    const { epoch, candidate, voter, lastEpoch, lastOffset, preVote } = request
    const { clusterId } = this.#options
    const partition = {
      partitionIndex,
      replicaEpoch: epoch,
      replicaId: candidate.id,
      replicaDirectoryId: candidate.directoryId,
      voterDirectoryId: voter.directoryId,
      lastOffsetEpoch: lastEpoch,
      lastOffset,
      preVote,
    }
    const topics = [{ topicName, partitions: [partition] }]
    const response = await this.#options.peers.send(to, Vote, { clusterId, voterId: voter.id, topics }, this.#quick)
    const answer = this.#only(response.errorCode, response.topics)
    this.#learnAll(response.nodeEndpoints)
    return { ...newsOf(answer), granted: answer.voteGranted }
  }

  async #begin(to: PeerTarget, { epoch, leaderId, voter }: BeginRequest): Promise<RaftResponse<Records>> {
    const { clusterId, own } = this.#options
    const partition = { partitionIndex, voterDirectoryId: voter.directoryId, leaderId, leaderEpoch: epoch }
    const topics = [{ topicName, partitions: [partition] }]
    const request = { clusterId, voterId: voter.id, topics, leaderEndpoints: own() }
    const response = await this.#options.peers.send(to, BeginQuorumEpoch, request, this.#quick)
    return newsOf(this.#only(response.errorCode, response.topics))
  }

  async #end(to: PeerTarget, { epoch, leaderId, candidates }: EndRequest): Promise<RaftResponse<Records>> {
    const { clusterId, own } = this.#options
    const partition = {
      partitionIndex,
      leaderId,
      leaderEpoch: epoch,
      preferredSuccessors: candidates.map(({ id }) => id),
      preferredCandidates: candidates.map(({ id, directoryId }) => ({
        candidateId: id,
        candidateDirectoryId: directoryId,
      })),
    }
    const request = { clusterId, topics: [{ topicName, partitions: [partition] }], leaderEndpoints: own() }
    const response = await this.#options.peers.send(to, EndQuorumEpoch, request, this.#quick)
    return newsOf(this.#only(response.errorCode, response.topics))
  }

  async #fetch(to: PeerTarget, request: FetchRequest): Promise<RaftResponse<Records>> {
    const { clusterId, maxBytes, timeoutMs } = this.#options
    const partition = {
      partition: partitionIndex,
      currentLeaderEpoch: request.epoch,
      fetchOffset: request.fetchOffset,
      lastFetchedEpoch: request.lastFetchedEpoch,
      partitionMaxBytes: request.keepAlive ? 0 : maxBytes,
      replicaDirectoryId: request.replica.directoryId,
      highWatermark: request.highWatermark,
    }
    const response = await this.#options.peers.send(
      to,
      Fetch,
      {
        clusterId,
        replicaState: { replicaId: request.replica.id },
        maxWaitMs: request.maxWaitMs,
        minBytes: 1,
        maxBytes,
        sessionId: 0,
        sessionEpoch: -1,
        topics: [{ topic: topicName, topicId: metadataTopicId, partitions: [partition] }],
        forgottenTopicsData: [],
        rackId: '',
      } as never,
      { lane: request.keepAlive ? 'raft' : 'raft-fetch', timeoutMs: timeoutMs + request.maxWaitMs },
    )
    const answer = this.#only(response.errorCode, response.responses)
    this.#learnAll(response.nodeEndpoints)
    const { currentLeader, divergingEpoch, snapshotId, records } = answer
    return {
      epoch: currentLeader.leaderEpoch,
      leaderId: currentLeader.leaderId,
      error: raftError(answer.errorCode),
      highWatermark: answer.highWatermark,
      diverging: divergingEpoch.epoch < 0 ? null : divergingEpoch,
      snapshot: snapshotId.endOffset < 0 ? null : snapshotId,
      records: records === null || records.length === 0 ? null : records,
    }
  }

  async #fetchSnapshot(to: PeerTarget, request: FetchSnapshotRequest): Promise<RaftResponse<Records>> {
    const { clusterId, maxBytes, peers, timeoutMs } = this.#options
    const partition = {
      partition: partitionIndex,
      currentLeaderEpoch: request.epoch,
      snapshotId: request.snapshot,
      position: request.position,
      replicaDirectoryId: request.replica.directoryId,
    }
    const topics = [{ name: topicName, partitions: [partition] }]
    const response = await peers.send(
      to,
      FetchSnapshot,
      { clusterId, replicaId: request.replica.id, maxBytes, topics },
      { lane: 'raft-fetch', timeoutMs },
    )
    const answer = this.#only(response.errorCode, response.topics)
    const { currentLeader, size, position, unalignedRecords } = answer
    return {
      epoch: currentLeader.leaderEpoch,
      leaderId: currentLeader.leaderId,
      error: raftError(answer.errorCode),
      size,
      position,
      bytes: unalignedRecords,
    }
  }

  get #quick() {
    return { lane: 'raft', timeoutMs: this.#options.timeoutMs }
  }

  #only<P>(errorCode: number, topics: readonly { readonly partitions: readonly P[] }[]): P {
    const partition = topics[0]?.partitions[0]
    if (errorCode !== ErrorCode.NONE || partition === undefined)
      throw new Error(`a node did not take what the quorum asked: ${errorName(errorCode)}`)
    return partition
  }

  #learnAll(endpoints: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]): void {
    for (const { nodeId, host, port } of endpoints) this.#options.learn(nodeId, { host, port })
  }
}

function newsOf({ errorCode, leaderEpoch, leaderId }: { errorCode: number; leaderEpoch: number; leaderId: number }) {
  return { epoch: leaderEpoch, leaderId, error: raftError(errorCode) }
}

/** What is not among Raft's own errors is as good as one of them: the request was not carried out. */
export function raftError(errorCode: number): RaftError | null {
  return errorCode === ErrorCode.NONE ? null : (errorName(errorCode) as RaftError)
}
