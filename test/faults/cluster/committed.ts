import { setTimeout as sleep } from 'node:timers/promises'
import type { Operation } from '../../checker/history.ts'
import type { Status } from '../../machines/status.ts'

/** Groups of our own, which commit all the time. */
const groups = 12

/**
 * Commits offsets that only grow, and asks for committed offsets again and again: whoever coordinates the groups, what was
 * acknowledged is there and does not go back.
 */
export class CommittedOffsets {
  readonly #status: Status
  /** Groups of the load, each named as its topic. */
  readonly #topics: readonly string[]
  readonly #seen: Operation[] = []
  #running: Promise<unknown> = Promise.resolve()
  #ended = false
  /** Commits that were acknowledged. */
  acknowledged = 0

  constructor(status: Status, topics: readonly string[]) {
    this.#status = status
    this.#topics = topics
  }

  watch(): void {
    const tag = Date.now() % 100_000
    const own = Array.from({ length: groups }, (_, i) => this.#commit(`offsets-${tag}-${i}`, this.#topics[0]!))
    this.#running = Promise.all([this.#look(), ...own])
  }

  /** Resolves with what was answered, for the checker. */
  async stop(): Promise<Operation[]> {
    this.#ended = true
    await this.#running
    return this.#seen
  }

  async #look(): Promise<void> {
    for (; !this.#ended; await sleep(500)) await Promise.all(this.#topics.map(group => this.#ask(group, group, false)))
  }

  async #commit(name: string, topic: string): Promise<void> {
    let group = `${name}-0`
    for (let offset = 1; !this.#ended; offset++) {
      const t0 = Date.now()
      // No answer is no news: the nodes are being treated badly.
      const done = await this.#status.commit(group, { topic, partition: 0, offset }).then(
        () => true,
        () => false,
      )
      if (done) {
        this.acknowledged += 1
        this.#note(group, `${topic}-0`, offset, t0)
        await this.#ask(group, topic, true)
      } else {
        // Nobody knows when a frozen node will do it, perhaps after the next one: the group is not asked any more.
        group = `${name}-${offset}`
      }
      await sleep(20)
    }
  }

  /** `sure`: something was acknowledged before, so that no offset is one that went back. */
  async #ask(group: string, topic: string, sure: boolean): Promise<void> {
    const t0 = Date.now()
    const offsets = await this.#status.committed(group).catch(() => null)
    for (const { topic, partition, offset } of offsets ?? []) this.#note(group, `${topic}-${partition}`, offset, t0)
    if (sure && offsets?.length === 0) this.#note(group, `${topic}-0`, -1, t0)
  }

  #note(group: string, key: string, offset: number, t0: number): void {
    this.#seen.push({ t0, t1: Date.now(), process: 'offsets', type: 'ok', f: 'committed', group, key, offset })
  }
}
