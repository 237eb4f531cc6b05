import { Host } from '../machine/host.ts'
import { type LedPartition, PartitionLog } from '../machine/partition-log.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import { type Answers, Refused, type ShareAnswer, type ShareCommand } from './commands.ts'
import type { ShareConfig } from './config.ts'
import type { ShareRecord } from './facts.ts'
import { shareCodec } from './records.ts'
import { ShareMachine } from './share-machine.ts'
import type { SharesState, Watch } from './state.ts'

export interface ShareTermOptions {
  readonly name: string
  readonly partition: LedPartition
  readonly config: ShareConfig
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Hears of every change. */
  readonly watch: Watch
  /** The disk was full, which may pass: whoever gave us the partition may begin a new term. */
  readonly lost: () => void
}

/** How many times as long as what counts in it a log may grow. */
const compactRatio = 3

/** One term of leading one partition of `__share_group_state`: its log, its machine, and the host that runs it. */
export class ShareTerm {
  readonly #log: PartitionLog<ShareRecord>
  readonly #host: Host<ShareCommand, ShareRecord, ShareAnswer>
  readonly #logger: Logger
  readonly #name: string
  readonly #lost: () => void
  readonly #compactFrom: number
  #failed = false
  #stopped = false
  /** Offset. */
  #compactNext = 0

  constructor(options: ShareTermOptions) {
    const { partition, name, timers, logger, clock, random, config, watch } = options
    this.#name = name
    this.#logger = logger
    this.#lost = options.lost
    this.#compactFrom = config.compactFrom
    const lost = (error: unknown): void => this.#gaveUp(error)
    this.#log = new PartitionLog({ partition, codec: shareCodec, name, clock, timers, logger, lost })
    this.#host = new Host<ShareCommand, ShareRecord, ShareAnswer>({
      log: this.#log,
      machine: () => new ShareMachine(config, watch),
      refuse: (why, _command, error) => new Refused(errorOf(why, error)),
      clock: steady(clock),
      timers,
      random,
      logger,
    })
  }

  /** Reads the log, then serves. Never rejects: what cannot be read is logged, and the partition stays unavailable. */
  async start(epoch: number): Promise<void> {
    try {
      await this.#log.start(epoch)
    } catch (error) {
      if (this.#stopped) return
      this.#failed = true
      this.#logger.error('a partition of lease groups cannot be read; they are not served', { log: this.#name, error })
      this.#gaveUp(error)
      return
    }
    this.#compactWhenLong()
  }

  #gaveUp(error: unknown): void {
    if (error instanceof KafkaError && error.errorName === 'KAFKA_STORAGE_ERROR') this.#lost()
  }

  get leading(): boolean {
    return this.#host.leading
  }

  get loading(): boolean {
    return !this.#stopped && !this.#failed && !this.#host.leading
  }

  get state(): SharesState {
    return (this.#host.machine as ShareMachine).state
  }

  get waiting(): number {
    return this.#host.load.waiting
  }

  /** Rejects with KafkaError when there is no answer. */
  async ask<Type extends keyof Answers>(command: Extract<ShareCommand, { type: Type }>): Promise<Answers[Type]> {
    if (!this.#host.leading) throw new KafkaError(this.loading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR')
    const answer = await this.#host.submit(command)
    this.#compactWhenLong()
    if (answer instanceof Refused) throw new KafkaError(answer.error)
    // A machine answers a command in the command's own shape.
    return answer as Answers[Type]
  }

  stop(): void {
    this.#stopped = true
    this.#log.stop()
    this.#host.stop()
  }

  #compactWhenLong(): void {
    const log = this.#log
    if (log.compacting || !this.#host.leading || log.length < this.#compactFrom || log.end < this.#compactNext) return
    const worth = compactRatio * this.state.size
    if (log.length < worth) return
    // Also when it fails it must pay before it is done again.
    this.#compactNext = log.end + Math.max(this.#compactFrom, worth)
    log.compact(log.end, this.#host.machine.snapshot())
  }
}

/** A wall clock that nobody sets: leases end after their time, not when the machine's clock is put right. */
function steady(clock: Clock): Clock {
  const difference = clock.now() - clock.mono()
  return { now: () => Math.round(difference + clock.mono()), mono: () => clock.mono() }
}

function errorOf(why: 'notLeader' | 'overloaded' | 'failed', error: Error | undefined): ErrorName {
  if (why === 'notLeader') return 'NOT_COORDINATOR'
  if (why === 'overloaded') return 'COORDINATOR_NOT_AVAILABLE'
  if (!(error instanceof KafkaError)) return 'UNKNOWN_SERVER_ERROR'
  switch (error.errorName) {
    case 'NOT_ENOUGH_REPLICAS':
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'REQUEST_TIMED_OUT':
      return 'COORDINATOR_NOT_AVAILABLE'
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'KAFKA_STORAGE_ERROR':
      return 'NOT_COORDINATOR'
    default:
      return error.errorName
  }
}
