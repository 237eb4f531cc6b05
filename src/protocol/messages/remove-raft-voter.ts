import { api, int16, int32, string, uuid } from '../schema.ts'

/** Raft: removes a voter (KIP-853). */
export const RemoveRaftVoter = api(
  81,
  'RemoveRaftVoter',
  '0',
  { flexible: '0+' },
  {
    clusterId: string.nullable(),
    voterId: int32,
    voterDirectoryId: uuid,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
  },
)
