import type { Tail } from './commands.ts'

/** What the logs of topics hold now, wherever they are led. */
export interface Tails {
  /** As far as is known without asking anybody; empty: nothing is. */
  known(topic: string): readonly Tail[]
  /** Asks those who lead elsewhere. Never rejects: who does not answer is left out. */
  refresh(topic: string): Promise<void>
  /** `ring` when there is more than `known` said before. Ends with the function that is returned. */
  watch(topic: string, ring: () => void): () => void
}
