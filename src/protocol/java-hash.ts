/** `String.hashCode()` of Java. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash
}

/** The partition of an internal topic that a group or a transactional id belongs to: Kafka's `Utils.abs(hash) % count`. */
export function partitionOfKey(key: string, count: number): number {
  const hash = javaHash(key)
  // The one number that Math.abs of Java leaves negative goes to 0.
  return (hash === -2_147_483_648 ? 0 : Math.abs(hash)) % count
}
