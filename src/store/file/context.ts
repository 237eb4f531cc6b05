import type { Logger } from '../../world/logger.ts'
import type { World } from '../../world/world.ts'
import type { Blocks } from '../blocks.ts'
import type { TopicPartition } from '../store.ts'
import type { Handles } from './handles.ts'
import type { Progress } from './progress.ts'
import type { SyncSlots } from './sync-slots.ts'
import type { TailCache } from './tail-cache.ts'

/** What all stores of one volume share. */
export interface VolumeContext {
  readonly root: string
  readonly world: Pick<World, 'clock' | 'timers' | 'random' | 'disk'>
  readonly logger: Logger
  readonly handles: Handles
  readonly tailCache: TailCache
  readonly blocks: Blocks
  readonly syncSlots: SyncSlots
  readonly progress: Progress
  /**
   * The disk has failed us, and nobody knows whether the machine has been started anew since: after a failed sync the kernel
   * takes pages for written that are not. What a recovery reads it writes again, or no later sync would bring it to the disk.
   */
  readonly distrusted: boolean
  /** Waiting bytes of one store that are written without waiting for the end of the turn. */
  readonly writeAtOnceBytes: number
  /** The store's `turn` is called at the end of this turn of the event loop. */
  schedule(store: { turn(): void }): void
  /**
   * A recovery trusts what lies below its point without looking. So the point goes down, durably, before other bytes take
   * the place of those at and above `to`: when what is returned is fulfilled, which may be tried again. Null when it is low
   * enough.
   */
  lowerRecoveryPoint(partition: TopicPartition, to: number): (() => Promise<void>) | null
  /** The disk has failed: the next start must not believe the page cache. */
  distrust(): void
  /** The store has changed since the last checkpoint. */
  touched(partition: TopicPartition): void
}
