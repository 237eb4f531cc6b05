import { VirtualTime } from '../../machine/testing.ts'
import { nodeWorld } from '../../world/node.ts'
import { TestProcess } from './fenced/testing.ts'

/** What is done to the nodes of a `ClusterUnderTest`, for adapters whose nodes live in `TestProcess`es. */
export class TestProcesses {
  readonly #processes = new Map<number, TestProcess>()
  readonly #cut = new Set<number>()

  /** The next life of a node. */
  protected born(id: number): TestProcess {
    const process = new TestProcess()
    this.#processes.set(id, process)
    return process
  }

  kill(id: number): void {
    this.#processOf(id).dead = true
  }

  pause(id: number): void {
    this.#processOf(id).paused = true
  }

  resume(id: number): void {
    this.#processOf(id).resume()
  }

  cut(id: number): void {
    this.#cut.add(id)
  }

  heal(id: number): void {
    this.#cut.delete(id)
  }

  isCut(id: number): boolean {
    return this.#cut.has(id)
  }

  async close(): Promise<void> {
    for (const process of this.#processes.values()) process.dead = true
  }

  #processOf(id: number): TestProcess {
    const process = this.#processes.get(id)
    if (process === undefined) throw new Error(`node ${id} never lived`)
    return process
  }
}

/** The same in a time that a test moves. */
export class VirtualProcesses extends TestProcesses {
  readonly time = new VirtualTime()

  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.time.advance(1)
      await new Promise<void>(resolve => nodeWorld.timers.soon(resolve))
    }
  }
}
