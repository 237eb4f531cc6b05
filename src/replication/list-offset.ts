import { KafkaError } from '../protocol/errors.ts'
import type { Partition } from './partition.ts'

export interface FoundOffset {
  readonly offset: number
  /** ms of the record at `offset`; −1 where it was not asked by time. */
  readonly timestamp: number
  readonly leaderEpoch: number
}

const latest = -1
const earliest = -2
const maxTimestamp = -3
const earliestLocal = -4
const latestTiered = -5
const earliestPendingUpload = -6

/** The first ListOffsets version that knows a special timestamp. */
const knownSince = new Map([
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
  [earliestPendingUpload, 11],
])

const nothing: FoundOffset = { offset: -1, timestamp: -1, leaderEpoch: -1 }

/**
 * The offset that a timestamp (ms, or one of the special values) stands for, never above what the asker may read.
 * `committed`: for a `read_committed` consumer. `version`: of the ListOffsets request.
 */
export async function listOffset(
  partition: Partition,
  timestamp: number,
  version: number,
  committed: boolean,
): Promise<FoundOffset> {
  const { log } = partition
  const end = committed ? partition.lastStableOffset : partition.highWatermark
  if (version < (knownSince.get(timestamp) ?? 0) || timestamp < earliestPendingUpload)
    throw new KafkaError('UNSUPPORTED_VERSION')
  switch (timestamp) {
    case latest:
      mustKnowEnd(partition, version)
      return { offset: end, timestamp: -1, leaderEpoch: partition.leaderEpoch }
    case earliest:
    case earliestLocal:
      return at(partition, log.logStartOffset)
    case latestTiered:
    case earliestPendingUpload:
      // There is no remote tier; Kafka answers so, too.
      return nothing
    case maxTimestamp: {
      const found = await log.maxTimestampOffset()
      return found !== null && found.offset < end ? found : nothing
    }
    default: {
      const found = await log.offsetForTimestamp(timestamp)
      if (found !== null && found.offset < end) return found
      mustKnowEnd(partition, version)
      return nothing
    }
  }
}

/** Older clients do not know the error (KIP-207). */
function mustKnowEnd(partition: Partition, version: number): void {
  try {
    partition.mustKnowEnd()
  } catch (error) {
    throw version >= 5 ? error : new KafkaError('LEADER_NOT_AVAILABLE')
  }
}

function at(partition: Partition, offset: number): FoundOffset {
  const epoch = partition.log.epochForOffset(offset)
  return { offset, timestamp: -1, leaderEpoch: epoch >= 0 ? epoch : partition.leaderEpoch }
}
