import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import { Host } from './host.ts'
import type { HostOptions, Refusal } from './host-options.ts'
import type { Machine } from './machine.ts'
import { type LedPartition, PartitionLog, type RecordCodec } from './partition-log.ts'

/** Where a term is, and what it has to go on. */
export interface TermContext {
  /** For log lines: `__consumer_offsets-7`. */
  readonly name: string
  readonly partition: LedPartition
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Terms in a row that could not read the log before this one. */
  readonly failures: number
  /**
   * It is over though the partition is led: the disk was full, or the log could not be read, which may pass. Whoever gave us
   * the partition may begin a new term, with so many failures, after so many ms.
   */
  readonly lost: (failures: number, afterMs: number) => void
}

/** What it runs. */
export interface TermContent<Command, Record, Answer, Kind> {
  readonly codec: RecordCodec<Record>
  /** One that remembers nothing. */
  readonly machine: () => Kind
  readonly refuse: HostOptions<Command, Record, Answer>['refuse']
  /** What the machine takes for the time. Default: the clock of the context. */
  readonly clock?: Clock
  /** See `HostOptions`. */
  readonly answerTimeoutMs?: number
  /** Records that a snapshot of it has, about. */
  readonly sizeOf: (machine: Kind) => number
  /** A log shorter than this (records) is not worth writing down anew. */
  readonly compactFrom: number
  /** What is logged when the log cannot be read. */
  readonly unreadable: string
}

/** ms until it is tried again at first, and at most. */
const retryMs = 1_000
const retryMaxMs = 60_000
/** How many times as long as what counts in it a log may grow. */
const compactRatio = 3

/** One term of leading one partition of a coordinator's topic: its log, its machine, and the host that runs it. */
export class Term<Command, Record, Answer, Kind extends Machine<Command, Record, Answer>> {
  readonly #context: TermContext
  readonly #content: TermContent<Command, Record, Answer, Kind>
  readonly #log: PartitionLog<Record>
  readonly #host: Host<Command, Record, Answer>
  #failed = false
  #stopped = false
  /** Offset. */
  #compactNext = 0

  constructor(context: TermContext, content: TermContent<Command, Record, Answer, Kind>) {
    const { partition, name, clock, timers, random, logger } = context
    const { codec, machine, refuse, answerTimeoutMs } = content
    this.#context = context
    this.#content = content
    const lost = (error: unknown): void => this.#gaveUp(error)
    this.#log = new PartitionLog({ partition, codec, name, clock, timers, logger, lost })
    const environment = { clock: content.clock ?? clock, timers, random, logger }
    this.#host = new Host({ log: this.#log, machine, refuse, ...environment, answerTimeoutMs })
  }

  /** Reads the log, then serves. Never rejects: what cannot be read is logged, and tried again later. */
  async start(epoch: number): Promise<void> {
    try {
      await this.#log.start(epoch)
    } catch (error) {
      if (this.#stopped) return
      this.#failed = true
      this.#context.logger.error(this.#content.unreadable, { log: this.#context.name, error })
      const { failures, lost } = this.#context
      lost(failures + 1, Math.min(retryMaxMs, retryMs * 2 ** failures))
      return
    }
    this.compactWhenLong()
  }

  get leading(): boolean {
    return this.#host.leading
  }

  get loading(): boolean {
    return !this.#stopped && !this.#failed && !this.#host.leading
  }

  /** As it is now, with facts that are not committed yet. Never write to it. */
  get machine(): Kind {
    return this.#host.machine as Kind
  }

  /** For metrics, see `Host.load`. */
  get load(): Host<Command, Record, Answer>['load'] {
    return this.#host.load
  }

  /** See `Host.submit`. When it is answered the log may have become long. */
  submit(command: Command): Promise<Answer> {
    return this.#host.submit(command)
  }

  compactWhenLong(): void {
    const { compactFrom, sizeOf } = this.#content
    const log = this.#log
    if (log.compacting || !this.#host.leading || log.length < compactFrom || log.end < this.#compactNext) return
    const worth = compactRatio * sizeOf(this.machine)
    if (log.length < worth) return
    // Also when it fails, or an open transaction holds the head, it must pay before it is done again.
    this.#compactNext = log.end + Math.max(compactFrom, worth)
    log.compact(log.end, this.#host.machine.snapshot())
  }

  stop(): void {
    this.#stopped = true
    this.#log.stop()
    this.#host.stop()
  }

  #gaveUp(error: unknown): void {
    if (error instanceof KafkaError && error.errorName === 'KAFKA_STORAGE_ERROR') this.#context.lost(0, retryMs)
  }
}

/** What a client is told of a command that was refused: Kafka's own translation. */
export function coordinatorError(why: Refusal, error: Error | null): ErrorName {
  if (why === 'notLeader') return 'NOT_COORDINATOR'
  if (why === 'overloaded') return 'COORDINATOR_NOT_AVAILABLE'
  if (!(error instanceof KafkaError)) return 'UNKNOWN_SERVER_ERROR'
  switch (error.errorName) {
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'REQUEST_TIMED_OUT':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return 'NOT_COORDINATOR'
    default:
      return error.errorName
  }
}
