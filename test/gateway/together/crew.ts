import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Door, Event } from './history.ts'

/** The same clock as the workers'. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

export interface CrewOptions {
  readonly address: string
  readonly topic: string
  readonly group: string
  readonly leaseMs: number
}

interface Hand {
  readonly name: string
  readonly door: Door
  readonly manner: string
  readonly child: ChildProcess
  readonly ended: Promise<unknown>
}

/** Workers of one group, each a process, and all that they tell. */
export class Crew {
  readonly events: Event[] = []
  /** What went wrong with a worker that nobody killed. */
  readonly troubles: string[] = []
  readonly #options: CrewOptions
  readonly #hands = new Set<Hand>()
  #count = 0
  #heard: (event: Event) => void = () => {}
  #stopping = false

  constructor(options: CrewOptions) {
    this.#options = options
  }

  hire(door: Door, manner = ''): void {
    const { address, topic, group, leaseMs } = this.#options
    const name = `${door}-${++this.#count}`
    const program = join(import.meta.dirname, 'worker.js')
    const child = spawn(process.execPath, [program, name, door, address, topic, group, String(leaseMs), manner], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      complaint += text
    })
    // All that it said before it died is still read.
    const said = once(
      createInterface({ input: child.stdout }).on('line', line => this.#hear(JSON.parse(line))),
      'close',
    )
    const ended = Promise.all([once(child, 'exit'), said])
    const hand: Hand = { name, door, manner, child, ended }
    this.#hands.add(hand)
    child.once('exit', (code, signal) => {
      const fine = signal === 'SIGKILL' || (this.#stopping && code === 0)
      if (!fine) this.troubles.push(`${name} ended with ${code ?? signal}: ${complaint.slice(0, 1000)}`)
      this.#hands.delete(hand)
    })
  }

  /** Waits until an ordinary worker of that door has just got a record, kills it with that, and takes a new one. */
  async killOne(door: Door): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no worker over ${door} got a record for 40 s`)), 40_000)
      this.#heard = event => {
        if (event.event !== 'took' || event.door !== door) return
        const hand = [...this.#hands].find(each => each.name === event.worker)
        if (hand === undefined || hand.manner !== '') return
        this.#heard = () => {}
        clearTimeout(timer)
        this.events.push({ event: 'killed', worker: hand.name, at: now() })
        hand.child.kill('SIGKILL')
        resolve()
      }
    })
    this.hire(door)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#stopping = true
    const hands = [...this.#hands]
    for (const { child } of hands) child.kill(signal)
    await Promise.all(hands.map(({ ended }) => ended))
  }

  #hear(event: Event): void {
    this.events.push(event)
    this.#heard(event)
  }
}
