import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { enoughInSync } from '../../replication/role.ts'
import type { MetadataRecord } from '../records/records.ts'
import { ResourceType } from '../state.ts'
import { balanceSetting } from './balance-state.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Configs, type Context, pinnedSettings } from './context.ts'
import { countBy } from './count.ts'
import { checkBalanceState } from './move.ts'
import { rulesOf } from './partition-change.ts'
import { topicNameProblem } from './topic-name.ts'

type Incremental = CommandRequest<'incrementalAlterConfigs'>
type Legacy = CommandRequest<'alterConfigs'>
type Response = CommandResponse<'incrementalAlterConfigs'>
type Resource = { readonly resourceType: number; readonly resourceName: string }

/** `AlterConfigOp.OpType` (KIP-339). */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** What is set after the change; null takes a setting away. */
type Changes = ReadonlyMap<string, string | null>

/** KIP-339: what is not named stays. */
export function incrementalAlterConfigs(request: Incremental, context: Context): Outcome<Response> {
  return alter(request.resources, request.validateOnly, context, resource => incrementalChanges(resource, context))
}

/** What is not named is taken away. */
export function alterConfigs(request: Legacy, context: Context): Outcome<Response> {
  return alter(request.resources, request.validateOnly, context, resource => legacyChanges(resource, context))
}

export function refuseAlterConfigs(request: Incremental | Legacy, error: KafkaError): Response {
  return { throttleTimeMs: 0, responses: request.resources.map(resource => resultOf(resource, error)) }
}

function alter<R extends Resource>(
  resources: readonly R[],
  validateOnly: boolean,
  context: Context,
  changesOf: (resource: R) => Changes,
): Outcome<Response> {
  const counts = countBy(resources, keyOf)
  const records: MetadataRecord[] = []
  const accepted = new Map<string, Changes>()
  const responses = [...new Map(resources.map(resource => [keyOf(resource), resource])).values()].map(resource => {
    try {
      if (counts.get(keyOf(resource))! > 1) {
        throw new KafkaError('INVALID_REQUEST', 'Each resource must appear at most once.')
      }
      checkResource(resource, context)
      const changes = changesOf(resource)
      checkValues(resource, changes, accepted, context)
      if (!validateOnly) {
        records.push(...recordsFor(resource, changes, context))
      }
      accepted.set(keyOf(resource), changes)
      return resultOf(resource, null)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return resultOf(resource, error)
    }
  })
  if (!validateOnly) records.push(...consequences(accepted, context))
  return { records, response: { throttleTimeMs: 0, responses } }
}

function keyOf({ resourceType, resourceName }: Resource): string {
  return `${resourceType}:${resourceName}`
}

function resultOf({ resourceType, resourceName }: Resource, error: KafkaError | null): Response['responses'][number] {
  return { errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null, resourceType, resourceName }
}

function checkResource({ resourceType, resourceName }: Resource, { state }: Context): void {
  switch (resourceType) {
    case ResourceType.TOPIC:
      checkTopicName(resourceName)
      if (state.topics.has(resourceName)) return
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resourceName}' does not exist.`)
    case ResourceType.BROKER:
      checkBroker(resourceName, state.brokers)
      return
    case ResourceType.GROUP:
      if (resourceName !== '') return
      throw new KafkaError('INVALID_REQUEST', 'Default group resources are not allowed.')
    case ResourceType.CLIENT_METRICS:
      if (resourceName !== '') return
      throw new KafkaError('INVALID_REQUEST', "Subscription name can't be empty")
    default:
      throw new KafkaError('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
  }
}

function checkTopicName(name: string): void {
  const problem = topicNameProblem(name)
  if (problem !== null) throw new KafkaError('INVALID_TOPIC_EXCEPTION', problem)
}

function checkBroker(name: string, brokers: ReadonlyMap<number, unknown>): void {
  if (name === '') return
  if (!/^\d{1,10}$/.test(name))
    throw new KafkaError('INVALID_REQUEST', `Node id must be an integer, but it is: ${name.slice(0, 100)}`)
  if (!brokers.has(Number(name))) throw new KafkaError('BROKER_ID_NOT_REGISTERED', `No broker with id ${name} found.`)
}

function incrementalChanges(resource: Incremental['resources'][number], context: Context): Changes {
  const current = context.state.configs(resource.resourceType, resource.resourceName)
  const changes = new Map<string, string | null>()
  for (const { name, configOperation, value } of resource.configs) {
    if (changes.has(name)) throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
    changes.set(name, operate(resource.resourceType, name, configOperation, value, current.get(name), context))
  }
  return changes
}

function operate(
  resourceType: number,
  name: string,
  operation: number,
  value: string | null,
  current: string | undefined,
  { settings: { schema } }: Context,
): string | null {
  if (operation === ConfigOperation.DELETE) return null
  if (value === null) throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${name}`)
  switch (operation) {
    case ConfigOperation.SET:
      return value
    case ConfigOperation.APPEND:
    case ConfigOperation.SUBTRACT: {
      if (!schema.isList(resourceType, name)) {
        const doing = operation === ConfigOperation.APPEND ? 'APPEND' : 'SUBTRACT'
        throw new KafkaError('INVALID_CONFIG', `Can't ${doing} to key ${name} because its type is not LIST.`)
      }
      const before = elements(current ?? schema.defaultValue(resourceType, name) ?? '')
      const named = elements(value)
      const after =
        operation === ConfigOperation.APPEND
          ? [...before, ...named.filter(element => !before.includes(element))]
          : before.filter(element => !named.includes(element))
      return after.join(',')
    }
    default:
      throw new KafkaError('INVALID_REQUEST', `Unknown config operation ${operation} for ${name}`)
  }
}

function elements(list: string): string[] {
  const trimmed = list.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}

function legacyChanges(resource: Legacy['resources'][number], { state }: Context): Changes {
  const changes = new Map<string, string | null>()
  for (const name of state.configs(resource.resourceType, resource.resourceName).keys()) {
    // No client of Kafka knows this name, and of all brokers it cannot be taken away.
    if (name === 'replication.topology' && resource.resourceType === ResourceType.BROKER) continue
    changes.set(name, null)
  }
  const named = new Set<string>()
  for (const { name, value } of resource.configs) {
    if (named.has(name)) throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
    if (value === null) throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${name}`)
    named.add(name)
    changes.set(name, value)
  }
  return changes
}

/** `accepted`: what the same request changes besides, by `keyOf`. */
function checkValues(
  { resourceType, resourceName }: Resource,
  changes: Changes,
  accepted: ReadonlyMap<string, Changes>,
  { state, settings }: Context,
): void {
  const { schema } = settings
  for (const [name, value] of changes) {
    if (resourceType === ResourceType.BROKER) checkPinned(resourceName, name, value)
    // What is taken away needs no check: a setting that a newer release has left behind must be removable.
    if (value === null) continue
    let problem: string | null
    if (resourceType === ResourceType.TOPIC) problem = schema.validateTopicConfig(name, value)
    else if (resourceType === ResourceType.BROKER)
      problem = schema.validateBrokerConfig(name, value, resourceName === '')
    else if (resourceType === ResourceType.GROUP) problem = schema.validateGroupConfig(name, value)
    else problem = schema.validateClientMetricsConfig(name, value)
    // What can never change is a wrong request, a value that does not fit a wrong setting.
    if (problem?.startsWith('Cannot update')) throw new KafkaError('INVALID_REQUEST', problem)
    if (problem !== null) throw new KafkaError('INVALID_CONFIG', problem)
  }
  if (resourceType === ResourceType.BROKER && changes.has(balanceSetting)) {
    const leaving = (id: number) => {
      const value = accepted.get(keyOf({ resourceType, resourceName: String(id) }))?.get(balanceSetting)
      return value === 'draining' || value === 'gone'
    }
    checkBalanceState(state, Number(resourceName), changes.get(balanceSetting)!, leaving)
  }
  if (resourceType !== ResourceType.TOPIC) return
  const problem = schema.validateTopicConfigs(changed(state.configs(resourceType, resourceName), changes))
  if (problem !== null) throw new KafkaError('INVALID_CONFIG', problem)
}

/** Throws INVALID_CONFIG where leaders and controller would no longer mean the same; Kafka refuses it in these words. */
function checkPinned(brokerName: string, name: string, value: string | null): void {
  if (!pinnedSettings.includes(name)) return
  if (brokerName !== '' && value !== null) {
    throw new KafkaError(
      'INVALID_CONFIG',
      `Broker-level ${name} cannot be altered: who may lead depends on it. Set it for all brokers, or for a topic.`,
    )
  }
  if (brokerName === '' && value === null) {
    throw new KafkaError('INVALID_CONFIG', `Cluster-level ${name} cannot be removed. Set it to another value instead.`)
  }
}

function recordsFor({ resourceType, resourceName }: Resource, changes: Changes, { state }: Context): MetadataRecord[] {
  const current = state.configs(resourceType, resourceName)
  const records: MetadataRecord[] = []
  for (const [name, value] of changes) {
    // A broker reads its certificates again when its settings are written again, changed or not (KAFKA-14136).
    const reload = resourceType === ResourceType.BROKER && value !== null
    if ((current.get(name) ?? null) === value && !reload) continue
    records.push({ type: 'ConfigRecord', resourceType, resourceName, name, value })
  }
  return records
}

function changed(before: ReadonlyMap<string, string>, changes: Changes): ReadonlyMap<string, string> {
  const after = new Map(before)
  for (const [name, value] of changes) {
    if (value === null) after.delete(name)
    else after.set(name, value)
  }
  return after
}

/**
 * What changes of settings (all of a request, by `keyOf`) mean for partitions, in the same batch: brokers learn both at
 * once. The partition epoch grows where another minimum is in force: the answer to an AlterPartition may reach a leader
 * before the setting does by which it was decided, so what was asked for without it is refused.
 */
function* consequences(accepted: ReadonlyMap<string, Changes>, context: Context): Iterable<MetadataRecord> {
  if (![...accepted.values()].some(changes => pinnedSettings.some(name => changes.has(name)))) return
  const { state } = context
  const afterwards = new Map<string, ReadonlyMap<string, string>>()
  const configs: Configs = (resourceType, resourceName) => {
    const key = keyOf({ resourceType, resourceName })
    const before = state.configs(resourceType, resourceName)
    const changes = accepted.get(key)
    if (changes === undefined) return before
    if (!afterwards.has(key)) afterwards.set(key, changed(before, changes))
    return afterwards.get(key)!
  }
  for (const topic of state.topics.values()) {
    const [was, is] = [rulesOf(topic, context), rulesOf(topic, context, undefined, configs)]
    if (was.minIsr === is.minIsr && was.chain === is.chain) continue
    for (const [partitionId, partition] of topic.partitions.entries()) {
      const { isr, leader, eligibleLeaderReplicas, lastKnownElr } = partition
      if (leader === -1) continue
      const enough = enoughInSync(is.minIsr, partition)
      const otherMinimum = enough !== enoughInSync(was.minIsr, partition)
      const relinked = was.chain !== is.chain
      if (!otherMinimum && !relinked) continue
      // Who left an ISR that was too small is eligible as long as nothing was committed since (KIP-966). Now something may
      // be: who leads goes on alone with what it knows.
      const forget = isr.length >= enough && eligibleLeaderReplicas.length + lastKnownElr.length > 0
      yield {
        type: 'PartitionChangeRecord',
        partitionId,
        topicId: topic.id,
        isr,
        ...(forget ? { eligibleLeaderReplicas: [], lastKnownElr: [] } : {}),
        // Who copies from whom is one thing in one leader epoch.
        ...(relinked ? { leader } : {}),
      }
    }
  }
}
