import { buildBatch } from '../protocol/batches/build.ts'
import type { BatchHeader } from '../protocol/batches/header.ts'
import { readHeader, sizeInBytes } from '../protocol/batches/header.ts'
import type { Store, StoreObserver } from '../store/store.ts'
import { nodeWorld } from '../world/node.ts'
import type { Clock, Random, Timer, Timers } from '../world/world.ts'

/** For the tests of this folder: a world whose time and turns are moved by hand, and batches. */
export class HandWorld {
  ms = 1_700_000_000_000
  readonly #timers: { at: number; run: () => void }[] = []
  #soon: (() => void)[] = []
  readonly clock: Clock = { now: () => this.ms, mono: () => this.ms }
  readonly random: Random = { int: below => below - 1, bytes: count => new Uint8Array(count) }
  readonly timers: Timers = {
    after: (ms, run): Timer => {
      const timer = { at: this.ms + ms, run }
      this.#timers.push(timer)
      return { cancel: () => this.#timers.includes(timer) && void this.#timers.splice(this.#timers.indexOf(timer), 1) }
    },
    soon: run => void this.#soon.push(run),
  }

  /** The end of this turn of the event loop, and all that follows from it without waiting for the disk or for time. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 5; turns++) {
      const due = this.#soon
      this.#soon = []
      for (const run of due) run()
      await turn()
    }
  }

  /** Turns the event loop until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const note = (): void => {
      settled = true
    }
    promise.then(note, note)
    while (!settled) await this.settle()
    return promise
  }

  /** Lets `ms` pass and runs what became due, in order. */
  async pass(ms: number): Promise<void> {
    const until = this.ms + ms
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0]
      if (next === undefined) break
      this.#timers.splice(this.#timers.indexOf(next), 1)
      this.ms = Math.max(this.ms, next.at)
      next.run()
      await this.settle()
    }
    this.ms = until
    await this.settle()
  }
}

export interface BatchParts {
  readonly records?: number
  readonly timestamp?: number
  readonly valueBytes?: number
  readonly producer?: readonly [id: number, epoch: number, sequence: number]
}

/** A batch as a client sends it. */
export function batchOf(world: HandWorld, parts: BatchParts = {}): Buffer {
  const { records = 1, timestamp = world.ms, valueBytes = 10, producer } = parts
  const value = Buffer.alloc(valueBytes, 'v')
  return buildBatch({
    records: Array.from({ length: records }, () => ({ timestamp, key: Buffer.from('k'), value })),
    ...(producer && { producerId: producer[0], producerEpoch: producer[1], baseSequence: producer[2] }),
  })
}

/** Headers of all batches in these pieces. */
export function headersOf(pieces: readonly Uint8Array[]): BatchHeader[] {
  const headers: BatchHeader[] = []
  for (const bytes of pieces)
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) headers.push(readHeader(bytes, at))
  return headers
}

/** A store in memory whose disk does nothing before it is told to: writes, syncs and side files wait for the test. */
export function manualDisk(store: Store): ManualDisk {
  const observers: StoreObserver[] = []
  const disk: ManualDisk = {
    written: store.endOffset,
    durable: store.endOffset,
    syncs: [],
    puts: [],
    write(upTo = store.endOffset) {
      disk.written = upTo
      for (const observer of observers) observer.written(upTo)
    },
    async finishSync() {
      const sync = disk.syncs.shift()
      if (sync === undefined) throw new Error('nobody wanted a sync')
      disk.durable = sync.upTo
      for (const observer of observers) observer.durable(sync.upTo)
      sync.resolve(sync.upTo)
      await turn()
    },
    async failSync(error) {
      for (const observer of observers) observer.failed(error)
      disk.syncs.shift()?.reject(error)
      await turn()
    },
    async finishPut(error) {
      const put = disk.puts.shift()
      if (put === undefined) throw new Error('no side file is written')
      await put(error)
      await turn()
    },
    async dropFrom(offset, error) {
      await store.truncate(offset)
      disk.written = Math.min(disk.written, offset)
      for (const sync of disk.syncs.splice(0)) sync.reject(error)
      for (const observer of observers) observer.dropped(offset, error)
      await turn()
    },
    store: new Proxy(store, {
      get(target, name) {
        if (name === 'writtenOffset') return disk.written
        if (name === 'durableOffset') return disk.durable
        if (name === 'observe') return (observer: StoreObserver) => void observers.push(observer)
        if (name === 'sync')
          return () => new Promise((resolve, reject) => void disk.syncs.push({ upTo: disk.written, resolve, reject }))
        if (name === 'put')
          return (file: string, bytes: Uint8Array) =>
            new Promise<void>((resolve, reject) => {
              disk.puts.push(error => (error === undefined ? target.put(file, bytes).then(resolve) : reject(error)))
            })
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    }),
  }
  return disk
}

export interface ManualDisk {
  readonly store: Store
  written: number
  durable: number
  /** Syncs that were asked for and have not ended. */
  readonly syncs: { upTo: number; resolve(upTo: number): void; reject(error: Error): void }[]
  readonly puts: ((error?: Error) => Promise<void> | void)[]
  write(upTo?: number): void
  finishSync(): Promise<void>
  failSync(error: Error): Promise<void>
  finishPut(error?: Error): Promise<void>
  dropFrom(offset: number, error: Error): Promise<void>
}

function turn(): Promise<void> {
  return new Promise(resolve => nodeWorld.timers.soon(resolve))
}
