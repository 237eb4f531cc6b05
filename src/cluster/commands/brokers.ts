import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord, RecordOf } from '../records/records.ts'
import { type BrokerState, ResourceType, type TopicState } from '../state.ts'
import { balanceState, setBalanceState } from './balance-state.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, pinnedSettings } from './context.ts'
import { arrive, leadAgain, leave } from './elect.ts'
import { heard } from './sessions.ts'

type Registration = CommandRequest<'registerBroker'>
type RegistrationResponse = CommandResponse<'registerBroker'>

/**
 * A broker process joins (KIP-631). Its epoch is the offset of its registration or a little less: greater than every one
 * before. A new incarnation ends all leader epochs of the former one, in the same batch. The same one again changes
 * nothing but its addresses.
 *
 * It is fenced until a heartbeat says that it has applied the metadata up to here. Only who is alone with its controller
 * is caught up by construction, so one broker starts in one step.
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
  if (known !== undefined && known.incarnationId === request.incarnationId) return again(request, known, context)
  checkSuccessor(request, known, context)
  checkLevels(request, context)
  const others = state.brokers.size - (known === undefined ? 0 : 1)
  const alone = others === 0 && request.brokerId === settings.nodeId
  const epoch = state.offset
  const records: MetadataRecord[] = [registration(request, epoch, !alone)]
  if (alone) records.push(...leadAgain(context, request.brokerId))
  else {
    // Before anything that follows from it: a leader applies one record after another.
    if (others > 0) records.push(...pin(context))
    if (known !== undefined) {
      const unclean = mayHaveLost(request, known, context)
      records.push(...leave(context, request.brokerId, unclean, hasOtherDisk(request, known)))
    }
    records.push(...greet(request.brokerId, known, others, context))
  }
  return registered(records, epoch, request.brokerId, context)
}

function again(request: Registration, known: BrokerState, context: Context): Outcome<RegistrationResponse> {
  const record = registration(request, known.epoch, known.fenced)
  const same =
    JSON.stringify([record.endPoints, record.rack, record.logDirs]) ===
    JSON.stringify([known.endPoints, known.rack, known.logDirs])
  const { inControlledShutdown } = known
  return registered(same ? [] : [{ ...record, inControlledShutdown }], known.epoch, known.id, context)
}

/** Whether this can be the process that comes after the one that is registered, rather than a second one beside it. */
function checkSuccessor(request: Registration, known: BrokerState | undefined, { contacts, settings }: Context): void {
  const { brokerId, incarnationId, logDirs = [], choseNumber = false } = request
  // Two that joined at a time may have found the same number free: the other one has it, heard now or not.
  if (choseNumber && known !== undefined && hasOtherDisk(request, known))
    throw new KafkaError('DUPLICATE_BROKER_REGISTRATION', `The number ${brokerId} is another broker's by now.`)
  if (brokerId === settings.nodeId) {
    if (settings.incarnationId === '' || settings.incarnationId === incarnationId) return
  } else {
    if (known === undefined || !contacts.isLive(known) || known.inControlledShutdown) return
    // A directory is locked by the process that uses it: who names the same ones holds them now.
    if (logDirs.length > 0 && logDirs.join() === known.logDirs.join()) return
  }
  throw new KafkaError(
    'DUPLICATE_BROKER_REGISTRATION',
    `Another broker with id ${brokerId} is running. If it was restarted just now, this ends with its session.`,
  )
}

function checkLevels(request: Registration, { state, settings }: Context): void {
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
}

function registration(
  request: Registration,
  brokerEpoch: number,
  fenced: boolean,
): RecordOf<'RegisterBrokerRecord'> & { readonly logDirs: readonly string[] } {
  return {
    type: 'RegisterBrokerRecord',
    brokerId: request.brokerId,
    incarnationId: request.incarnationId,
    brokerEpoch,
    endPoints: request.listeners,
    features: request.features,
    rack: request.rack,
    fenced,
    logDirs: request.logDirs ?? [],
  }
}

/**
 * After a clean stop a broker names the epoch of its former life. Without it, what was acknowledged from the page cache
 * only may be gone; what was synced is there. Where the topic does not say which it was, nodes may differ in it: it is
 * synced where that broker says so, and we ourselves.
 */
function mayHaveLost(request: Registration, known: BrokerState, { state, settings }: Context) {
  if ((request.previousBrokerEpoch ?? -1) === known.epoch) return () => false
  return ({ name }: TopicState) => {
    const own = state.configs(ResourceType.TOPIC, name)
    if (settings.topicValue('flush', own) === 'os') return true
    return request.acknowledgesUnsynced === true && !own.has('flush.messages') && !own.has('flush.ms')
  }
}

/** It comes back with directories that are all new: what it had is gone. */
function hasOtherDisk({ logDirs = [] }: Registration, known: BrokerState): boolean {
  return logDirs.length > 0 && known.logDirs.length > 0 && !logDirs.some(id => known.logDirs.includes(id))
}

/**
 * Who is eligible depends on `min.insync.replicas` (KIP-966), who copies from whom on the topology: as soon as there are
 * several brokers, they and every controller read the same values from the log, not each its own file.
 */
function* pin({ state, settings }: Context): Iterable<MetadataRecord> {
  const resourceType = ResourceType.BROKER
  for (const name of pinnedSettings) {
    // In a log that Kafka wrote one broker may have a value of its own.
    for (const id of state.brokers.keys()) {
      const resourceName = String(id)
      if (state.configs(resourceType, resourceName).has(name))
        yield { type: 'ConfigRecord', resourceType, resourceName, name, value: null }
    }
    const value = settings.topicValue(name, new Map())
    if (value !== null && !state.configs(resourceType, '').has(name))
      yield { type: 'ConfigRecord', resourceType, resourceName: '', name, value }
  }
}

/** Who is new gets its share of what there is. Who was given up is taken back when it is let in: it may not get that far. */
function* greet(
  id: number,
  known: BrokerState | undefined,
  others: number,
  { state, settings }: Context,
): Iterable<MetadataRecord> {
  const isNew = known === undefined && others > 0 && balanceState(state, id) === 'settled'
  if (isNew && settings.balance && state.partitionCount > 0) yield setBalanceState(id, 'joining')
}

function registered(
  records: readonly MetadataRecord[],
  brokerEpoch: number,
  brokerId: number,
  context: Context,
): Outcome<RegistrationResponse> {
  const response = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, brokerEpoch }
  return { records, response, ...heard(brokerId, brokerEpoch, null, context) }
}

export function refuseRegisterBroker(_: Registration, error: KafkaError): RegistrationResponse {
  return { throttleTimeMs: 0, errorCode: error.code, brokerEpoch: -1 }
}

type Unregistration = CommandRequest<'unregisterBroker'>
type UnregistrationResponse = CommandResponse<'unregisterBroker'>

/** Takes a broker that is gone for good out of the cluster; what it held is made elsewhere. */
export function unregisterBroker({ brokerId }: Unregistration, context: Context): Outcome<UnregistrationResponse> {
  const { state } = context
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
  checkNothingIsLost(brokerId, context)
  const records: MetadataRecord[] = [
    // Its number may be given to another one, which has nothing.
    ...leave(context, brokerId, undefined, true),
    { type: 'UnregisterBrokerRecord', brokerId, brokerEpoch: broker.epoch },
  ]
  if (balanceState(state, brokerId) !== 'settled') records.push(setBalanceState(brokerId, 'settled'))
  return { records, response: { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null } }
}

/** Once it is forgotten nobody waits for it: where it alone has everything, that must be given up by name. */
function checkNothingIsLost(brokerId: number, { state }: Context): void {
  const lost: string[] = []
  for (const topic of state.topics.values()) {
    for (const [partitionId, { isr, eligibleLeaderReplicas }] of topic.partitions.entries()) {
      const whole = [...isr, ...eligibleLeaderReplicas]
      if (whole.includes(brokerId) && whole.every(id => id === brokerId)) lost.push(`${topic.name}-${partitionId}`)
    }
  }
  if (lost.length === 0) return
  const shown = lost.slice(0, 10).join(', ')
  throw new KafkaError(
    'INVALID_REQUEST',
    `Broker ${brokerId} has the only whole copy of ${lost.length} partition(s): ${shown}${lost.length > 10 ? ', …' : ''}. ` +
      'Bring it back, or give up what only it has by an unclean election or by deleting the topics.',
  )
}

export function refuseUnregisterBroker(_: Unregistration, error: KafkaError): UnregistrationResponse {
  return { throttleTimeMs: 0, errorCode: error.code, errorMessage: error.message }
}

/** Records that let a broker lead and be in sync again. */
export function unfence(broker: BrokerState, context: Context): MetadataRecord[] {
  const change: MetadataRecord = {
    type: 'BrokerRegistrationChangeRecord',
    brokerId: broker.id,
    brokerEpoch: broker.epoch,
    fenced: -1,
  }
  // Who was given up and lives after all gets its share again.
  const back = balanceState(context.state, broker.id) === 'gone' ? [setBalanceState(broker.id, 'joining')] : []
  return [change, ...arrive(context, broker.id), ...back]
}
