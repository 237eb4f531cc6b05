import type { Timers } from '../world/world.ts'

/**
 * So much of one turn of the event loop for work of a kind whose amount clients choose: what is above waits in line for the next
 * turns, and everybody else has his in between. What the costs are measured in is its owner's business.
 */
export class Turns {
  readonly #timers: Pick<Timers, 'soon'>
  readonly #most: number
  readonly #mostOfOne: number
  #left: number
  readonly #waiting: (() => void)[] = []
  #renewing = false

  /** `mostOfOne`: what one may take while others wait. */
  constructor(timers: Pick<Timers, 'soon'>, most: number, mostOfOne = most) {
    this.#timers = timers
    this.#most = most
    this.#mostOfOne = mostOfOne
    this.#left = most
  }

  /** What may be taken now; not above zero: nothing. */
  get share(): number {
    return this.#waiting.length === 0 ? this.#left : Math.min(this.#left, this.#mostOfOne)
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Also more than is left: what cannot be cut is done in one turn, and others wait. */
  spend(cost: number): void {
    this.#left -= cost
    this.#renew()
  }

  /** Called in one of the next turns, when something is left of it. */
  wait(run: () => void): void {
    this.#waiting.push(run)
    this.#renew()
  }

  /** Does it now or in a later turn, when something is left and nobody waits for longer; it spends what it takes. */
  run<T>(work: () => T): Promise<T> {
    if (this.#waiting.length === 0 && this.#left > 0) return new Promise(resolve => resolve(work()))
    return new Promise((resolve, reject) =>
      this.wait(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      }),
    )
  }

  /** Takes so much, now or later. Null: now. */
  take(cost: number): Promise<void> | null {
    if (this.#waiting.length === 0 && this.#left > 0) {
      this.spend(cost)
      return null
    }
    return new Promise(resolve =>
      this.wait(() => {
        this.spend(cost)
        resolve()
      }),
    )
  }

  #renew(): void {
    if (this.#renewing) return
    this.#renewing = true
    this.#timers.soon(() => {
      this.#renewing = false
      this.#left = this.#most
      // Who comes back into the line stands behind those that wait now.
      for (let rest = this.#waiting.length; rest > 0 && this.#left > 0; rest--) this.#waiting.shift()!()
      if (this.#waiting.length > 0) this.#renew()
    })
  }
}
