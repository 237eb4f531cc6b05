/** Bytes of a record's value. */
export const recordBytes = 1024
/** Records of a push of many. */
export const batchRecords = 500

/** Text that no compression would shrink to nothing, with an escape now and then as real JSON has. */
export function recordJson(index: number): string {
  let text = `"${index}" `
  while (text.length < recordBytes) text += `${((index * 7919 + text.length * 104729) % 0xffffff).toString(36)} `
  return JSON.stringify({ key: `key-${index % 1000}`, value: text.slice(0, recordBytes) })
}

export const recordsJson = (count: number): string[] => Array.from({ length: count }, (_, index) => recordJson(index))
