import { Host } from '../machine/host.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import { type Answers, type GroupAnswer, type GroupCommand, Refused } from './commands.ts'
import type { GroupConfig } from './config.ts'
import type { GroupRecord } from './facts.ts'
import { GroupMachine } from './group-machine.ts'
import { type LedPartition, PartitionLog } from './partition-log.ts'
import { refusal, settle } from './refusals.ts'
import type { Transition } from './state.ts'

export interface GroupPartitionOptions {
  readonly name: string
  readonly partition: LedPartition
  readonly config: GroupConfig
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Hears of groups that change their state. */
  readonly watch: (transition: Transition) => void
  /** The disk was full, which may pass: whoever gave us the partition may begin a new term. */
  readonly lost: () => void
}

/** A log shorter than this (records) is not worth writing down anew. */
const compactFrom = 20_000
/** How many times as long as what counts in it a log may grow. */
const compactRatio = 3

/** One term of leading one partition of `__consumer_offsets`: its log, its machine, and the host that runs it. */
export class GroupPartition {
  readonly #log: PartitionLog
  readonly #host: Host<GroupCommand, GroupRecord, GroupAnswer>
  readonly #logger: Logger
  readonly #name: string
  readonly #lost: () => void
  #failed = false
  #stopped = false
  #rebalances = 0
  /** Offset. */
  #compactNext = 0

  constructor(options: GroupPartitionOptions) {
    const { partition, name, timers, logger, clock, random, config } = options
    this.#name = name
    this.#logger = logger
    this.#lost = options.lost
    this.#log = new PartitionLog({ partition, name, clock, timers, logger, lost: error => this.#gaveUp(error) })
    const watch = (transition: Transition): void => {
      if (transition.after.state === 'Stable') this.#rebalances++
      options.watch(transition)
    }
    this.#host = new Host<GroupCommand, GroupRecord, GroupAnswer>({
      log: this.#log,
      machine: () => new GroupMachine(config, watch),
      refuse: (why, _command, error) => new Refused(why, error ?? null),
      clock,
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
      this.#logger.error('a group partition cannot be read; its groups are not served', { log: this.#name, error })
      this.#gaveUp(error)
      return
    }
    this.#compactWhenLong()
  }

  #gaveUp(error: unknown): void {
    if (error instanceof KafkaError && error.errorName === 'KAFKA_STORAGE_ERROR') this.#lost()
  }

  get loading(): boolean {
    return !this.#stopped && !this.#failed && !this.#host.leading
  }

  /** Never rejects: errors are answers. */
  async ask<Type extends keyof Answers>(command: Extract<GroupCommand, { type: Type }>): Promise<Answers[Type]> {
    if (!this.#host.leading) {
      // The machine's shapes again, see `settle`.
      return refusal(command, this.loading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR') as Answers[Type]
    }
    const answer = await this.#host.submit(command)
    this.#compactWhenLong()
    return settle(command, answer)
  }

  stop(): void {
    this.#stopped = true
    this.#log.stop()
    this.#host.stop()
  }

  get stats(): GroupPartitionStats {
    const { groupCount, offsets } = this.#machine.state
    const { parked, timers, waiting } = this.#host.load
    return { groups: groupCount, offsets: offsets.size, parked, timers, waiting, rebalances: this.#rebalances }
  }

  get #machine(): GroupMachine {
    return this.#host.machine as GroupMachine
  }

  #compactWhenLong(): void {
    const log = this.#log
    if (log.compacting || !this.#host.leading || log.length < compactFrom || log.end < this.#compactNext) return
    const { state } = this.#machine
    const worth = compactRatio * (state.groupCount + state.offsets.size + state.others.size)
    if (log.length < worth) return
    // Also when it fails, or an open transaction holds the head, it must pay before it is done again.
    this.#compactNext = log.end + Math.max(compactFrom, worth)
    log.compact(log.end, this.#machine.snapshot())
  }
}

export interface GroupPartitionStats {
  readonly groups: number
  readonly offsets: number
  /** Members that wait in JoinGroup or SyncGroup. */
  readonly parked: number
  readonly timers: number
  /** Answers that wait for a commit. */
  readonly waiting: number
  /** Completed since the lead was taken. */
  readonly rebalances: number
}
