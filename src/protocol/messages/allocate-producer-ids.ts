import { api, int16, int32, int64 } from '../schema.ts'

/** A broker asks the controller for a block of producer ids (KIP-730). */
export const AllocateProducerIds = api(
  67,
  'AllocateProducerIds',
  '0',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerIdStart: int64,
    producerIdLen: int32,
  },
)
