import { api, array, bool, int16, int32, int64, list, string } from '../schema.ts'

/** Directories of a broker and the size of what they hold (KIP-113). */
export const DescribeLogDirs = api(
  35,
  'DescribeLogDirs',
  '0-5',
  { flexible: '2+' },
  {
    topics: array({ topic: string, partitions: list(int32) }).nullable(),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('3+').ignorable(),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: int64.in('4+').or(-1).ignorable(),
      usableBytes: int64.in('4+').or(-1).ignorable(),
      isCordoned: bool.in('5+').ignorable(),
    }),
  },
)
