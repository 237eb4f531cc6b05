import assert from 'node:assert/strict'
import { silent } from '../world/logger.ts'
import type { Random } from '../world/world.ts'
import { Host } from './host.ts'
import type { HostOptions } from './host-options.ts'
import type { Machine } from './machine.ts'
import { MemoryLog } from './memory-log.ts'
import { dice, VirtualTime } from './testing.ts'

/** Commits and loses whole batches, as logs do. */
class PatientLog<Record> extends MemoryLog<Record> {
  readonly #written: (record: Record) => Record
  #ends: number[] = []

  constructor(written: (record: Record) => Record) {
    super({ autoCommit: false })
    this.#written = written
  }

  override append(epoch: number, records: readonly Record[], timestamp: number): number {
    const end = super.append(epoch, records.map(this.#written), timestamp)
    this.#ends.push(end)
    return end
  }

  /** The end of some batch that is not committed yet; or of what is. */
  someEnd(random: Random): number {
    this.#ends = this.#ends.filter(end => end > this.committed && end <= this.end)
    return [this.committed, ...this.#ends][random.int(this.#ends.length + 1)]!
  }
}

/**
 * A machine whose log commits and forgets when dice say so, in a time that is moved by hand. Nobody may be answered twice,
 * and no error may be logged.
 */
export class Trial<Command, Record, Answer, Kind extends Machine<Command, Record, Answer>> {
  readonly time = new VirtualTime()
  readonly random: Random
  readonly log: PatientLog<Record>
  readonly host: Host<Command, Record, Answer>
  /** How wrong its clock is, ms. */
  skew = 0
  asked = 0
  unanswered = 0

  /** `written`: what is read of a record from the log. */
  constructor(
    seed: number,
    machine: () => Kind,
    refuse: HostOptions<Command, Record, Answer>['refuse'],
    written = (record: Record): Record => record,
  ) {
    this.random = dice(seed)
    this.log = new PatientLog(written)
    this.host = new Host<Command, Record, Answer>({
      log: this.log,
      machine,
      refuse,
      clock: { now: () => this.time.now() + this.skew, mono: () => this.time.mono() },
      timers: this.time,
      random: this.random,
      logger: { ...silent, error: (message, fields) => assert.fail(`${message}: ${fields?.error}`) },
    })
    this.log.elect()
  }

  get machine(): Kind {
    return this.host.machine as Kind
  }

  submit(command: Command, then: (answer: Answer) => void): void {
    let answered = false
    this.asked++
    this.unanswered++
    this.host.ask(command, answer => {
      assert.equal(answered, false, 'answered twice')
      answered = true
      this.unanswered--
      then(answer)
    })
  }
}
