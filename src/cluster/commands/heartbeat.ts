import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { SoftFact } from '../contacts.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { BrokerState } from '../state.ts'
import { unfence } from './brokers.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { leave } from './elect.ts'
import { fence, heard } from './sessions.ts'

type Request = CommandRequest<'brokerHeartbeat'>
type Response = CommandResponse<'brokerHeartbeat'>

/** What a heartbeat comes to, besides that its broker lives. */
interface Step {
  readonly records: readonly MetadataRecord[]
  readonly soft?: readonly SoftFact[]
  readonly fenced: boolean
  readonly shouldShutDown?: boolean
}

/**
 * A broker lives, and says how far it has applied the metadata (the offset of the last record). It is unfenced when that
 * is its own registration at least; it is relieved of what it leads when it wants to stop, and may do so when all others
 * know who leads instead (KIP-631).
 */
export function brokerHeartbeat(request: Request, context: Context): Outcome<Response> {
  const { brokerId, brokerEpoch = -1 } = request
  const broker = context.state.brokers.get(brokerId)
  if (broker === undefined) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', `Broker ID ${brokerId} is not registered.`)
  }
  if (broker.epoch !== brokerEpoch) {
    throw new KafkaError('STALE_BROKER_EPOCH', `Broker ${brokerId} is registered with epoch ${broker.epoch}.`)
  }
  const caughtUp = request.currentMetadataOffset >= broker.epoch
  const { records, soft = [], fenced, shouldShutDown = false } = step(broker, request, caughtUp, context)
  const sign = heard(brokerId, brokerEpoch, request.currentMetadataOffset, context)
  return {
    records,
    // Heard first: what else is known of a broker hangs on its life.
    soft: [...sign.soft, ...soft],
    effects: sign.effects,
    response: {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      isCaughtUp: caughtUp,
      isFenced: fenced,
      shouldShutDown,
    },
  }
}

export function refuseBrokerHeartbeat(_: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, errorCode: error.code, shouldShutDown: false }
}

function step(broker: BrokerState, request: Request, caughtUp: boolean, context: Context): Step {
  if (broker.fenced) {
    if (request.wantShutDown) return { records: [], fenced: true, shouldShutDown: true }
    // A process that began to stop does not think better of it.
    if (request.wantFence || !caughtUp || broker.inControlledShutdown) return { records: [], fenced: true }
    return { records: unfence(broker, context), fenced: false }
  }
  if (request.wantShutDown) return relieve(broker, context)
  if (request.wantFence) return { records: fence(broker, context), fenced: true }
  return { records: [], fenced: false }
}

/** First the others lead; then, when they know, it is fenced and may go. */
function relieve(broker: BrokerState, context: Context): Step {
  const { contacts } = context
  // Who is alone cannot hand over anything.
  if (!othersLive(broker, context)) return { records: [], fenced: false, shouldShutDown: true }
  const relieved: SoftFact[] = [{ type: 'BrokerRelieved', brokerId: broker.id }]
  if (!broker.inControlledShutdown) {
    const change: MetadataRecord = {
      type: 'BrokerRegistrationChangeRecord',
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      inControlledShutdown: 1,
    }
    return { records: [change, ...leave(context, broker.id)], soft: relieved, fenced: false }
  }
  const relievedAt = contacts.relievedAt(broker)
  // A controller that has just begun to lead does not know since when: what it has now is late enough.
  if (relievedAt === null) return { records: [], soft: relieved, fenced: false }
  if (!othersKnow(broker, relievedAt, context)) return { records: [], fenced: false }
  return { records: fence(broker, context), fenced: true, shouldShutDown: true }
}

function othersLive(broker: BrokerState, { state }: Context): boolean {
  return [...state.brokers.values()].some(other => other.id !== broker.id && !other.fenced)
}

/** The controller's own broker has applied whatever is committed before anybody hears of it. */
function othersKnow(broker: BrokerState, offset: number, { state, contacts, settings }: Context): boolean {
  for (const other of state.brokers.values()) {
    if (other.id === broker.id || other.id === settings.nodeId || other.fenced || other.inControlledShutdown) continue
    if (contacts.metadataOffset(other) < offset) return false
  }
  return true
}
