import { buildBatch } from '../protocol/batches/build.ts'
import type { BatchHeader } from '../protocol/batches/header.ts'
import { readHeader, sizeInBytes } from '../protocol/batches/header.ts'
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
    for (let turn = 0; turn < 5; turn++) {
      const due = this.#soon
      this.#soon = []
      for (const run of due) run()
      await new Promise<void>(resolve => nodeWorld.timers.soon(resolve))
    }
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
