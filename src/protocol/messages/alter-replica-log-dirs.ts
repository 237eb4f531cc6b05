import { api, array, int16, int32, list, string } from '../schema.ts'

/** Moves replicas between directories of a broker (KIP-113). */
export const AlterReplicaLogDirs = api(
  34,
  'AlterReplicaLogDirs',
  '0-2',
  { flexible: '2+' },
  {
    dirs: array({ path: string, topics: array({ name: string, partitions: list(int32) }) }),
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
)
