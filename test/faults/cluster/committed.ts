import { setTimeout as sleep } from 'node:timers/promises'
import type { Operation } from '../../checker/history.ts'
import type { Status } from '../../machines/status.ts'

/** Asks for the committed offsets of groups again and again: whoever coordinates them, they must not go back. */
export class CommittedOffsets {
  readonly #status: Status
  readonly #groups: readonly string[]
  readonly #seen: Operation[] = []
  #running: Promise<void> = Promise.resolve()
  #ended = false

  constructor(status: Status, groups: readonly string[]) {
    this.#status = status
    this.#groups = groups
  }

  watch(): void {
    this.#running = this.#loop()
  }

  /** Resolves with what was answered, for the checker. */
  async stop(): Promise<Operation[]> {
    this.#ended = true
    await this.#running
    return this.#seen
  }

  async #loop(): Promise<void> {
    for (; !this.#ended; await sleep(500)) await Promise.all(this.#groups.map(group => this.#ask(group)))
  }

  async #ask(group: string): Promise<void> {
    const t0 = Date.now()
    // No answer is no news: the nodes are being treated badly.
    const offsets = await this.#status.committed(group).catch(() => [])
    const t1 = Date.now()
    for (const { topic, partition, offset } of offsets) {
      const key = `${topic}-${partition}`
      this.#seen.push({ t0, t1, process: 'offsets', type: 'ok', f: 'committed', group, key, offset })
    }
  }
}
