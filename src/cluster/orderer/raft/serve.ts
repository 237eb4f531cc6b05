import { iterateBatches, validateBatch } from '../../../protocol/batches/iterate.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import type { BeginQuorumEpoch } from '../../../protocol/messages/begin-quorum-epoch.ts'
import type { EndQuorumEpoch } from '../../../protocol/messages/end-quorum-epoch.ts'
import type { Fetch } from '../../../protocol/messages/fetch.ts'
import type { FetchSnapshot } from '../../../protocol/messages/fetch-snapshot.ts'
import type { Vote } from '../../../protocol/messages/vote.ts'
import type { RequestOf, ResponseOf } from '../../../protocol/schema.ts'
import { ZERO_UUID } from '../../../protocol/uuid.ts'
import type { Logger } from '../../../world/logger.ts'
import { metadataTopic, metadataTopicId } from '../metadata-log.ts'
import type { SnapshotId } from '../snapshot.ts'
import type { QuorumNode } from './quorum-node.ts'
import type { FetchAnswer, LeaderNews, RaftError } from './types.ts'

const { topic: topicName, partition: partitionIndex } = metadataTopic
/** ms. */
const goAgainMs = 60_000
const none = { epoch: -1, endOffset: -1 }
const nothing = new Uint8Array()

interface Located {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

const isError = (read: readonly Uint8Array[] | RaftError): read is RaftError => typeof read === 'string'

const isSameSnapshot = (a: SnapshotId, b: SnapshotId): boolean => a.endOffset === b.endOffset && a.epoch === b.epoch

/** What is wrong with batches that come from a disk; null: nothing. Throws at bytes that are no batches. */
function damageIn(chunks: readonly Uint8Array[]): string | null {
  for (const chunk of chunks)
    for (const { position, baseOffset } of iterateBatches(chunk)) {
      const problem = validateBatch(chunk, position)
      if (problem !== null) return `offset ${baseOffset}: ${problem}`
    }
  return null
}

const codeOf = (error: RaftError | ErrorName | null): number => (error === null ? ErrorCode.NONE : ErrorCode[error])

/** What other nodes ask of our replica of the metadata log: Kafka's requests in, Kafka's answers out. Only nodes may ask. */
export class QuorumServer {
  readonly #orderer: QuorumNode
  readonly #clusterId: string
  readonly #logger: Logger
  /** Said once of each: what cannot be given. */
  #unreadable = -1
  /** Monotonic ms: when we gave the lead away for it. */
  #wentAt = Number.NEGATIVE_INFINITY
  /** Looked at before it was given. */
  #whole: SnapshotId | null = null

  constructor(orderer: QuorumNode, clusterId: string, logger: Logger) {
    this.#orderer = orderer
    this.#clusterId = clusterId
    this.#logger = logger
  }

  async vote({ clusterId, voterId, topics }: RequestOf<typeof Vote>): Promise<ResponseOf<typeof Vote>> {
    const asked = topics[0]?.partitions[0]
    const error = this.#wrong(clusterId, topics[0]?.topicName, asked)
    if (error !== null || asked === undefined) return { errorCode: codeOf(error), topics: [] }
    const answer = await new Promise<LeaderNews & { error: RaftError | null; granted: boolean }>(resolve =>
      this.#orderer.event((raft, now) =>
        raft.vote(
          {
            type: 'vote',
            epoch: asked.replicaEpoch,
            candidate: { id: asked.replicaId, directoryId: asked.replicaDirectoryId },
            voter: this.#meant(voterId, asked.voterDirectoryId),
            lastEpoch: asked.lastOffsetEpoch,
            lastOffset: asked.lastOffset,
            preVote: asked.preVote,
          },
          now,
          resolve,
        ),
      ),
    )
    const partition = { ...this.#told(answer), voteGranted: answer.granted }
    return { errorCode: ErrorCode.NONE, topics: [{ topicName, partitions: [partition] }], ...this.#endpoints(answer) }
  }

  async begin(request: RequestOf<typeof BeginQuorumEpoch>): Promise<ResponseOf<typeof BeginQuorumEpoch>> {
    const { clusterId, voterId, topics, leaderEndpoints } = request
    const asked = topics[0]?.partitions[0]
    const error = this.#wrong(clusterId, topics[0]?.topicName, asked)
    if (error !== null || asked === undefined) return { errorCode: codeOf(error), topics: [] }
    const { leaderId, leaderEpoch: epoch } = asked
    const [endpoint] = leaderEndpoints
    if (endpoint !== undefined) this.#orderer.whereabouts.learn(leaderId, endpoint)
    const answer = await new Promise<LeaderNews & { error: RaftError | null }>(resolve =>
      this.#orderer.event((raft, now) =>
        raft.begin(
          { type: 'begin', epoch, leaderId, voter: this.#meant(voterId, asked.voterDirectoryId) },
          now,
          resolve,
        ),
      ),
    )
    return this.#answered(answer)
  }

  async end({ clusterId, topics }: RequestOf<typeof EndQuorumEpoch>): Promise<ResponseOf<typeof EndQuorumEpoch>> {
    const asked = topics[0]?.partitions[0]
    const error = this.#wrong(clusterId, topics[0]?.topicName, asked)
    if (error !== null || asked === undefined) return { errorCode: codeOf(error), topics: [] }
    const { leaderId, leaderEpoch: epoch, preferredSuccessors, preferredCandidates } = asked
    const candidates =
      preferredCandidates.length > 0
        ? preferredCandidates.map(({ candidateId: id, candidateDirectoryId: directoryId }) => ({ id, directoryId }))
        : preferredSuccessors.map(id => this.#meant(id, ZERO_UUID))
    const answer = await new Promise<LeaderNews & { error: RaftError | null }>(resolve =>
      this.#orderer.event((raft, now) => raft.end({ type: 'end', epoch, leaderId, candidates }, now, resolve)),
    )
    return this.#answered(answer)
  }

  /** `release` is called with views that the answer holds, once it is known which: they are free when it has left. */
  async fetch(
    request: RequestOf<typeof Fetch>,
    release: (views: readonly Uint8Array[]) => void,
  ): Promise<ResponseOf<typeof Fetch>> {
    const { clusterId, topics, replicaId, replicaState, maxWaitMs } = request
    const asked = topics[0]?.partitions[0]
    const wrong = this.#wrong(clusterId, topicName, asked && { partitionIndex: asked.partition })
    if (wrong !== null || asked === undefined) return { errorCode: codeOf(wrong), sessionId: 0, responses: [] }
    const keepAlive = asked.partitionMaxBytes === 0
    const answer = await new Promise<FetchAnswer>(resolve =>
      this.#orderer.event((raft, now) =>
        raft.fetch(
          {
            type: 'fetch',
            epoch: asked.currentLeaderEpoch,
            replica: {
              id: replicaState.replicaId >= 0 ? replicaState.replicaId : replicaId,
              directoryId: asked.replicaDirectoryId,
            },
            fetchOffset: asked.fetchOffset,
            lastFetchedEpoch: asked.lastFetchedEpoch,
            highWatermark: Number(asked.highWatermark),
            maxWaitMs,
            keepAlive,
          },
          now,
          resolve,
        ),
      ),
    )
    const read =
      answer.readFrom < 0 ? [] : await this.#read(answer, Math.min(asked.partitionMaxBytes, request.maxBytes))
    const error = isError(read) ? read : answer.error
    const records = isError(read) ? [] : read
    if (records.length > 0) release(records)
    const { epoch: leaderEpoch, leaderId } = answer
    const partition = {
      partitionIndex,
      errorCode: codeOf(error),
      highWatermark: answer.highWatermark,
      lastStableOffset: answer.highWatermark,
      logStartOffset: this.#orderer.log.startOffset,
      divergingEpoch: answer.diverging ?? none,
      currentLeader: { leaderId, leaderEpoch },
      snapshotId: answer.snapshot ?? none,
      abortedTransactions: null,
      records,
    }
    const endpoints = this.#located(leaderId).map(node => ({ ...node, rack: null }))
    return {
      errorCode: ErrorCode.NONE,
      sessionId: 0,
      responses: [{ topic: topicName, topicId: metadataTopicId, partitions: [partition] }],
      ...(endpoints.length > 0 ? { nodeEndpoints: endpoints } : {}),
    }
  }

  async fetchSnapshot(request: RequestOf<typeof FetchSnapshot>): Promise<ResponseOf<typeof FetchSnapshot>> {
    const { clusterId, replicaId, maxBytes, topics } = request
    const asked = topics[0]?.partitions[0]
    const wrong = this.#wrong(clusterId, topics[0]?.name, asked && { partitionIndex: asked.partition })
    if (wrong !== null || asked === undefined) return { errorCode: codeOf(wrong), topics: [] }
    const { snapshotId, position } = asked
    const file = this.#snapshotFile(snapshotId)
    let error: RaftError | null = null
    const news = await new Promise<LeaderNews>(resolve =>
      this.#orderer.event((raft, now) => {
        error = raft.leaderError(asked.currentLeaderEpoch)
        raft.fetchesSnapshot({ id: replicaId, directoryId: asked.replicaDirectoryId }, now)
        raft.tell(resolve)
      }),
    )
    const size = file?.length ?? 0
    if (error === null && file === null) error = 'SNAPSHOT_NOT_FOUND'
    if (error === null && (position < 0 || position >= size)) error = 'POSITION_OUT_OF_RANGE'
    const bytes = error === null && file !== null ? file.subarray(position, position + Math.max(1, maxBytes)) : nothing
    const partition = {
      index: partitionIndex,
      errorCode: codeOf(error),
      snapshotId,
      currentLeader: { leaderId: news.leaderId, leaderEpoch: news.epoch },
      size,
      position,
      unalignedRecords: bytes,
    }
    const answer = { errorCode: ErrorCode.NONE, topics: [{ name: topicName, partitions: [partition] }] }
    return { ...answer, ...this.#endpoints(news) }
  }

  /** An error when we do not lead any more: what was read then may be another leader's; or when it cannot be read. */
  async #read({ readFrom, epoch }: FetchAnswer, maxBytes: number): Promise<readonly Uint8Array[] | RaftError> {
    const reading = this.#orderer.log.read(readFrom, maxBytes)
    let problem: string | null = null
    let read: readonly Uint8Array[] = []
    try {
      read = await reading
      // What is in memory was looked at when it came.
      problem = read === reading ? null : damageIn(read)
    } catch (error) {
      const rotten = error instanceof KafkaError && error.errorName === 'CORRUPT_MESSAGE'
      // The head of the log has been let go meanwhile: who asks once more hears of the snapshot that takes its place.
      const gone = error instanceof RangeError
      if (!rotten && !gone && (error as { code?: unknown }).code !== 'EIO') throw error
      if (!gone) problem = (error as Error).message
    }
    if (this.#orderer.raft?.leaderError(epoch) !== null) return 'NOT_LEADER_OR_FOLLOWER'
    if (problem === null) return read
    this.#cannotGive(readFrom, problem)
    return 'KAFKA_STORAGE_ERROR'
  }

  /** A file that was damaged is not given: an older one is, or another node's. */
  #snapshotFile(id: SnapshotId): Uint8Array | null {
    const { log } = this.#orderer
    const file = log.snapshotFile(id)
    if (file === null || (this.#whole !== null && isSameSnapshot(this.#whole, id))) return file
    let problem: string | null
    try {
      problem = damageIn([file])
    } catch (error) {
      problem = (error as Error).message
    }
    if (problem === null) {
      this.#whole = id
      return file
    }
    if (!log.dropSnapshot(id)) this.#cannotGive(id.endOffset, problem)
    return null
  }

  #cannotGive(offset: number, problem: string): void {
    if (offset !== this.#unreadable)
      this.#logger.error('the metadata cannot be read here; another node should lead', { offset, problem })
    this.#unreadable = offset
    this.#orderer.event((raft, now) => {
      // Where nobody can read it, it is not passed round and round.
      if (now - this.#wentAt < goAgainMs) return
      if (raft.cannotGive(offset, now)) this.#wentAt = now
    })
  }

  #wrong(
    clusterId: string | null,
    topic: string | undefined,
    partition: { readonly partitionIndex: number } | undefined,
  ): ErrorName | null {
    if (clusterId !== null && clusterId !== this.#clusterId) return 'INCONSISTENT_CLUSTER_ID'
    if (partition === undefined) return 'INVALID_REQUEST'
    if (topic !== topicName || partition.partitionIndex !== partitionIndex) return 'UNKNOWN_TOPIC_OR_PARTITION'
    return this.#orderer.raft === null ? 'NOT_LEADER_OR_FOLLOWER' : null
  }

  /** Older versions do not say whom they mean. */
  #meant(voterId: number, directoryId: string): { readonly id: number; readonly directoryId: string } {
    const own = this.#orderer.voter
    const id = voterId < 0 ? own.id : voterId
    return { id, directoryId: directoryId === ZERO_UUID && id === own.id ? own.directoryId : directoryId }
  }

  #told({ error, leaderId, epoch }: LeaderNews & { readonly error: RaftError | null }) {
    return { partitionIndex, errorCode: codeOf(error), leaderId, leaderEpoch: epoch }
  }

  #answered(answer: LeaderNews & { readonly error: RaftError | null }) {
    const topics = [{ topicName, partitions: [this.#told(answer)] }]
    return { errorCode: ErrorCode.NONE, topics, ...this.#endpoints(answer) }
  }

  #endpoints({ leaderId }: LeaderNews): { nodeEndpoints?: Located[] } {
    const located = this.#located(leaderId)
    return located.length > 0 ? { nodeEndpoints: located } : {}
  }

  #located(nodeId: number): Located[] {
    const own = this.#orderer.voter
    const address = nodeId === own.id ? (own.endpoints[0] ?? null) : this.#orderer.whereabouts.of(nodeId)
    return address === null ? [] : [{ nodeId, host: address.host, port: address.port }]
  }
}
