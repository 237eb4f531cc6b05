import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** What the console's page about the group showed. Sums over its partitions. */
export interface Shown {
  /** Of all records before which everything is done. */
  readonly done: number
  readonly notDone: number
  readonly withWorkers: number
}

/** A browser that looks at the page of a group all the time; see `test/console/watch.js`. */
export class Screen {
  /** Each time that something changed. */
  readonly shown: Shown[] = []
  readonly complaints: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(program: string, address: string, group: string) {
    this.#child = spawn(process.execPath, [program, `http://${address}`, group], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.#child.stdout! }).on('line', line => {
      const { complaint, ...shown } = JSON.parse(line) as Shown & { complaint?: string }
      if (complaint === undefined) this.shown.push(shown)
      else this.complaints.push(complaint)
    })
    this.#ended = Promise.all([once(this.#child, 'exit'), once(lines, 'close')])
  }

  get last(): Shown | undefined {
    return this.shown.at(-1)
  }

  async close(): Promise<void> {
    this.#child.stdin!.end()
    await this.#ended
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
