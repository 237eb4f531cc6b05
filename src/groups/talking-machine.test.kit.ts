import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Host } from '../machine/host.ts'
import { MemoryLog } from '../machine/memory-log.ts'
import { dice, VirtualTime } from '../machine/testing.ts'
import { silent } from '../world/logger.ts'
import { type GroupAnswer, type GroupCommand, Refused } from './commands.ts'
import { defaultGroupConfig, type GroupConfig } from './config.ts'
import { Conversation, type Listener } from './conversation.test.kit.ts'
import type { GroupRecord } from './facts.ts'
import { GroupMachine } from './group-machine.ts'

/** A machine on a log that commits at once, in a time that is moved by hand. */
class TalkingMachine implements Listener {
  readonly #time = new VirtualTime()
  readonly #log = new MemoryLog<GroupRecord>({ autoCommit: true })
  readonly #host: Host<GroupCommand, GroupRecord, GroupAnswer>
  #config: GroupConfig = { ...defaultGroupConfig, initialRebalanceDelayMs: 0 }
  #reloading = false

  constructor(note: (records: readonly GroupRecord[]) => void) {
    this.#host = new Host<GroupCommand, GroupRecord, GroupAnswer>({
      log: this.#log,
      machine: () => new GroupMachine(this.#config),
      refuse: (why, _, error) => new Refused(why, error ?? null),
      clock: this.#time,
      timers: this.#time,
      random: dice(1),
      logger: silent,
      observer: { load: () => {}, commit: records => this.#reloading || note(records) },
    })
    this.#log.elect()
  }

  ask(_: string, command: GroupCommand, reply: (answer: GroupAnswer) => void): void {
    this.#host.ask(command, reply)
  }

  advance(ms: number): void {
    this.#time.advance(ms)
  }

  reload(settings: Readonly<Record<string, number>>): void {
    this.#config = { ...this.#config, ...settings }
    this.#reloading = true
    this.#log.depose()
    this.#reloading = false
    this.#log.elect()
  }
}

export function talk(script: string): string {
  const conversation: Conversation = new Conversation(new TalkingMachine(records => conversation.note(records)))
  return conversation.run(script)
}

/** A test of a whole conversation: the transcript must be the script. */
export function conversation(name: string, script: string): void {
  test(name, () => {
    const expected = script.replace(/^\n|\s*$/g, '')
    assert.equal(talk(expected), expected)
  })
}
