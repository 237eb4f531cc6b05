import { newUuid } from '../../protocol/uuid.ts'

/**
 * A topic that was made without saying how many copies it shall have gets more of them when brokers join. That this was
 * not said is written into the version digit of its id (8: "custom", RFC 9562), where nobody else looks: 4, a random
 * uuid, for all other topics.
 */
export function newTopicId(random: { bytes(count: number): Uint8Array }, automatic: boolean): string {
  const bytes = Buffer.from(newUuid(random), 'base64url')
  if (automatic) bytes[6] = (bytes[6]! & 0x0f) | 0x80
  return bytes.toString('base64url')
}

/** Whether its number of copies was left to the cluster. */
export function isAutomatic(topicId: string): boolean {
  return Buffer.from(topicId, 'base64url')[6]! >> 4 === 8
}
