import { api, array, int16, int32, string, struct, uint16, uuid } from '../schema.ts'

/** Raft: a voter tells its endpoints and which versions it supports (KIP-853). */
export const UpdateRaftVoter = api(
  82,
  'UpdateRaftVoter',
  '0',
  { flexible: '0+' },
  {
    clusterId: string.nullable(),
    currentLeaderEpoch: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({ name: string, host: string, port: uint16 }),
    kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    currentLeader: struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1), host: string, port: int32 }).tag(
      0,
      '0+',
    ),
  },
)
