import type { ClientWorld } from '../client/options.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Timer } from '../world/world.ts'

export interface RoomOptions {
  readonly world: Pick<ClientWorld, 'timers'>
  /** What may be taken at one time, in whatever it is counted. */
  readonly most: number
  /** Who may wait for room at one time. */
  readonly waiting: number
  /** ms that one waits at most. */
  readonly waitMs: number
  /** What those are told for whom there is none. */
  readonly full: string
}

interface Waiting {
  readonly amount: number
  readonly go: () => void
}

/**
 * So much of something at one time; what is larger than all of it goes alone. Who finds no room waits in line: for a while, and
 * as long as he wants it.
 */
export class Room {
  readonly #options: RoomOptions
  #taken = 0
  /** In the order in which they came: nobody goes before who waits. */
  readonly #line: Waiting[] = []

  constructor(options: RoomOptions) {
    this.#options = options
  }

  get taken(): number {
    return this.#taken
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length
  }

  /**
   * Takes so much, now or a little later; whoever gets it gives it back. Rejects with THROTTLING_QUOTA_EXCEEDED when there is no
   * room in time or too many wait, with NETWORK_EXCEPTION when the signal is aborted before. `signalOf` is asked when one waits.
   */
  async take(amount: number, signalOf: () => AbortSignal | null = () => null): Promise<Taken> {
    // Who need not wait costs no signal.
    if (this.#line.length > 0 || !this.#fits(amount)) await this.#wait(amount, signalOf())
    else this.#taken += amount
    return new Taken(amount, this.#change)
  }

  /** Nothing yet: see `Taken.is`. */
  begin(): Taken {
    return new Taken(0, this.#change)
  }

  #fits(amount: number): boolean {
    return this.#taken === 0 || this.#taken + amount <= this.#options.most
  }

  #wait(amount: number, signal: AbortSignal | null): Promise<void> {
    const { world, waiting, waitMs } = this.#options
    if (signal?.aborted) return Promise.reject(gone())
    if (this.#line.length >= waiting) return Promise.reject(this.#full())
    return new Promise((resolve, reject) => {
      let timer: Timer | null = null
      const end = (error: KafkaError | null) => {
        timer?.cancel()
        signal?.removeEventListener('abort', leave)
        this.#line.splice(this.#line.indexOf(entry), 1)
        if (error === null) resolve()
        else reject(error)
      }
      const leave = () => {
        end(gone())
        this.#next()
      }
      const entry = {
        amount,
        go: () => {
          this.#taken += amount
          end(null)
        },
      }
      this.#line.push(entry)
      signal?.addEventListener('abort', leave, { once: true })
      timer = world.timers.after(waitMs, () => {
        end(this.#full())
        this.#next()
      })
    })
  }

  readonly #change = (from: number, to: number): void => {
    const isAlone = this.#taken === from
    if (to > from && !isAlone && !this.#fits(to - from)) throw this.#full()
    this.#taken += to - from
    if (to < from) this.#next()
  }

  #next(): void {
    for (let [first] = this.#line; first !== undefined && this.#fits(first.amount); [first] = this.#line) first.go()
  }

  #full(): KafkaError {
    return new KafkaError('THROTTLING_QUOTA_EXCEEDED', this.#options.full)
  }
}

/** What somebody has of a room. */
export class Taken {
  readonly #change: (from: number, to: number) => void
  #amount: number

  constructor(amount: number, change: (from: number, to: number) => void) {
    this.#amount = amount
    this.#change = change
  }

  get amount(): number {
    return this.#amount
  }

  /** It is so much, as turned out. Throws THROTTLING_QUOTA_EXCEEDED when it is more than was taken, and too much. */
  is(amount: number): void {
    this.#change(this.#amount, amount)
    this.#amount = amount
  }

  /** Gives it back. */
  give(): void {
    this.is(0)
  }
}

const gone = () => new KafkaError('NETWORK_EXCEPTION', 'nobody waits for it any more')
