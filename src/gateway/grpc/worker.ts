import type { ConsumedRecord } from '../../client/fetcher.ts'
import type { Clock, Timer, Timers } from '../../world/world.ts'
import { type LeaseId, showLeaseId } from '../leases/lease-id.ts'
import type { Leased, Puller } from '../leases/puller.ts'
import { broadcastId } from './broadcasts.ts'
import type { FieldsIn, In } from './protobuf/schema.ts'
import type { LeasedRecord, WorkResponse } from './services/leases.ts'
import { GrpcError } from './status.ts'

export interface WorkerOptions {
  readonly puller: Pick<Puller, 'pull' | 'given' | 'settle'>
  readonly world: { readonly clock: Clock; readonly timers: Timers }
  readonly topic: string
  readonly groupId: string
  readonly begin: 'earliest' | 'latest'
  /** Records at a time. */
  readonly credits: number
  /** −1: as is usual. */
  readonly leaseMs: number
  /** Fulfilled when the client takes more. */
  readonly write: (message: In<typeof WorkResponse>) => Promise<void>
  readonly fail: (error: unknown) => void
}

/** ms that one question for records may wait. */
const pullMs = 30_000
/** Broadcasts that wait for a client to take them. */
const mostBroadcasts = 100
/** Ids of broadcasts that a worker has got: later copies are not shown to it. */
const mostIds = 1000

interface Held {
  readonly id: LeaseId
  /** Monotonic ms. */
  ends: number
}

/** A member of a lease group that stays: pulls for it as long as it has credit, and gives back what it leaves behind. */
export class Worker {
  readonly #options: WorkerOptions
  /** Leases that are neither settled nor over. */
  readonly #held = new Map<string, Held>()
  /** In the order in which they came. */
  readonly #ids = new Set<string>()
  readonly #stop = new AbortController()
  /** ms that the last leases were given for. */
  #usualMs = 0
  #broadcasts = 0
  #wake: () => void = () => {}

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  /** Hands out records until `close`. Rejects with what keeps the group from it. */
  async run(): Promise<void> {
    const { puller, topic, groupId, begin, leaseMs, credits } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted) {
      const room = credits - this.#count()
      if (room <= 0) {
        await this.#rest()
        continue
      }
      const wish = { groupId, topic, begin, max: room, waitMs: pullMs, leaseMs, signal }
      const pulled = await puller.pull(wish)
      // What it does not take is counted with its connection.
      puller.given(pulled)
      await this.#give(pulled.records, pulled.leaseMs)
    }
  }

  /** A lease is over: there is room for another. */
  settled(lease: string): void {
    this.#held.delete(lease)
    this.#wake()
  }

  /** `ms`: −1: as is usual. */
  renewed(lease: string, ms: number): void {
    const held = this.#held.get(lease)
    if (held !== undefined) held.ends = this.#options.world.clock.mono() + (ms < 0 ? this.#usualMs : ms)
  }

  /** A message for all members. */
  broadcast(record: ConsumedRecord, id: string): void {
    if (this.#stop.signal.aborted || !this.#isNew(id)) return
    if (++this.#broadcasts > mostBroadcasts) {
      this.#options.fail(new GrpcError('RESOURCE_EXHAUSTED', `${mostBroadcasts} broadcasts wait to be taken`))
      return
    }
    const done = () => {
      this.#broadcasts--
    }
    this.#options.write({ records: [{ record, broadcast: true }] }).then(done, done)
  }

  /** Gives back what was handed out and not settled: others need not wait for the leases to end. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.#wake()
    const left = [...this.#held.values()]
    this.#held.clear()
    await Promise.allSettled(left.map(({ id }) => this.#settle(id, 'release')))
  }

  async #give(found: readonly Leased[], leaseMs: number): Promise<void> {
    const records: FieldsIn<typeof LeasedRecord.fields>[] = []
    this.#usualMs = leaseMs
    for (const { partition, record, lease, deliveryCount } of found) {
      const id = { groupId: this.#options.groupId, partition, offset: record.offset, lease }
      if (this.#stop.signal.aborted) {
        void this.#settle(id, 'return')
        continue
      }
      const broadcast = broadcastId(record)
      if (broadcast !== null && !this.#isNew(broadcast)) {
        void this.#settle(id, 'accept')
        continue
      }
      const name = showLeaseId(id)
      this.#held.set(name, { id, ends: this.#options.world.clock.mono() + leaseMs })
      records.push({
        lease: name,
        record: { partition, ...record },
        deliveryCount,
        broadcast: broadcast !== null,
      })
    }
    if (records.length > 0) await this.#options.write({ records, leaseMs })
  }

  async #settle({ ...id }: LeaseId, what: 'accept' | 'release' | 'return'): Promise<void> {
    // What fails here ends with its lease.
    await this.#options.puller.settle(this.#options.topic, id, what, what === 'release' ? 0 : -1).catch(() => {})
  }

  /** Leases that are over free their credit. */
  #count(): number {
    const now = this.#options.world.clock.mono()
    for (const [name, { ends }] of this.#held) if (ends <= now) this.#held.delete(name)
    return this.#held.size
  }

  /** Until something is settled, or a lease ends. */
  async #rest(): Promise<void> {
    const { clock, timers } = this.#options.world
    let first = Number.POSITIVE_INFINITY
    for (const { ends } of this.#held.values()) first = Math.min(first, ends)
    let timer: Timer | null = null
    await new Promise<void>(resolve => {
      this.#wake = resolve
      timer = timers.after(Math.max(1, first - clock.mono()), resolve)
    })
    ;(timer as Timer | null)?.cancel()
    this.#wake = () => {}
  }

  #isNew(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > mostIds) for (const oldest of this.#ids) return this.#ids.delete(oldest)
    return true
  }
}
