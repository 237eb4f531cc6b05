import type { MicroOperation, Operation } from '../checker/history.ts'

/** What the clients of a run did and were told, for the checker. */
export class History {
  readonly #operations: (Operation | null)[] = []
  readonly #open: Map<number, Operation> = new Map()
  #value = 0
  /** Told of each offset that a client was shown, or was told that its record has. */
  onShown: (key: string, offset: number) => void = () => {}

  /** Each number once. */
  nextValue(): number {
    return this.#value++
  }

  add(operation: Operation): void {
    this.#operations.push(operation)
    this.#shown(operation.ops ?? [])
  }

  /** An operation keeps the place at which it began: a process sends in that order. */
  begin(operation: Omit<Operation, 'type'>): {
    end(t1: number, type: Operation['type'], ops: readonly MicroOperation[]): void
  } {
    const place = this.#operations.push(null) - 1
    this.#open.set(place, { ...operation, type: 'info' })
    return {
      end: (t1, type, ops) => {
        this.#operations[place] = { ...operation, t1, type, ops }
        this.#open.delete(place)
        if (type === 'ok') this.#shown(ops)
      },
    }
  }

  #shown(ops: readonly MicroOperation[]): void {
    for (const op of ops) {
      if (op.f === 'send') this.onShown(op.key, op.offset ?? -1)
      else for (const [key, reads] of Object.entries(op.reads)) this.onShown(key, reads.at(-1)?.[0] ?? -1)
    }
  }

  /** Operations that have not ended. */
  get open(): number {
    return this.#open.size
  }

  /** What did not end is not known. */
  get operations(): Operation[] {
    return this.#operations.map((operation, place) => operation ?? (this.#open.get(place) as Operation))
  }

  /** The highest offset that was acknowledged, by partition. */
  acknowledged(): Map<string, number> {
    const highest = new Map<string, number>()
    for (const operation of this.#operations) {
      if (operation?.type !== 'ok' || operation.f !== 'send') continue
      for (const op of operation.ops ?? [])
        if (op.f === 'send' && op.offset !== undefined)
          highest.set(op.key, Math.max(highest.get(op.key) ?? -1, op.offset))
    }
    return highest
  }
}
