import { api, array, int16, int32, int64, records, string, struct, uint16, uuid } from '../schema.ts'

/** Raft: reads a piece of a snapshot (KIP-630). */
export const FetchSnapshot = api(
  59,
  'FetchSnapshot',
  '0-1',
  { flexible: '0+' },
  {
    clusterId: string.tag(0, '0+').nullable().or(null),
    replicaId: int32.or(-1),
    maxBytes: int32.or(0x7fffffff),
    topics: array({
      name: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32,
        snapshotId: struct({ endOffset: int64, epoch: int32 }),
        position: int64,
        replicaDirectoryId: uuid.tag(0, '1+').ignorable(),
      }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    topics: array({
      name: string,
      partitions: array({
        index: int32,
        errorCode: int16,
        snapshotId: struct({ endOffset: int64, epoch: int32 }),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }).tag(0, '0+'),
        size: int64,
        position: int64,
        unalignedRecords: records,
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).tag(0, '1+'),
  },
)
