/** Where the labels of a metric end: what is beyond shares one name. */
export const other = 'other'

export interface LabelLimits {
  readonly topics: number
  readonly groups: number
  /** Partitions of all topics that have labels of their own. */
  readonly partitions: number
}

/**
 * Which names have labels of their own: the first `most`, as long as what they weigh (their partitions) does not exceed
 * `mostWeight` in all. In the order in which they are given, which should be an order that stays: then so do the series.
 * A thing that is itself called `other` is always one of the others.
 */
export function labelled(
  names: Iterable<readonly [name: string, weight: number]>,
  most: number,
  mostWeight: number,
): Set<string> {
  const chosen = new Set<string>()
  let weight = 0
  for (const [name, each] of names) {
    if (chosen.size >= most) break
    if (name === other || weight + each > mostWeight) continue
    weight += each
    chosen.add(name)
  }
  return chosen
}

/** Sums by label: of those who have one, and of all others together. */
export class Sums {
  readonly #chosen: ReadonlySet<string>
  readonly #sums = new Map<string, number>()

  constructor(chosen: ReadonlySet<string>) {
    this.#chosen = chosen
  }

  add(name: string, value: number): void {
    const label = this.#chosen.has(name) ? name : other
    this.#sums.set(label, (this.#sums.get(label) ?? 0) + value)
  }

  entries(): Iterable<[string, number]> {
    return this.#sums.entries()
  }
}
