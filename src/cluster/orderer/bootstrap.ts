import type { Volume } from '../../store/store.ts'
import type { MetadataRecord } from '../records/records.ts'
import { decodeSnapshot } from './snapshot.ts'

/** The file at the root of a directory that Kafka has formatted. */
const bootstrapName = 'bootstrap.checkpoint'

/** The first records of a cluster whose directory Kafka has formatted and nobody has started yet; null when there are none. */
export function readBootstrap(volume: Pick<Volume, 'get'>): MetadataRecord[] | null {
  const file = volume.get(bootstrapName)
  if (file === null) return null
  try {
    return [...decodeSnapshot(file).records]
  } catch (error) {
    throw new Error(`the file ${bootstrapName} of the data directory is unreadable`, { cause: error })
  }
}
