/**
 * Where a reader of a topic stands, as the `id` of a server-sent event: the offset of the next record of each partition,
 * in the order of the partitions, with commas, and the first letters of the topic's id: `15,0,7@k3Fx`. Whoever sends it back
 * (`Last-Event-ID`) goes on exactly there, over all partitions. Partitions beyond those that it names were not there yet:
 * they begin at 0. Without the letters it is taken for a position in whatever topic has the name now.
 *
 * Subscribers that share a topic as a group have partitions that come and go, and say what they have done by sending an id
 * back: their ids name the partitions, and carry the membership in which they were given out, so that any node can commit
 * them and a late one is refused: `0:15,2:7;3;ottla-5e…` (offsets; generation; member).
 */
export type Position = readonly number[]

export interface GroupPosition {
  /** Offset of the next record, by partition; only partitions of which something was given out. */
  readonly offsets: ReadonlyMap<number, number>
  readonly generationId: number
  readonly memberId: string
}

/** Longer ids are refused unread; Node takes 16 KiB of headers in all. */
export const longestId = 12 * 1024
/** Topics with more are read by groups only: their ids would be too long, sooner or later. */
export const mostPartitions = 1000

const number = /^(?:0|[1-9]\d{0,15})$/

/** Null: no number, or none that an offset can be. */
function offsetOf(text: string): number | null {
  const value = number.test(text) ? Number(text) : -1
  return value >= 0 && Number.isSafeInteger(value) ? value : null
}

/** What tells topics of one name apart, which were made one after the other. */
export const topicTag = (topicId: string): string => topicId.slice(0, 4)

export function showPosition(position: Position, tag: string): string {
  return `${position.join(',')}@${tag}`
}

/** Null: it is no position. `tag`: null when it says nothing of the topic. */
export function parsePosition(text: string): { readonly offsets: number[]; readonly tag: string | null } | null {
  const match = text.length > longestId ? null : /^([\d,]+)(?:@([\w-]{4}))?$/.exec(text)
  if (match === null) return null
  const offsets: number[] = []
  for (const part of match[1]!.split(',')) {
    const offset = offsetOf(part)
    if (offset === null) return null
    offsets.push(offset)
  }
  return { offsets, tag: match[2] ?? null }
}

export function showGroupPosition({ offsets, generationId, memberId }: GroupPosition): string {
  const parts = [...offsets].sort(([a], [b]) => a - b).map(([partition, offset]) => `${partition}:${offset}`)
  return `${parts.join(',')};${generationId};${memberId}`
}

/** Null: it is no position of a group. */
export function parseGroupPosition(text: string): GroupPosition | null {
  const match = text.length > longestId ? null : /^([\d:,]*);(\d{1,10});([\x21-\x7e]{1,300})$/.exec(text)
  if (match === null) return null
  const [, parts = '', generation = '', memberId = ''] = match
  const offsets = new Map<number, number>()
  for (const part of parts === '' ? [] : parts.split(',')) {
    const [left = '', right = '', ...more] = part.split(':')
    const [partition, offset] = [offsetOf(left), offsetOf(right)]
    if (partition === null || offset === null || more.length > 0 || offsets.has(partition)) return null
    offsets.set(partition, offset)
  }
  const generationId = Number(generation)
  return generationId <= 0x7fffffff ? { offsets, generationId, memberId } : null
}
