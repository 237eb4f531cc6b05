import type { Segment } from '../store/store.ts'
import type { LogConfig } from './log-config.ts'

export type RetentionReason = 'logStartOffset' | 'size' | 'time' | 'expiry'

export interface Expired {
  /** How many segments, from the oldest on, may go. */
  readonly segments: number
  readonly bytes: number
  /** The rule that reached furthest. */
  readonly reason: RetentionReason | null
}

type Rule = (segment: Segment, isLast: boolean) => boolean

/**
 * Which of the oldest segments retention lets go, by Kafka's three rules one after the other: below the log's start offset
 * (DeleteRecords), more bytes than `retention.bytes`, newest record older than `retention.ms`; and by ours: closed, and all
 * records have expired one by one, as they have below `expiredEnd`. Nothing that ends above `limit`, the high watermark, ever
 * goes. Segments whose records have no timestamp do not age.
 */
export function expiredSegments(
  segments: readonly Segment[],
  config: LogConfig,
  logStartOffset: number,
  limit: number,
  now: number,
  expiredEnd = 0,
): Expired {
  let count = 0
  let bytes = 0
  let reason: RetentionReason | null = null
  const apply = (name: RetentionReason, rule: Rule): void => {
    for (; count < segments.length; count++) {
      const segment = segments[count]!
      const isLast = count === segments.length - 1
      if (segment.sizeInBytes === 0 || segment.endOffset > limit || !rule(segment, isLast)) return
      bytes += segment.sizeInBytes
      reason = name
    }
  }

  apply('logStartOffset', (segment, isLast) => !isLast && segment.endOffset <= logStartOffset)
  if (config.delete && config.retentionBytes >= 0) {
    const total = segments.reduce((sum, segment) => sum + segment.sizeInBytes, 0)
    apply('size', segment => total - bytes - segment.sizeInBytes >= config.retentionBytes)
  }
  if (config.delete && config.retentionMs >= 0)
    apply('time', ({ maxTimestamp }) => maxTimestamp >= 0 && now - maxTimestamp > config.retentionMs)
  if (config.delete) apply('expiry', (segment, isLast) => !isLast && segment.endOffset <= expiredEnd)
  return { segments: count, bytes, reason }
}
