import { ErrorCode, type KafkaError } from '../../protocol/errors.ts'
import type { SoftFact } from '../contacts.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { BrokerState } from '../state.ts'
import { balanceState, setBalanceState } from './balance-state.ts'
import type { CommandRequest, Done, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { leave } from './elect.ts'

type Life = CommandRequest<'expireSession'>

/**
 * What follows from a sign of life: the session begins anew. The broker of the controller's own process has none: as
 * long as somebody decides, it lives.
 */
export function heard(
  brokerId: number,
  brokerEpoch: number,
  metadataOffset: number | null,
  { settings }: Context,
): Required<Pick<Outcome<never>, 'soft' | 'effects'>> {
  const soft: SoftFact[] = [{ type: 'BrokerHeard', brokerId, brokerEpoch, metadataOffset }]
  if (brokerId === settings.nodeId) return { soft, effects: [] }
  return {
    soft,
    effects: [
      {
        do: 'timer',
        key: sessionKey(brokerId),
        afterMs: settings.sessionTimeoutMs,
        then: { do: 'expireSession', request: { brokerId, brokerEpoch } },
      },
    ],
  }
}

export function sessionKey(brokerId: number): string {
  return `session:${brokerId}`
}

/** A broker was not heard for a whole session: others lead what it led. */
export function expireSession(life: Life, context: Context): Outcome<Done> {
  return silence(life, context)
}

/** A broker's process is gone, so nobody waits for its session to end. */
export function brokerLost(life: Life, context: Context): Outcome<Done> {
  return silence(life, context)
}

function silence({ brokerId, brokerEpoch }: Life, context: Context): Outcome<Done> {
  const { state, settings } = context
  const broker = state.brokers.get(brokerId)
  // A newer life of it, or this process: what was seen is past.
  if (broker === undefined || broker.epoch !== brokerEpoch || brokerId === settings.nodeId) return done([])
  return {
    ...done(broker.fenced ? [] : fence(broker, context)),
    soft: [{ type: 'BrokerSilent', brokerId }],
    effects: [{ do: 'cancel', key: sessionKey(brokerId) }],
  }
}

/** Records that keep a broker from leading and from being in sync until it is heard again. */
export function fence(broker: BrokerState, context: Context): MetadataRecord[] {
  const change: MetadataRecord = {
    type: 'BrokerRegistrationChangeRecord',
    brokerId: broker.id,
    brokerEpoch: broker.epoch,
    fenced: 1,
  }
  return [change, ...leave(context, broker.id)]
}

/** A broker stays away, or begins anew again and again without getting far enough: its replicas are made elsewhere. */
export function replaceBroker({ brokerId }: CommandRequest<'replaceBroker'>, { state }: Context): Outcome<Done> {
  if (state.brokers.get(brokerId)?.fenced !== true || ['gone', 'draining'].includes(balanceState(state, brokerId)))
    return done([])
  return done([setBalanceState(brokerId, 'gone')])
}

export function done(records: readonly MetadataRecord[]): Outcome<Done> {
  return { records, response: { errorCode: ErrorCode.NONE } }
}

export function refuseOwn(_: unknown, error: KafkaError): Done {
  return { errorCode: error.code }
}
