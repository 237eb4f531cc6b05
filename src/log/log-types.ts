import type { LogCounters } from './counters.ts'
import type { ProducerLimits } from './producers.ts'
import type { RetentionReason } from './retention.ts'

/** Told synchronously, never from inside of a call to the log. */
export interface LogObserver {
  /** `writtenOffset`, `durableOffset` or `flushedOffset` have moved. */
  progress(): void
  /** Records from `from` on are gone again, because the disk was full. */
  dropped(from: number, error: Error): void
  /** Stable storage can no longer be promised: the node must stop. */
  failed(error: Error): void
}

export interface ProducerDescription {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  readonly currentTxnStartOffset: number
}

export interface RetentionResult {
  readonly segments: number
  readonly bytes: number
  readonly logStartOffset: number
  readonly reason: RetentionReason | null
}

/** What was known of a log before it was opened. */
export interface LogOpening {
  /** True when the last user closed the log in order. Without it the log's tail is compared with what is kept about it. */
  readonly clean?: boolean
  /** From Kafka's `log-start-offset-checkpoint`. */
  readonly logStartOffset?: number
  /** Told each time the log's start moves, to be checkpointed. */
  readonly startMoved?: (logStartOffset: number) => void
  readonly producerLimits?: ProducerLimits
  readonly counters?: LogCounters
}
