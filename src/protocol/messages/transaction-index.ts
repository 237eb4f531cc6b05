import { int64, message } from '../schema.ts'

/** One entry of a segment's .txnindex file, after an int16 version. */
export const AbortedTxn = message(
  'AbortedTxn',
  '0',
  {},
  {
    producerId: int64,
    firstOffset: int64,
    lastOffset: int64,
    lastStableOffset: int64,
  },
)
