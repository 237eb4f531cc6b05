import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import type { Peer } from './handler.ts'

/**
 * For APIs that only nodes of the cluster may use: `empty` completes an answer that is nothing but an error. What is thrown
 * as KafkaError becomes the answer's.
 */
export async function forNodes<Rest, Answer>(
  peer: Pick<Peer, 'node'>,
  empty: Rest,
  answer: () => Promise<Answer>,
): Promise<Answer | (Rest & { readonly errorCode: number; readonly errorMessage: string | null })> {
  if (!peer.node) return { ...empty, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
  try {
    return await answer()
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { ...empty, errorCode: error.code, errorMessage: error.message }
  }
}
