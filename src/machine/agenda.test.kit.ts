/** When something is to happen: `at`, and what was asked for first comes first. */
export interface Entry {
  readonly at: number
  readonly order: number
}

/** What is going to happen, in order: for whoever moves time by hand. A binary heap. */
export class Agenda<T extends Entry> {
  #heap: T[] = []

  get length(): number {
    return this.#heap.length
  }

  /** What comes next; stays. */
  get next(): T | undefined {
    return this.#heap[0]
  }

  push(entry: T): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const above = (at - 1) >>> 1
      if (!before(entry, heap[above] as T)) break
      heap[at] = heap[above] as T
      at = above
    }
    heap[at] = entry
  }

  /** What comes next; goes. */
  pop(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && before(heap[below + 1] as T, heap[below] as T)) below++
      if (!before(heap[below] as T, last)) break
      heap[at] = heap[below] as T
      at = below
    }
    heap[at] = last
    return first
  }

  /** Only these stay. */
  keep(wanted: (entry: T) => boolean): void {
    const kept = this.#heap.filter(wanted)
    this.#heap = []
    for (const entry of kept) this.push(entry)
  }
}

function before(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
