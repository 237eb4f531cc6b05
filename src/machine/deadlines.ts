import type { Clock, Timer, Timers } from '../world/world.ts'

/** Deadlines that fall into one slot share one wake-up. */
const slotMs = 10
/** The longest sleep while anything waits: how soon a stop of the whole process is noticed. */
const longestSleepMs = 1000
/** A wake-up that is later than this means that we were stopped, not that others were silent. */
const stoppedMs = 500
/** What everybody gets on top after a stop, so that what lies in the sockets is read first. */
const graceMs = 200

interface Entry<Value> {
  readonly key: string
  value: Value
  /** ms on our own timeline. */
  due: number
  slot: number
}

/**
 * Thousands of keyed deadlines behind one timer. Pushing a deadline further away, which a heartbeat does, is one map
 * look-up: the entry stays in its slot and moves on when the slot comes up. Time in which the process stood still does
 * not count: nobody could have been heard.
 */
export class Deadlines<Value> {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #expire: (value: Value, key: string) => void
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #slots = new Map<number, Set<Entry<Value>>>()
  readonly #order = new MinHeap()
  #stoodStillMs = 0
  #timer: Timer | null = null
  #wakeAt = Number.POSITIVE_INFINITY
  #generation = 0

  constructor(clock: Clock, timers: Timers, expire: (value: Value, key: string) => void) {
    this.#clock = clock
    this.#timers = timers
    this.#expire = expire
  }

  get size(): number {
    return this.#entries.size
  }

  /** Calls `expire(value)` in `afterMs`, never earlier; replaces the deadline of the same key. */
  set(key: string, afterMs: number, value: Value): void {
    const due = this.#now() + Math.max(0, afterMs)
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      const made = { key, value, due, slot: slotOf(due) }
      this.#entries.set(key, made)
      this.#file(made)
    } else {
      entry.value = value
      entry.due = due
      if (slotOf(due) < entry.slot) {
        this.#slots.get(entry.slot)?.delete(entry)
        this.#refile(entry)
      }
    }
    this.#arm()
  }

  cancel(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#slots.get(entry.slot)?.delete(entry)
  }

  clear(): void {
    this.#entries.clear()
    this.#slots.clear()
    this.#order.clear()
    this.#generation++
    this.#sleepNoMore()
  }

  #now(): number {
    return this.#clock.mono() - this.#stoodStillMs
  }

  #file(entry: Entry<Value>): void {
    const slot = this.#slots.get(entry.slot)
    if (slot !== undefined) {
      slot.add(entry)
      return
    }
    this.#slots.set(entry.slot, new Set([entry]))
    this.#order.push(entry.slot)
  }

  #refile(entry: Entry<Value>): void {
    entry.slot = slotOf(entry.due)
    this.#file(entry)
  }

  #arm(): void {
    const first = this.#order.peek()
    if (first === undefined) return
    const now = this.#now()
    const wakeAt = Math.min(first * slotMs, now + longestSleepMs)
    if (this.#timer !== null && this.#wakeAt <= wakeAt) return
    this.#timer?.cancel()
    this.#wakeAt = wakeAt
    this.#timer = this.#timers.after(Math.max(0, wakeAt - now), () => this.#wake())
  }

  #wake(): void {
    const late = this.#now() - this.#wakeAt
    if (late > stoppedMs) this.#stoodStillMs += late + graceMs
    this.#sleepNoMore()
    const generation = this.#generation
    // What has already arrived (a heartbeat, most likely) is handled before anything expires.
    this.#timers.soon(() => {
      if (generation !== this.#generation) return
      this.#expireDue(generation)
      if (generation === this.#generation) this.#arm()
    })
  }

  /** Those that are due now; what an expiry sets, even for at once, comes with the next wake-up. */
  #expireDue(generation: number): void {
    const now = this.#now()
    for (const entry of this.#takeDue(now)) {
      if (this.#entries.get(entry.key) !== entry) continue
      if (entry.due > now) {
        this.#refile(entry)
        continue
      }
      this.#entries.delete(entry.key)
      this.#expire(entry.value, entry.key)
      if (generation !== this.#generation) return
    }
  }

  #takeDue(now: number): Entry<Value>[] {
    const due: Entry<Value>[] = []
    for (let slot = this.#order.peek(); slot !== undefined && slot * slotMs <= now; slot = this.#order.peek()) {
      this.#order.pop()
      const entries = this.#slots.get(slot)
      this.#slots.delete(slot)
      for (const entry of entries ?? []) {
        if (entry.due <= now) due.push(entry)
        else this.#refile(entry)
      }
    }
    return due
  }

  #sleepNoMore(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#wakeAt = Number.POSITIVE_INFINITY
  }
}

/** The slot at whose time `due` has passed. */
function slotOf(due: number): number {
  return Math.ceil(due / slotMs)
}

/** The smallest of some numbers, each held once. */
class MinHeap {
  readonly #items: number[] = []

  peek(): number | undefined {
    return this.#items[0]
  }

  clear(): void {
    this.#items.length = 0
  }

  push(item: number): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! <= item) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): number | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (top === undefined || last === undefined || items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++
      if (items[child]! >= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return top
  }
}
