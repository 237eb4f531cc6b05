/** A leader asks the controller for another ISR: a compare-and-set on both epochs (KIP-497, 903). */
export interface IsrProposal {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** The process that is meant, too: a broker that began anew since does not have what its former self had (KIP-903). */
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[]
  /** Replicas, not in that ISR, that lack what is committed, as theirs is a damaged copy: not eligible to lead either. */
  readonly lacking: readonly number[]
}

/**
 * - `changed`: committed; this is what holds now.
 * - `refused`: not done, and nothing else has changed: it may be tried again later.
 * - `outdated`: not done, because the controller knows newer things, which the metadata will tell.
 */
export type IsrAnswer =
  | {
      readonly is: 'changed'
      readonly leaderEpoch: number
      readonly partitionEpoch: number
      readonly isr: readonly number[]
    }
  | { readonly is: 'refused' }
  | { readonly is: 'outdated' }

export interface IsrChanges {
  /**
   * Asks until there is an answer, as long as `wanted()`: a request whose answer was lost may have been done, so until then
   * nobody may count on either ISR. Calls `answered` at most once, never from inside of this call.
   */
  propose(proposal: IsrProposal, wanted: () => boolean, answered: (answer: IsrAnswer) => void): void
}
