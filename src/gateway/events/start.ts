import type { Cluster } from '../../client/cluster.ts'
import { findOffsets, type StartAt } from '../../client/offsets.ts'
import type { Hub } from './hub.ts'
import { mostPartitions, type parsePosition } from './position.ts'
import type { Start } from './subscription.ts'

/** Where a stream begins that comes without an id. */
export type From = 'earliest' | 'latest' | { readonly timestamp: number }

const day = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** `earliest`, `latest`, ms since 1970, or a time of ISO 8601 (a day begins at midnight UTC). Null: none of them. */
export function parseFrom(text: string): From | null {
  if (text === 'earliest' || text === 'latest') return text
  const timestamp = /^\d{1,15}$/.test(text) ? Number(text) : day.test(text) ? Date.parse(text) : Number.NaN
  return Number.isFinite(timestamp) && timestamp >= 0 ? { timestamp } : null
}

/** Where a stream begins without an id. Throws RangeError when no id could say where the reader stands. */
export async function startOf(from: From, hub: Hub, cluster: Cluster): Promise<Start> {
  checkSize(hub)
  // The hub knows best.
  if (from === 'latest') return { from: null }
  const { topic, position } = hub
  const start: Exclude<StartAt, number> = from
  const found = await findOffsets(
    cluster,
    position.map((_, partition) => ({ topic, partition, start })),
  )
  // No record is that late: what comes from now on is.
  return { from: found.map(({ offset }, partition) => (offset < 0 ? (position[partition] ?? 0) : offset)) }
}

/** Throws RangeError when the id speaks of partitions that the topic does not have. */
export async function startAt(
  { offsets, tag }: NonNullable<ReturnType<typeof parsePosition>>,
  hub: Hub,
  cluster: Cluster,
): Promise<Start> {
  const isFormer = tag !== null && tag !== hub.tag
  checkSize(hub)
  if (isFormer || offsets.length > hub.position.length) await hub.refresh()
  // Of the topic that had the name before: of this one the reader has seen nothing.
  if (isFormer) return { ...(await startOf('earliest', hub, cluster)), lost: offsets.slice(0, hub.position.length) }
  if (offsets.length > hub.position.length)
    throw new RangeError(
      `The last event id names ${offsets.length} partitions; ${hub.topic} has ${hub.position.length}`,
    )
  return { from: offsets }
}

function checkSize({ topic, position }: Hub): void {
  if (position.length > mostPartitions)
    throw new RangeError(
      `${topic} has ${position.length} partitions; more than ${mostPartitions} are only read with a group`,
    )
}
