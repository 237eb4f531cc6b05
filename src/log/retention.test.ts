import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Segment } from '../store/store.ts'
import { defaultLogConfig, type LogConfig } from './log-config.ts'
import { expiredSegments } from './retention.ts'

/** Segments of ten records each: bytes and newest timestamp. */
function segmentsOf(...parts: [sizeInBytes: number, maxTimestamp: number][]): Segment[] {
  return parts.map(([sizeInBytes, maxTimestamp], index) => ({
    baseOffset: index * 10,
    endOffset: index * 10 + (sizeInBytes === 0 ? 0 : 10),
    sizeInBytes,
    maxTimestamp,
  }))
}

const none: Partial<LogConfig> = { retentionMs: -1, retentionBytes: -1 }
const three = segmentsOf([100, 1000], [100, 2000], [100, 3000])
interface Case {
  what: string
  segments?: Segment[]
  config: Partial<LogConfig>
  start?: number
  limit?: number
  now?: number
  expired?: number
  gone: number
  reason?: string
}

// biome-ignore format: a table
const cases: Case[] = [
  { what: 'no limits', config: none, gone: 0 },
  { what: 'time', config: { retentionMs: 500 }, now: 2501, gone: 2, reason: 'time' },
  { what: 'time, to the ms', config: { retentionMs: 500 }, now: 2500, gone: 1, reason: 'time' },
  { what: 'time, the active segment too', config: { retentionMs: 500 }, now: 9999, gone: 3, reason: 'time' },
  { what: 'time, up to the high watermark', config: { retentionMs: 500 }, now: 9999, limit: 29, gone: 2, reason: 'time' },
  { what: 'time 0', config: { retentionMs: 0 }, now: 3000, gone: 2, reason: 'time' },
  { what: 'a young segment shields what follows', segments: segmentsOf([9, 5000], [9, 1]), config: { retentionMs: 500 }, now: 5100, gone: 0 },
  { what: 'without timestamps nothing ages', segments: segmentsOf([9, -1], [9, 1]), config: { retentionMs: 1 }, now: 5100, gone: 0 },
  { what: 'size, exactly as much as allowed', config: { retentionMs: -1, retentionBytes: 300 }, gone: 0 },
  { what: 'size, less than a segment too much', config: { retentionMs: -1, retentionBytes: 201 }, gone: 0 },
  { what: 'size, a segment too much', config: { retentionMs: -1, retentionBytes: 200 }, gone: 1, reason: 'size' },
  { what: 'size 0', config: { retentionMs: -1, retentionBytes: 0 }, gone: 3, reason: 'size' },
  { what: 'below the start', config: none, start: 20, gone: 2, reason: 'logStartOffset' },
  { what: 'below the start, not the active one', config: none, start: 30, gone: 2, reason: 'logStartOffset' },
  { what: 'partly below the start', config: none, start: 19, gone: 1, reason: 'logStartOffset' },
  { what: 'compacted topics: only below the start', config: { delete: false, compact: true, retentionMs: 1, retentionBytes: 1 }, start: 10, now: 9999, gone: 1, reason: 'logStartOffset' },
  { what: 'start, then size', config: { retentionMs: -1, retentionBytes: 100 }, start: 10, gone: 2, reason: 'size' },
  { what: 'size, then time', segments: segmentsOf([100, 9000], [10, 1], [10, 1]), config: { retentionMs: 500, retentionBytes: 20 }, now: 9100, gone: 3, reason: 'time' },
  { what: 'expired one by one', config: none, expired: 20, gone: 2, reason: 'expiry' },
  { what: 'partly expired', config: none, expired: 19, gone: 1, reason: 'expiry' },
  { what: 'expired, but not the active segment', config: none, expired: 30, gone: 2, reason: 'expiry' },
  { what: 'expired, up to the high watermark', config: none, expired: 30, limit: 19, gone: 1, reason: 'expiry' },
  { what: 'expired in a compacted topic', config: { ...none, delete: false, compact: true }, expired: 30, gone: 0 },
  { what: 'time, then expired', config: { retentionMs: 500 }, now: 1600, expired: 20, gone: 2, reason: 'expiry' },
  { what: 'an empty segment stays', segments: segmentsOf([100, 1], [0, -1]), config: { retentionMs: 1 }, now: 1000, gone: 1, reason: 'time' },
  { what: 'nothing there', segments: [], config: { retentionMs: 0 }, gone: 0 },
]

for (const {
  what,
  segments = three,
  config,
  start = 0,
  limit = 30,
  now = 0,
  expired: expiredEnd = 0,
  gone,
  reason = null,
} of cases) {
  test(`retention: ${what}`, () => {
    const expired = expiredSegments(segments, { ...defaultLogConfig, ...config }, start, limit, now, expiredEnd)
    const bytes = segments.slice(0, gone).reduce((sum, segment) => sum + segment.sizeInBytes, 0)
    assert.deepEqual(expired, { segments: gone, bytes, reason })
  })
}
