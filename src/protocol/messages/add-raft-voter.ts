import { api, array, bool, int16, int32, string, uint16, uuid } from '../schema.ts'

/** Raft: adds a voter (KIP-853). */
export const AddRaftVoter = api(
  80,
  'AddRaftVoter',
  '0-1',
  { flexible: '0+' },
  {
    clusterId: string.nullable(),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({ name: string, host: string, port: uint16 }),
    ackWhenCommitted: bool.in('1+').or(true),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
  },
)
