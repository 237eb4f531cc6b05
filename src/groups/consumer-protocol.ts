import { ConsumerProtocolSubscription } from '../protocol/messages/consumer-protocol.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'

/**
 * Topics in the metadata that a consumer sends with JoinGroup, or null when it cannot be read: the bytes may be anything.
 * After a version comes a subscription; all versions begin as version 0 does, so newer ones can be read as that.
 */
export function subscribedTopicsOf(metadata: Uint8Array): string[] | null {
  if (metadata.length < 2 || metadata[0]! >= 0x80) return null
  try {
    return ConsumerProtocolSubscription.read(metadata, 0, 2).topics
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
