import { int64, message } from '../schema.ts'

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
