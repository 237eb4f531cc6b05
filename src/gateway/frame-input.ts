import type { Timers } from '../world/world.ts'

/** Frames of HTTP/2 begin with length, type, flags, stream (RFC 9113, 4.1), the first behind a preface (3.4). */
const headBytes = 9
const prefaceBytes = 24
/** Headers, resets and continuations: each may begin or end a call. */
const beginsOrEnds: ReadonlySet<number> = new Set([1, 3, 9])

/** What frames cost, in units of some µs; what all connections may cost in a turn of the event loop, and one while others wait. */
const callCost = 10
const frameCost = 1
const mostCost = 1000
const mostOfOne = 250

/** What all connections of a node take of one turn of its event loop. Who finds nothing left waits in line for the next one. */
export class FrameTurns {
  readonly #timers: Pick<Timers, 'soon'>
  #left = mostCost
  readonly #waiting: (() => void)[] = []
  #renewing = false

  constructor(timers: Pick<Timers, 'soon'>) {
    this.#timers = timers
  }

  /** What a connection may take now. */
  get share(): number {
    return this.#waiting.length === 0 ? this.#left : Math.min(this.#left, mostOfOne)
  }

  spend(cost: number): void {
    this.#left -= cost
    this.#renew()
  }

  wait(run: () => void): void {
    this.#waiting.push(run)
    this.#renew()
  }

  #renew(): void {
    if (this.#renewing) return
    this.#renewing = true
    this.#timers.soon(() => {
      this.#renewing = false
      this.#left = mostCost
      // Who comes back into the line stands behind those that wait now.
      for (let rest = this.#waiting.length; rest > 0 && this.#left > 0; rest--) this.#waiting.shift()!()
      if (this.#waiting.length > 0) this.#renew()
    })
  }
}

/** Where the bytes go. */
export interface FrameOutlet {
  /** False: no more until they are wanted again. */
  push(bytes: Buffer | null): boolean
  pause(): void
  resume(): void
}

/**
 * The bytes of a connection that speaks HTTP/2, cut where a frame ends when there are too many frames for one turn: some bytes
 * begin a call, so that what fits into one read can take longer than others may wait.
 */
export class FrameInput {
  readonly #turns: FrameTurns
  readonly #outlet: FrameOutlet
  #rest: Buffer[] = []
  #ended = false
  #wanted = false
  #waits = false
  #paused = false
  /** Of the present frame, bytes that have not come; and of its head, those that have. */
  #missing = prefaceBytes
  readonly #head = new Uint8Array(headBytes)
  #headLength = 0

  constructor(turns: FrameTurns, outlet: FrameOutlet) {
    this.#turns = turns
    this.#outlet = outlet
  }

  add(bytes: Buffer): void {
    this.#rest.push(bytes)
    this.#go()
  }

  end(): void {
    this.#ended = true
    this.#go()
  }

  /** The reader takes more. */
  want(): void {
    this.#wanted = true
    this.#go()
  }

  /** Nobody reads any more. */
  drop(): void {
    this.#rest = []
    this.#wanted = false
  }

  #go(): void {
    while (this.#wanted && !this.#waits && this.#rest.length > 0) {
      const chunk = this.#rest[0]!
      const cut = this.#affordable(chunk)
      if (cut === chunk.length) this.#rest.shift()
      else {
        this.#rest[0] = chunk.subarray(cut)
        this.#waits = true
        this.#turns.wait(() => {
          this.#waits = false
          this.#go()
        })
      }
      if (cut > 0 && !this.#outlet.push(cut === chunk.length ? chunk : chunk.subarray(0, cut))) this.#wanted = false
    }
    const full = this.#rest.length > 0 || !this.#wanted
    if (full !== this.#paused) {
      this.#paused = full
      if (full) this.#outlet.pause()
      else this.#outlet.resume()
    }
    if (full || !this.#ended) return
    this.#wanted = false
    this.#outlet.push(null)
  }

  /** How many of these bytes this turn has room for. */
  #affordable(chunk: Buffer): number {
    const { share } = this.#turns
    let cost = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const passed = Math.min(this.#missing, chunk.length - at)
        this.#missing -= passed
        at += passed
        continue
      }
      if (this.#headLength === 0 && cost >= share) break
      this.#head[this.#headLength++] = chunk[at++]!
      if (this.#headLength < headBytes) continue
      this.#headLength = 0
      const [high, middle, low, type] = this.#head as unknown as [number, number, number, number]
      this.#missing = (high << 16) | (middle << 8) | low
      cost += beginsOrEnds.has(type) ? callCost : frameCost
    }
    if (cost > 0) this.#turns.spend(cost)
    return at
  }
}
