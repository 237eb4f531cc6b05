import { array, bytes, int32, list, message, string } from '../schema.ts'

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
