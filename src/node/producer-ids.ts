import { ProducerIds } from '../broker/producer-ids.ts'
import type { ForwardingController } from '../cluster/forwarding.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'

/** Blocks of ids from the controller. Rejects with COORDINATOR_NOT_AVAILABLE when it gives none. */
export function producerIds(
  controller: Pick<ForwardingController, 'ask'>,
  brokerId: number,
  brokerEpoch: () => number,
): ProducerIds {
  return new ProducerIds(async () => {
    const request = { brokerId, brokerEpoch: brokerEpoch() }
    const { errorCode, producerIdStart, producerIdLen } = await controller.ask('allocateProducerIds', request)
    if (errorCode !== ErrorCode.NONE) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return { start: producerIdStart ?? 0, length: producerIdLen ?? 0 }
  })
}
