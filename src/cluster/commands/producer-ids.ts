import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import type { Context } from './context.ts'

type Request = CommandRequest<'allocateProducerIds'>
type Response = CommandResponse<'allocateProducerIds'>

/** Producer ids are handed to brokers in blocks of this many (KIP-730). */
export const producerIdBlock = 1000

export function allocateProducerIds({ brokerId, brokerEpoch }: Request, { state }: Context): Outcome<Response> {
  const broker = state.brokers.get(brokerId)
  if (broker === undefined || broker.epoch !== (brokerEpoch ?? -1)) {
    throw new KafkaError('STALE_BROKER_EPOCH', `Broker ${brokerId} is not registered with epoch ${brokerEpoch ?? -1}.`)
  }
  const producerIdStart = state.nextProducerId
  if (producerIdStart > Number.MAX_SAFE_INTEGER - producerIdBlock) {
    throw new KafkaError('UNKNOWN_SERVER_ERROR', 'All producer ids have been given out.')
  }
  const nextProducerId = producerIdStart + producerIdBlock
  return {
    records: [{ type: 'ProducerIdsRecord', brokerId, brokerEpoch: broker.epoch, nextProducerId }],
    response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerIdStart, producerIdLen: producerIdBlock },
  }
}

export function refuseAllocateProducerIds(_: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, errorCode: error.code, producerIdStart: 0, producerIdLen: 0 }
}
