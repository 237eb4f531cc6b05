/** A binary heap of what is going to happen: by time, then by arrival. */

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export class Queue {
  readonly #events: Event[] = []
  #order = 0

  push(at: number, run: () => void): void {
    const events = this.#events
    let index = events.length
    const event = { at, order: this.#order++, run }
    events.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(event, events[parent]!)) break
      events[index] = events[parent]!
      index = parent
    }
    events[index] = event
  }

  pop(): Event | null {
    const events = this.#events
    const first = events[0]
    const last = events.pop()
    if (first === undefined || last === undefined) return null
    if (events.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= events.length) break
      if (child + 1 < events.length && before(events[child + 1]!, events[child]!)) child++
      if (!before(events[child]!, last)) break
      events[index] = events[child]!
      index = child
    }
    events[index] = last
    return first
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
