import { array, bytes, int32, list, message, string } from '../schema.ts'

/** What a consumer sends as its metadata in JoinGroup, after an int16 version. Versions above 3 are read as 3. */
export const ConsumerProtocolSubscription = message(
  'ConsumerProtocolSubscription',
  '0-3',
  {},
  {
    topics: list(string),
    userData: bytes.nullable().or(null),
    ownedPartitions: array({
      topic: string,
      partitions: list(int32),
    })
      .in('1+')
      .ignorable(),
    generationId: int32.in('2+').or(-1).ignorable(),
    rackId: string.in('3+').nullable().or(null).ignorable(),
  },
)

/** What a leading consumer assigns in SyncGroup, after an int16 version. Versions above 3 are read as 3. */
export const ConsumerProtocolAssignment = message(
  'ConsumerProtocolAssignment',
  '0-3',
  {},
  {
    assignedPartitions: array({
      topic: string,
      partitions: list(int32),
    }),
    userData: bytes.nullable().or(null),
  },
)
