/** A place in a list; who holds it can leave. */
export interface Place<Value> {
  value: Value | null
  previous: Place<Value> | null
  next: Place<Value> | null
}

/**
 * A list whose members come and go with every request. A Map or a Set in this place would be poison for the garbage
 * collector: one that lives long and is added to and deleted from all the time leaves dead tables behind, each of which
 * keeps the next one alive (measured: a third of the broker's CPU under small requests). A place that is left keeps nothing.
 */
export class Line<Value> {
  #first: Place<Value> | null = null
  #last: Place<Value> | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  add(value: Value): Place<Value> {
    const place: Place<Value> = { value, previous: this.#last, next: null }
    if (this.#last === null) this.#first = place
    else this.#last.next = place
    this.#last = place
    this.#size++
    return place
  }

  /** Leaving twice is fine. */
  leave(place: Place<Value>): void {
    if (place.value === null) return
    if (place.previous === null) this.#first = place.next
    else place.previous.next = place.next
    if (place.next === null) this.#last = place.previous
    else place.next.previous = place.previous
    place.value = place.previous = place.next = null
    this.#size--
  }

  clear(): void {
    for (let place = this.#first; place !== null; place = this.#first) this.leave(place)
  }

  /** `visit` may make this member leave, and no other. */
  each(visit: (value: Value, place: Place<Value>) => void): void {
    for (let place = this.#first; place !== null; ) {
      const { next } = place
      if (place.value !== null) visit(place.value, place)
      place = next
    }
  }
}
