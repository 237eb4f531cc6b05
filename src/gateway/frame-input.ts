import type { Timers } from '../world/world.ts'
import { Turns } from './turns.ts'

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

/** What all connections of a node share. */
export const frameTurns = (timers: Pick<Timers, 'soon'>): Turns => new Turns(timers, mostCost, mostOfOne)

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
  readonly #turns: Turns
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

  constructor(turns: Turns, outlet: FrameOutlet) {
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
      const head = this.#head
      this.#missing = (head[0]! << 16) | (head[1]! << 8) | head[2]!
      cost += beginsOrEnds.has(head[3]!) ? callCost : frameCost
    }
    if (cost > 0) this.#turns.spend(cost)
    return at
  }
}
