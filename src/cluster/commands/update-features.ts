import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { countBy } from './count.ts'

type Request = CommandRequest<'updateFeatures'>
type Response = CommandResponse<'updateFeatures'>
type Update = Request['featureUpdates'][number]

/** `FeatureUpdate.UpgradeType` (KIP-584, KIP-778). */
const upgradeOnly = 1

/** All levels change, or none does. */
export function updateFeatures(request: Request, context: Context): Outcome<Response> {
  const counts = countBy(request.featureUpdates, update => update.feature)
  const records: MetadataRecord[] = []
  for (const update of request.featureUpdates) {
    if (counts.get(update.feature)! > 1) throw refuse(update, 'it is named more than once.')
    checkUpdate(update, context)
    const current = context.state.features.get(update.feature) ?? 0
    if (update.maxVersionLevel === current) continue
    records.push({ type: 'FeatureLevelRecord', name: update.feature, featureLevel: update.maxVersionLevel })
  }
  const results = request.featureUpdates.map(({ feature }) => ({
    feature,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
  }))
  const response = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, results }
  return { records: request.validateOnly ? [] : records, response }
}

export function refuseUpdateFeatures(request: Request, { code, message }: KafkaError): Response {
  const results = request.featureUpdates.map(({ feature }) => ({ feature, errorCode: code, errorMessage: message }))
  return { throttleTimeMs: 0, errorCode: code, errorMessage: message, results }
}

function checkUpdate(update: Update, { state, settings }: Context): void {
  const { feature, maxVersionLevel: level } = update
  const current = state.features.get(feature) ?? 0
  const supported = settings.supportedFeatures.get(feature)
  if (supported === undefined) throw refuse(update, 'the feature is not supported.')
  if (level < 0) throw refuse(update, 'a level cannot be negative.')
  const off = level === 0 && feature !== 'metadata.version'
  if (!off && (level < supported.min || level > supported.max)) {
    throw refuse(update, `levels ${supported.min} to ${supported.max} are supported.`)
  }
  for (const broker of state.brokers.values()) {
    const range = broker.features.find(({ name }) => name === feature)
    if (off || (range !== undefined && level >= range.minSupportedVersion && level <= range.maxSupportedVersion))
      continue
    throw refuse(update, `broker ${broker.id} does not support this level.`)
  }
  if (level >= current) return
  const downgradeAllowed = (update.upgradeType ?? upgradeOnly) !== upgradeOnly || update.allowDowngrade === true
  if (!downgradeAllowed) {
    throw refuse(update, `can't downgrade from ${current} without setting the upgrade type to a downgrade.`)
  }
  // A lower level would leave behind records that it must not have; Kafka refuses this, too, where that may happen.
  if (feature === 'metadata.version') throw refuse(update, 'metadata.version cannot be lowered.')
}

function refuse({ feature, maxVersionLevel }: Update, why: string): KafkaError {
  return new KafkaError(
    'INVALID_UPDATE_VERSION',
    `Invalid update version ${maxVersionLevel} for feature ${feature}: ${why}`,
  )
}
