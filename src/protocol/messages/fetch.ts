import { api, array, INT64_MAX, int8, int16, int32, int64, list, records, string, struct, uuid } from '../schema.ts'

/**
 * Reads record batches, for consumers and for followers. Version 7 brought sessions (KIP-227), 11 the closest replica
 * (KIP-392), 12 divergence detection (KIP-595), 13 topic ids (KIP-516), 15 moved the replica id into a tagged field
 * (KIP-903).
 */
export const Fetch = api(
  1,
  'Fetch',
  '0-18',
  { flexible: '12+' },
  {
    clusterId: string.tag(0, '12+').nullable().or(null).ignorable(),
    // −1: a consumer; a follower says who it is in replicaState from version 15 on
    replicaId: int32.in('0-14').or(-1),
    replicaState: struct({ replicaId: int32.or(-1), replicaEpoch: int64.or(-1) }).tag(1, '15+'),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.in('3+').or(0x7fffffff).ignorable(),
    // 0: read uncommitted, 1: read committed
    isolationLevel: int8.in('4+').ignorable(),
    sessionId: int32.in('7+').ignorable(),
    // −1: no session; 0: begin one
    sessionEpoch: int32.in('7+').or(-1).ignorable(),
    topics: array({
      topic: string.in('0-12').ignorable(),
      topicId: uuid.in('13+').ignorable(),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.in('9+').or(-1).ignorable(),
        fetchOffset: int64,
        lastFetchedEpoch: int32.in('12+').or(-1),
        logStartOffset: int64.in('5+').or(-1).ignorable(),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.tag(0, '17+').ignorable(),
        highWatermark: int64.tag(1, '18+').or(INT64_MAX).ignorable(),
        // ottla's own, between its nodes: what the replicas have that copy from the one that asks (tags from 10000 on are ours)
        downstream: array({ replicaId: int32, replicaEpoch: int64, logEndOffset: int64 }).tag(10000, '17+').ignorable(),
      }),
    }),
    // removed from the session
    forgottenTopicsData: array({
      topic: string.in('7-12').ignorable(),
      topicId: uuid.in('13+').ignorable(),
      partitions: list(int32),
    }).in('7+'),
    rackId: string.in('11+').ignorable(),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16.in('7+').ignorable(),
    sessionId: int32.in('7+'),
    responses: array({
      topic: string.in('0-12').ignorable(),
      topicId: uuid.in('13+').ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64.in('4+').or(-1).ignorable(),
        logStartOffset: int64.in('5+').or(-1).ignorable(),
        divergingEpoch: struct({ epoch: int32.or(-1), endOffset: int64.or(-1) }).tag(0, '12+'),
        currentLeader: struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) }).tag(1, '12+'),
        snapshotId: struct({ endOffset: int64.or(-1), epoch: int32.or(-1) }).tag(2, '12+'),
        abortedTransactions: array({ producerId: int64, firstOffset: int64 }).in('4+').nullable().ignorable(),
        preferredReadReplica: int32.in('11+').or(-1),
        records: records.nullable(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }).tag(0, '16+'),
  },
)
