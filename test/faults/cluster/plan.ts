import type { Fault } from './scene.ts'

/** One fault of a run; times in ms. */
export interface Step {
  readonly fault: string
  /** Before it. */
  readonly calm: number
  /** How long it lasts. */
  readonly hold: number
}

/** Each kind once in an order by chance, then each kind again. */
export function planOf(faults: readonly Fault[], rounds: number, roll: (n: number) => number): Step[] {
  const steps: Step[] = []
  let left: Fault[] = []
  while (steps.length < rounds && faults.length > 0) {
    if (left.length === 0) left = [...faults]
    const [fault] = left.splice(roll(left.length), 1) as [Fault]
    const [least, most] = fault.lasts
    steps.push({ fault: fault.name, calm: 300 + roll(1200), hold: least + roll(most - least + 1) })
  }
  return steps
}
