import { KafkaError } from '../../protocol/errors.ts'

/** How often each key occurs. */
export function countBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, number> {
  const counts = new Map<Key, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}

/** Throws INVALID_REQUEST when a request names a partition again: `seen` has what it named so far. */
export function nameOnce(seen: Set<string>, topic: string, partition: number): void {
  const key = `${partition}:${topic}`
  if (seen.has(key)) throw new KafkaError('INVALID_REQUEST', 'The partition is named twice.')
  seen.add(key)
}
