import type { KafkaRecord, RecordHeader } from './records.ts'

/**
 * A record's own time to live, in its headers, so that any producer can set one and every door understands it. Expired
 * records are not given out by the doors and go with their segment; Kafka's consumers get whole batches and may still see
 * them, as they may see records that retention has not removed yet.
 */

/** Seconds from the record's timestamp on, decimal, with a fraction if need be: `30`, `0.5`. */
export const expiresAfterHeader = 'ottla-expires-after'
/** ms since 1970, decimal. Of both headers the earlier time counts; of one that is repeated the last. */
export const expiresAtHeader = 'ottla-expires-at'

/** When a record ceases to be there, ms since 1970; infinite: never. A header that makes no sense is no header. */
export function expiresAt({ timestamp, headers }: Pick<KafkaRecord, 'timestamp' | 'headers'>): number {
  let after = Number.POSITIVE_INFINITY
  let at = Number.POSITIVE_INFINITY
  for (const { key, value } of headers) {
    if (key === expiresAfterHeader) after = number(value, /^\d{1,10}(\.\d{1,3})?$/)
    else if (key === expiresAtHeader) at = number(value, /^\d{1,15}$/)
  }
  // Without a timestamp there is nothing to count from.
  return Math.min(at, timestamp < 0 ? Number.POSITIVE_INFINITY : timestamp + after * 1000)
}

/** `now`: ms since 1970. */
export function isExpired(record: Pick<KafkaRecord, 'timestamp' | 'headers'>, now: number): boolean {
  return record.headers.length > 0 && expiresAt(record) <= now
}

/** The header that lets a record live for so many seconds. Throws RangeError when it could not be read back. */
export function expiresAfter(seconds: number): RecordHeader {
  const text = String(seconds)
  if (!Number.isFinite(number(Buffer.from(text), /^\d{1,10}(\.\d{1,3})?$/)))
    throw new RangeError(`${text} is no time to live`)
  return { key: expiresAfterHeader, value: Buffer.from(text) }
}

/** Infinite where it is not of that form. */
function number(value: Uint8Array | null, form: RegExp): number {
  if (value === null || value.length > 16) return Number.POSITIVE_INFINITY
  const text = Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
  return form.test(text) ? Number(text) : Number.POSITIVE_INFINITY
}
