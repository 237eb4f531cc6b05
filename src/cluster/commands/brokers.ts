import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, isUsable } from './context.ts'
import { reelect } from './elect.ts'

type Registration = CommandRequest<'registerBroker'>
type RegistrationResponse = CommandResponse<'registerBroker'>

/**
 * A broker process joins (KIP-631). Its epoch is the offset of its registration or a little less: greater than every one
 * before. A new incarnation ends all leader epochs of the former one, in the same batch. The same one again changes
 * nothing.
 *
 * It is unfenced at once: as long as the one broker is its own controller, it is caught up by construction. Sessions
 * and heartbeats come with the second broker.
 */
export function registerBroker(request: Registration, context: Context): Outcome<RegistrationResponse> {
  const { state, settings } = context
  if (request.clusterId !== settings.clusterId) {
    throw new KafkaError(
      'INCONSISTENT_CLUSTER_ID',
      `This is cluster ${settings.clusterId}; broker ${request.brokerId} belongs to ${request.clusterId}.`,
    )
  }
  const known = state.brokers.get(request.brokerId)
  if (known !== undefined && known.incarnationId === request.incarnationId) return registered([], known.epoch)
  const newest = settings.supportedFeatures.get('metadata.version')?.max ?? 0
  if (state.metadataVersion > newest) {
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      `The cluster is at metadata.version ${state.metadataVersion}; this software knows them up to ${newest}.`,
    )
  }
  for (const { name, minSupportedVersion, maxSupportedVersion } of request.features) {
    const level = state.features.get(name) ?? 0
    if (level === 0 || (level >= minSupportedVersion && level <= maxSupportedVersion)) continue
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      `Broker ${request.brokerId} supports ${name} ${minSupportedVersion} to ${maxSupportedVersion}; the cluster is at ${level}.`,
    )
  }
  const epoch = state.offset
  const registration: MetadataRecord = {
    type: 'RegisterBrokerRecord',
    brokerId: request.brokerId,
    incarnationId: request.incarnationId,
    brokerEpoch: epoch,
    endPoints: request.listeners,
    features: request.features,
    rack: request.rack,
    fenced: false,
    logDirs: request.logDirs ?? [],
  }
  const usable = (id: number) => id === request.brokerId || isUsable(state, id)
  return registered([registration, ...reelect(state, request.brokerId, usable)], epoch)
}

function registered(records: readonly MetadataRecord[], brokerEpoch: number): Outcome<RegistrationResponse> {
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, brokerEpoch } }
}

export function refuseRegisterBroker(_: Registration, error: KafkaError): RegistrationResponse {
  return { throttleTimeMs: 0, errorCode: error.code, brokerEpoch: -1 }
}

type Unregistration = CommandRequest<'unregisterBroker'>
type UnregistrationResponse = CommandResponse<'unregisterBroker'>

/** Takes a broker that is gone for good out of the cluster. */
export function unregisterBroker({ brokerId }: Unregistration, { state }: Context): Outcome<UnregistrationResponse> {
  const broker = state.brokers.get(brokerId)
  if (broker === undefined) {
    throw new KafkaError('BROKER_ID_NOT_REGISTERED', `Broker ID ${brokerId} is not currently registered`)
  }
  if (!broker.fenced) {
    throw new KafkaError(
      'INVALID_REQUEST',
      `Broker ${brokerId} is running: stop it before it is taken out of the cluster.`,
    )
  }
  const records: MetadataRecord[] = [{ type: 'UnregisterBrokerRecord', brokerId, brokerEpoch: broker.epoch }]
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null } }
}

export function refuseUnregisterBroker(_: Unregistration, error: KafkaError): UnregistrationResponse {
  return { throttleTimeMs: 0, errorCode: error.code, errorMessage: error.message }
}
