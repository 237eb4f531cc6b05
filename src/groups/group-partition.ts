import { Term, type TermContext } from '../machine/term.ts'
import { groupCodec } from './codec.ts'
import { type Answers, type GroupAnswer, type GroupCommand, Refused, type TopicId } from './commands.ts'
import type { GroupConfig } from './config.ts'
import type { GroupRecord } from './facts.ts'
import { GroupMachine } from './group-machine.ts'
import { refusal, settle } from './refusals.ts'
import type { Transition } from './state.ts'

export interface GroupPartitionOptions extends TermContext {
  readonly config: GroupConfig
  /** Hears of groups that change their state. */
  readonly watch: (transition: Transition) => void
}

/** A log shorter than this (records) is not worth writing down anew. */
const compactFrom = 20_000

/** One term of leading one partition of `__consumer_offsets`. */
export class GroupPartition extends Term<GroupCommand, GroupRecord, GroupAnswer, GroupMachine> {
  readonly #rebalances: () => number

  constructor(options: GroupPartitionOptions) {
    const { config } = options
    let rebalances = 0
    const watch = (transition: Transition): void => {
      if (transition.after.state === 'Stable') rebalances++
      options.watch(transition)
    }
    super(options, {
      codec: groupCodec,
      machine: () => new GroupMachine(config, watch),
      refuse: (why, _command, error) => new Refused(why, error ?? null),
      sizeOf: ({ state }) => state.groupCount + state.offsets.size + state.others.size,
      answerTimeoutMs: config.commitTimeoutMs,
      compactFrom,
      unreadable: 'a group partition cannot be read; its groups are not served',
    })
    this.#rebalances = () => rebalances
  }

  /** Never rejects: errors are answers. */
  async ask<Type extends keyof Answers>(command: Extract<GroupCommand, { type: Type }>): Promise<Answers[Type]> {
    if (!this.leading) {
      // The machine's shapes again, see `settle`.
      return refusal(command, this.loading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR') as Answers[Type]
    }
    const answer = await this.submit(command)
    this.compactWhenLong()
    return settle(command, answer)
  }

  /** False when it could not be written: whoever asked asks again. What is not led now looks for itself when it is. */
  async forget(topics: readonly string[] | null, idOf: TopicId): Promise<boolean> {
    if (!this.leading) return true
    for (;;) {
      const answer = await this.submit({ type: 'TopicsDeleted', topics, idOf })
      this.compactWhenLong()
      if (answer instanceof Refused) return false
      if ((answer as Answers['TopicsDeleted'])?.done !== false) return true
    }
  }

  get stats(): GroupPartitionStats {
    const { groupCount, offsets } = this.machine.state
    return { groups: groupCount, offsets: offsets.size, ...this.load, rebalances: this.#rebalances() }
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
