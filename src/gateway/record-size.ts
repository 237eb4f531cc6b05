import type { RecordToSend } from '../client/producer-options.ts'

/** What a record takes besides what it holds. */
export const recordBytes = 256

/** Bytes that a record takes in memory, about: small ones are objects more than anything else. */
export function sizeOf({ key, value, headers = [] }: Pick<RecordToSend, 'key' | 'value' | 'headers'>): number {
  let bytes = recordBytes + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0)
  return bytes
}
