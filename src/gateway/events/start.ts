import type { Cluster } from '../../client/cluster.ts'
import { findOffsets, type StartAt } from '../../client/offsets.ts'
import type { Hub } from './hub.ts'
import type { Position } from './position.ts'

/** Where a stream begins that comes without an id. */
export type From = 'earliest' | 'latest' | { readonly timestamp: number }

const day = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** `earliest`, `latest`, ms since 1970, or a time of ISO 8601 (a day begins at midnight UTC). Null: none of them. */
export function parseFrom(text: string): From | null {
  if (text === 'earliest' || text === 'latest') return text
  const timestamp = /^\d{1,15}$/.test(text) ? Number(text) : day.test(text) ? Date.parse(text) : Number.NaN
  return Number.isFinite(timestamp) && timestamp >= 0 ? { timestamp } : null
}

/** Null: from now on, which the hub knows best. */
export async function startOf(from: From, hub: Hub, cluster: Cluster): Promise<Position | null> {
  if (from === 'latest') return null
  const { topic, position } = hub
  const start: Exclude<StartAt, number> = from
  const found = await findOffsets(
    cluster,
    position.map((_, partition) => ({ topic, partition, start })),
  )
  // No record is that late: what comes from now on is.
  return found.map(({ offset }, partition) => (offset < 0 ? (position[partition] ?? 0) : offset))
}
