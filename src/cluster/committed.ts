import type { Observer } from '../machine/host-options.ts'
import type { Timers } from '../world/world.ts'
import type { MetadataRecord } from './records/records.ts'
import { ClusterState } from './state.ts'

export interface MetadataReader {
  /** `state` was made anew: anything may have changed. */
  load(state: ClusterState): void
  /** Records that were committed just now; `state` has them already. `timestamp`: of the controller, ms. */
  commit(state: ClusterState, records: readonly MetadataRecord[], timestamp: number): void
}

/**
 * The cluster's metadata as far as it is committed: what everything but the controller itself looks at. It never goes
 * back: when the log is replayed, what is known already is passed over.
 */
export class CommittedMetadata implements Observer<MetadataRecord> {
  readonly state = new ClusterState()
  readonly #readers: MetadataReader[] = []
  readonly #waiting = new Set<() => void>()
  /** Offset below which everything is in `state`. */
  #upTo = 0

  /** Readers are told in the order in which they came, the first time with the next `load` or `commit`. */
  subscribe(reader: MetadataReader): void {
    this.#readers.push(reader)
  }

  /** Fulfilled when `holds()`, looked at after each change, or `withinMs` are over: whether it holds. */
  until(holds: () => boolean, withinMs: number, timers: Timers): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise(resolve => {
      const done = (held: boolean) => {
        this.#waiting.delete(look)
        timer.cancel()
        resolve(held)
      }
      const look = () => {
        if (holds()) done(true)
      }
      const timer = timers.after(withinMs, () => done(holds()))
      this.#waiting.add(look)
    })
  }

  load(snapshot: Iterable<MetadataRecord>, upTo: number): void {
    if (this.#upTo > 0 && upTo <= this.#upTo) return
    this.state.clear()
    for (const record of snapshot) this.state.apply(record, upTo - 1)
    this.#upTo = upTo
    for (const reader of this.#readers) reader.load(this.state)
    for (const look of this.#waiting) look()
  }

  commit(records: readonly MetadataRecord[], upTo: number, timestamp: number): void {
    if (upTo <= this.#upTo) return
    let offset = upTo - records.length
    for (const record of records) this.state.apply(record, offset++)
    this.#upTo = upTo
    for (const reader of this.#readers) reader.commit(this.state, records, timestamp)
    for (const look of this.#waiting) look()
  }
}
