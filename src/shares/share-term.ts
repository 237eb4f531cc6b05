import { coordinatorError, Term, type TermContext } from '../machine/term.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Clock } from '../world/world.ts'
import { type Answers, Refused, type ShareAnswer, type ShareCommand } from './commands.ts'
import type { ShareConfig } from './config.ts'
import type { ShareRecord } from './facts.ts'
import { shareCodec } from './records.ts'
import { ShareMachine } from './share-machine.ts'
import type { SharesState, Watch } from './state.ts'

export interface ShareTermOptions extends TermContext {
  readonly config: ShareConfig
  /** Hears of every change. */
  readonly watch: Watch
}

/** One term of leading one partition of `__share_group_state`. */
export class ShareTerm extends Term<ShareCommand, ShareRecord, ShareAnswer, ShareMachine> {
  constructor(options: ShareTermOptions) {
    const { config, watch, clock } = options
    super(options, {
      codec: shareCodec,
      machine: () => new ShareMachine(config, watch),
      refuse: (why, _command, error) => new Refused(coordinatorError(why, error ?? null)),
      clock: steady(clock),
      sizeOf: ({ state }) => state.size,
      compactFrom: config.compactFrom,
      unreadable: 'a partition of lease groups cannot be read; they are not served',
    })
  }

  get state(): SharesState {
    return this.machine.state
  }

  get waiting(): number {
    return this.load.waiting
  }

  /** Rejects with KafkaError when there is no answer. */
  async ask<Type extends keyof Answers>(command: Extract<ShareCommand, { type: Type }>): Promise<Answers[Type]> {
    if (!this.leading) throw new KafkaError(this.loading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR')
    const answer = await this.submit(command)
    this.compactWhenLong()
    if (answer instanceof Refused) throw new KafkaError(answer.error)
    // A machine answers a command in the command's own shape.
    return answer as Answers[Type]
  }
}

/** A wall clock that nobody sets: leases end after their time, not when the machine's clock is put right. */
function steady(clock: Clock): Clock {
  const difference = clock.now() - clock.mono()
  return { now: () => Math.round(difference + clock.mono()), mono: () => clock.mono() }
}
