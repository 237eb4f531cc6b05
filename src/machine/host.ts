import { KafkaError } from '../protocol/errors.ts'
import type { Timer } from '../world/world.ts'
import { Deadlines } from './deadlines.ts'
import { Growth } from './growth.ts'
import { type Answered, HeldAnswers } from './held-answers.ts'
import type { HostOptions, Refusal } from './host-options.ts'
import { type Decision, type Effect, type Machine, type Moment, NotLeader, type OrderedLog } from './machine.ts'

/** When a timer's command is tried again whose records the log refused (a full disk): nobody else would. */
const retryTimerMs = 1000

type Reply<Answer> = (answer: Answer) => void

interface Asker<Command, Answer> {
  readonly command: Command
  readonly reply: Reply<Answer>
}

/**
 * Runs one machine on one ordered log: commands one after another; their records appended and applied at once; answers
 * when committed, in the order of the decisions (one without records waits for all before it, since it may have seen
 * them: that makes reads linearizable), or refused after a while. When the lead is lost, everybody who waits is refused, the machine is forgotten
 * and the log replayed: there is no undo.
 */
export class Host<Command, Record, Answer> {
  readonly #options: HostOptions<Command, Record, Answer>
  readonly #log: OrderedLog<Record>
  readonly #maxWaiting: number
  readonly #maxParked: number
  readonly #deadlines: Deadlines<Command>
  readonly #parked = new Map<string, Asker<Command, Answer>>()
  #machine: Machine<Command, Record, Answer>
  #epoch: number | null = null
  /** Offset after the last record we appended or were given. */
  #end = 0
  readonly #held: HeldAnswers<Asker<Command, Answer>, Answer>
  #heldTimer: Timer | null = null
  readonly #growth: Growth<Record>
  #stopped = false
  #snapshot: { readonly upTo: number; readonly records: readonly Record[] } | null = null

  constructor(options: HostOptions<Command, Record, Answer>) {
    this.#options = options
    this.#log = options.log
    this.#maxWaiting = options.maxWaiting ?? 100_000
    this.#maxParked = options.maxParked ?? 100_000
    this.#machine = options.machine()
    this.#held = new HeldAnswers((to, answer) => this.#reply(to, answer))
    this.#growth = new Growth(options.compaction)
    this.#deadlines = new Deadlines(options.clock, options.timers, (command, key) => this.#expire(command, key))
    options.log.follow({
      load: (snapshot, upTo) => this.#load(snapshot, upTo),
      commit: (records, upTo, timestamp) => this.#commit(records, upTo, timestamp),
      lead: epoch => (epoch === null ? this.#loseLead() : this.#takeLead(epoch)),
    })
  }

  get leading(): boolean {
    return this.#epoch !== null
  }

  /** Null while we do not lead. */
  get epoch(): number | null {
    return this.#epoch
  }

  /** Everything below is committed. */
  get committed(): number {
    return this.#held.committed
  }

  /** The machine as it is now, with facts that are not committed yet. Never write to it. */
  get machine(): Machine<Command, Record, Answer> {
    return this.#machine
  }

  /** For metrics: askers that wait for a commit, askers that are parked, timers. */
  get load(): { readonly waiting: number; readonly parked: number; readonly timers: number } {
    return { waiting: this.#held.size, parked: this.#parked.size, timers: this.#deadlines.size }
  }

  /** `reply` is called exactly once, possibly before `ask` returns. */
  ask(command: Command, reply: Reply<Answer>): void {
    const asker = { command, reply }
    if (this.#epoch === null) this.#refuse(asker, 'notLeader')
    else if (this.#held.size >= this.#maxWaiting) this.#refuse(asker, 'overloaded')
    else this.#decide(command, asker)
  }

  /** As `ask`; never rejects: refusals are answers, too. */
  submit(command: Command): Promise<Answer> {
    return new Promise(resolve => this.ask(command, resolve))
  }

  /** Refuses everybody who waits and all who come. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#loseLead()
  }

  /** Asks the log to replace what it holds by a snapshot of the machine: for logs that know better when it is time. */
  compact(): void {
    this.#log.compact(this.#end, this.#machine.snapshot())
  }

  #expire(command: Command, key: string): void {
    if (this.#decide(command, null) === 'appendFailed') this.#deadlines.set(key, retryTimerMs, command)
  }

  #decide(command: Command, asker: Asker<Command, Answer> | null): 'done' | 'notDecided' | 'appendFailed' {
    const at = this.#moment()
    let decision: Decision<Command, Record, Answer>
    try {
      decision = this.#machine.decide(command, at)
    } catch (error) {
      this.#options.logger.error('a command could not be decided', { command, error })
      if (asker !== null) this.#refuse(asker, 'failed', asError(error))
      return 'notDecided'
    }
    try {
      this.#append(decision.records, at)
    } catch (error) {
      const why = error instanceof NotLeader ? 'notLeader' : 'failed'
      if (asker !== null) this.#refuse(asker, why, asError(error))
      return why === 'failed' ? 'appendFailed' : 'notDecided'
    }
    // Not caught: a record that was appended and cannot be applied leaves nothing to go on with.
    this.#applyOwn(decision, at)
    this.#carryOut(decision.effects, asker)
    this.#release()
    return 'done'
  }

  #moment(): Moment {
    return { ms: this.#options.clock.now(), random: this.#options.random }
  }

  #append(records: readonly Record[], at: Moment): void {
    if (records.length === 0) return
    if (this.#epoch === null) throw new NotLeader()
    this.#end = this.#log.append(this.#epoch, records, at.ms)
  }

  #applyOwn({ records, soft }: Decision<Command, Record, Answer>, at: Moment): void {
    if (records.length > 0) {
      this.#applyAll(records, at.ms, this.#end - records.length)
      this.#snapshotWhenDue()
    }
    for (const fact of soft ?? []) this.#machine.apply(fact, at.ms, this.#end)
  }

  #applyAll(records: readonly Record[], timestamp: number, baseOffset: number): void {
    let offset = baseOffset
    for (const record of records) this.#machine.apply(record, timestamp, offset++)
    this.#growth.add(records)
  }

  #carryOut(effects: readonly Effect<Command, Answer>[], asker: Asker<Command, Answer> | null): void {
    const answers: Answered<Asker<Command, Answer>, Answer>[] = []
    const atOnce: Answered<Asker<Command, Answer>, Answer>[] = []
    let present = asker
    for (const effect of effects) {
      switch (effect.do) {
        case 'answer': {
          const to = effect.to === undefined ? present : this.#unpark(effect.to)
          if (effect.to === undefined) present = null
          if (to) (effect.now === true ? atOnce : answers).push({ to, answer: effect.answer })
          break
        }
        case 'park':
          if (present === null) break
          this.#park(effect.key, present, answers)
          present = null
          break
        case 'timer':
          this.#deadlines.set(effect.key, effect.afterMs, effect.then)
          break
        case 'cancel':
          this.#deadlines.cancel(effect.key)
          break
      }
    }
    if (present !== null) {
      const error = new Error('a decision neither answers nor parks its asker')
      this.#options.logger.error(error.message, { command: present.command })
      answers.push({ to: present, answer: this.#options.refuse('failed', present.command, error) })
    }
    if (answers.length > 0) this.#held.hold(this.#end, answers, this.#since())
    for (const { to, answer } of atOnce) this.#reply(to, answer)
  }

  /** Nobody looks at a clock for answers that wait for nothing. */
  #since(): number {
    const { answerTimeoutMs, clock } = this.#options
    return answerTimeoutMs === undefined || this.#held.committed >= this.#end ? 0 : clock.mono()
  }

  #release(): void {
    this.#held.release()
    const { answerTimeoutMs, clock, timers } = this.#options
    const { since } = this.#held
    if (answerTimeoutMs === undefined || since === null || this.#heldTimer !== null) return
    this.#heldTimer = timers.after(Math.max(1, since + answerTimeoutMs - clock.mono()), () => {
      this.#heldTimer = null
      const error = new KafkaError('REQUEST_TIMED_OUT', 'what the answer rests upon is not committed')
      for (const asker of this.#held.expire(clock.mono() - answerTimeoutMs)) this.#refuse(asker, 'failed', error)
      this.#release()
    })
  }

  #unpark(key: string): Asker<Command, Answer> | undefined {
    const asker = this.#parked.get(key)
    this.#parked.delete(key)
    return asker
  }

  #park(key: string, asker: Asker<Command, Answer>, answers: Answered<Asker<Command, Answer>, Answer>[]): void {
    const { logger, refuse } = this.#options
    const former = this.#unpark(key)
    if (former !== undefined) {
      const error = new Error('somebody is parked under this key already')
      logger.error(error.message, { key, command: former.command })
      answers.push({ to: former, answer: refuse('failed', former.command, error) })
    }
    if (this.#parked.size < this.#maxParked) this.#parked.set(key, asker)
    else answers.push({ to: asker, answer: refuse('overloaded', asker.command) })
  }

  #refuse(asker: Asker<Command, Answer>, why: Refusal, error?: Error): void {
    this.#reply(asker, this.#options.refuse(why, asker.command, error))
  }

  #reply(to: Asker<Command, Answer>, answer: Answer): void {
    try {
      to.reply(answer)
    } catch (error) {
      this.#options.logger.error('an answer could not be delivered', { command: to.command, error })
    }
  }

  #load(snapshot: Iterable<Record>, upTo: number): void {
    if (this.#stopped) return
    if (this.#epoch !== null) this.#loseLead()
    const records = Array.isArray(snapshot) ? (snapshot as readonly Record[]) : [...snapshot]
    this.#machine = this.#options.machine()
    const lastOffset = upTo - 1
    for (const record of records) this.#machine.apply(record, 0, lastOffset)
    this.#growth.written(records)
    this.#end = upTo
    this.#held.committed = upTo
    this.#options.observer?.load(records, upTo)
  }

  #commit(records: readonly Record[], upTo: number, timestamp: number): void {
    if (this.#stopped) return
    if (this.#epoch === null) {
      this.#applyAll(records, timestamp, upTo - records.length)
      this.#end = upTo
    }
    this.#held.committed = upTo
    if (this.#epoch === null && this.#options.compaction?.whileFollowing) this.#snapshotWhenDue()
    this.#options.observer?.commit(records, upTo, timestamp)
    this.#held.release()
    this.#handOverSnapshot()
  }

  #takeLead(epoch: number): void {
    if (this.#stopped) return
    this.#epoch = epoch
    const at = this.#moment()
    const decision = this.#machine.lead(at)
    try {
      this.#append(decision.records, at)
    } catch (error) {
      if (!(error instanceof NotLeader)) throw error
      return
    }
    this.#applyOwn(decision, at)
    this.#carryOut(decision.effects, null)
    this.#release()
    this.#snapshotWhenDue()
    this.#options.onLead?.(epoch)
  }

  #loseLead(): void {
    const led = this.#epoch !== null
    this.#epoch = null
    this.#deadlines.clear()
    this.#heldTimer?.cancel()
    this.#heldTimer = null
    this.#snapshot = null
    const asking = [...this.#held.drop(), ...this.#parked.values()]
    this.#parked.clear()
    this.#machine = this.#options.machine()
    for (const asker of asking) this.#refuse(asker, 'notLeader')
    if (led) this.#options.onLead?.(null)
  }

  /**
   * The machine is written down at the moment when the threshold is passed, because it never stands still under load;
   * the log gets the snapshot when all that it saw is committed.
   */
  #snapshotWhenDue(): void {
    if (this.#snapshot !== null || !this.#growth.due) return
    const records = [...this.#machine.snapshot()]
    this.#growth.written(records)
    this.#snapshot = { upTo: this.#end, records }
    this.#handOverSnapshot()
  }

  #handOverSnapshot(): void {
    const snapshot = this.#snapshot
    if (snapshot === null || snapshot.upTo > this.#held.committed) return
    this.#snapshot = null
    this.#log.compact(snapshot.upTo, snapshot.records)
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
