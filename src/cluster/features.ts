import type { MetadataRecord } from './records/records.ts'

/** 4.3-IV0, the latest level that a released Kafka (4.3) takes for finished: such a Kafka can open what we wrote. */
export const latestMetadataVersion = 30

/** Levels that this software can read and write. `metadata.version` 7 (3.3-IV3) is the oldest that Kafka 4 opens. */
export const supportedFeatures: ReadonlyMap<string, { readonly min: number; readonly max: number }> = new Map([
  ['metadata.version', { min: 7, max: latestMetadataVersion }],
])

/** What a new cluster begins with. `features`: finalized from the start besides `metadata.version`. */
export function bootstrapRecords(features: ReadonlyMap<string, number> = new Map()): MetadataRecord[] {
  const records: MetadataRecord[] = [
    { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: latestMetadataVersion },
  ]
  for (const [name, featureLevel] of features) records.push({ type: 'FeatureLevelRecord', name, featureLevel })
  return records
}
