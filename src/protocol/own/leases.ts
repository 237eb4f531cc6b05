import { api, array, bool, int8, int16, int32, int64, list, string, uuid } from '../schema.ts'

/**
 * What nodes of a cluster ask the coordinator of a lease group, wherever a worker came in. Kafka has no such APIs: there
 * the leader of each partition hands out its records. Numbers are far above Kafka's.
 */

const fault = { errorCode: int16, errorMessage: string.nullable().or(null) } as const

/** Hands out records of one topic. The answer waits, up to `waitMs`, until there is one. */
export const AcquireLeases = api(
  20_001,
  'AcquireLeases',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topic: string,
    /** 0: a group that is new begins with the first record; 1: behind the last. */
    begin: int8,
    waitMs: int32,
    wants: array({ max: int32, lockMs: int32 }),
  },
  {
    ...fault,
    topicId: uuid,
    grants: array({
      lockMs: int32,
      records: array({ partition: int32, offset: int64, lease: int64, deliveryCount: int16 }),
    }),
  },
)

/** Says what became of records. */
export const SettleLeases = api(
  20_002,
  'SettleLeases',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topic: string,
    items: array({
      partition: int32,
      offset: int64,
      lease: int64,
      /** 0 return, 1 accept, 2 release, 3 reject (as Kafka's acknowledge types), 4 renew. */
      what: int8,
      ms: int32,
      why: string.tag(0, '0+'),
    }),
    /** Where there are no records. */
    skipped: array({ partition: int32, fromOffset: int64, toOffset: int64 }),
    /** Id of the topic in which they are skipped; zero: whichever has the name. */
    skippedOf: uuid.tag(0, '0+'),
  },
  { ...fault, results: list(int16) },
)

/** How far groups are; null asks for all that are coordinated there. */
export const DescribeLeases = api(
  20_003,
  'DescribeLeases',
  '0',
  { flexible: '0+' },
  { groups: list(string).nullable() },
  {
    ...fault,
    groups: array({
      groupId: string,
      errorCode: int16,
      partitions: array({
        topic: string,
        topicId: uuid,
        partition: int32,
        startOffset: int64,
        endOffset: int64,
        acquired: int32,
        ready: int32,
        resting: int32,
        dying: int32,
        oldestLeaseEnds: int64,
      }),
    }),
  },
)

/** Forgets a group, or sets where it goes on. */
export const AlterLeases = api(
  20_004,
  'AlterLeases',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    forget: bool,
    topic: string,
    offsets: array({ partition: int32, offset: int64 }),
  },
  fault,
)
