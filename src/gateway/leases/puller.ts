import { isPassing, isStale } from '../../client/failures.ts'
import { sleep } from '../../client/retry.ts'
import { isExpired } from '../../protocol/batches/expiry.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import type { Begin, Granted, SettleItem, Settlement } from '../../shares/commands.ts'
import type { SkippedRange } from '../../shares/coordinator.ts'
import { LeaseDesk, type LeaseGrant } from '../../shares/lease-desk.ts'
import type { Gateway } from '../gateway.ts'
import { sizeOf } from '../record-size.ts'
import type { LeaseId } from './lease-id.ts'
import { type Found, isGap, RecordCache } from './record-cache.ts'

export interface Pull {
  readonly groupId: string
  readonly topic: string
  readonly begin: Begin
  readonly max: number
  readonly waitMs: number
  /** −1: as long as is usual. */
  readonly leaseMs: number
  /** Aborted when the worker has gone. */
  readonly signal: AbortSignal | null
}

/** A record that a worker has for a while. */
export interface Leased {
  readonly partition: number
  readonly record: KafkaRecord
  readonly lease: number
  readonly deliveryCount: number
}

export interface Pulled {
  /** ms */
  readonly leaseMs: number
  readonly records: readonly Leased[]
  /** What the records take, about. */
  readonly bytes: number
}

/**
 * Bytes of records that one pull gets, but for a first one that is larger, and those that are on their way to workers, with all
 * answers that clients leave: above these a pull gets little. Clients of gRPC take messages of up to 4 MiB unless they are told
 * otherwise.
 */
const mostOfOne = 2 * 1024 * 1024
const mostOfAll = 32 * 1024 * 1024
const little = 64 * 1024
/** That anybody asks for at one time. */
const mostRecords = 1000
/** Topics with large records that are remembered. */
const mostLarge = 1000
/** Leases whose records are read at one time. */
const readAtOnce = 16
/** ms after which, when something could not be read and nothing else was, the rest is not tried either. */
const patienceMs = 5_000
/** ms that a pull waits at least for leaders of what was handed out, and between two questions for others. */
const leaderMs = 10_000
const againMs = 200

/** Records for workers: leases from the group's coordinator, records from their leaders. One a gateway, for all doors. */
export class Puller {
  readonly #gateway: Gateway
  readonly #desk: LeaseDesk
  readonly #cache: RecordCache
  /** Bytes of records that are on their way to workers. */
  #givenBytes = 0
  /** How many records of a topic will fit, where that was fewer than somebody asked for; the oldest first. */
  readonly #fits = new Map<string, number>()

  private constructor(gateway: Gateway, desk: LeaseDesk) {
    this.#gateway = gateway
    this.#desk = desk
    this.#cache = new RecordCache({ cluster: () => gateway.client.reading })
  }

  static async open(gateway: Gateway): Promise<Puller> {
    const shares = await gateway.node.leases()
    const { clock, timers } = gateway.world
    return new Puller(gateway, new LeaseDesk({ shares, clock, timers }))
  }

  get load() {
    const { hits, reads, size } = this.#cache
    return { ...this.#desk.load, cacheHits: hits, cacheReads: reads, cacheBytes: size, givenBytes: this.#givenBytes }
  }

  /**
   * Records, fewer than `max` where they are large: then the others have not been handed out. Who gets them says `given` when they
   * are on their way. Rejects with KafkaError.
   */
  async pull({ groupId, topic, begin, max, waitMs, leaseMs, signal }: Pull): Promise<Pulled> {
    const { world, stopping } = this.#gateway
    const { clock } = world
    const until = clock.mono() + waitMs
    const patient = clock.mono() + Math.max(leaderMs, waitMs)
    for (;;) {
      const left = Math.max(0, until - clock.mono())
      // What would only go back nobody else can have meanwhile.
      const fit = Math.min(max, this.#fits.get(topic) ?? max)
      const asked = { groupId, topic, begin, max: fit, waitMs: left, lockMs: leaseMs, signal }
      const grant = await this.#desk.pull(asked)
      if (grant.records.length === 0) return nothing(grant.lockMs)
      const pulled = await this.#read(groupId, topic, grant).catch(error => {
        if (!isStale(error) || !isPassing(error) || clock.mono() > patient || stopping.aborted) throw error
        return null
      })
      if (pulled === null) {
        // The leases went back: with the next ones there is time to look for new leaders.
        await sleep(world, againMs)
        continue
      }
      const { records } = pulled
      if (signal?.aborted) {
        // Others need not wait for the leases of who has gone to end.
        for (const leased of records)
          this.#settleUnheard(groupId, topic, { ...leased, offset: leased.record.offset }, 'return')
        this.given(pulled)
        return nothing(grant.lockMs)
      }
      if (records.length > 0) return pulled
    }
  }

  /** What a pull gave is on its way to the worker, or nobody wants it any more. Once for each. */
  given({ bytes }: Pulled): void {
    this.#givenBytes -= bytes
  }

  /**
   * What can be read of what was handed out. Where there is nothing, the group is told; what cannot be read now, or would be too
   * much, goes back.
   */
  async #read(groupId: string, topic: string, { topicId, lockMs, records: granted }: LeaseGrant): Promise<Pulled> {
    const leased: Leased[] = []
    const gaps: SkippedRange[] = []
    /** Partitions without a leader that answers: nothing else of them is tried. */
    const lost = new Set<number>()
    let failure: unknown = null
    let bytes = 0
    const { world, metrics } = this.#gateway
    const { clock } = world
    const patient = clock.mono() + patienceMs
    let isFull = false
    const isBusy = () => this.#givenBytes + metrics.answerBytes >= mostOfAll
    const isTooMuch = (size: number) => leased.length > 0 && bytes + size > (isBusy() ? little : mostOfOne)
    const isVain = () => failure !== null && (leased.length > 0 || clock.mono() > patient)
    for (let from = 0; from < granted.length; from += readAtOnce) {
      const next = granted.slice(from, from + readAtOnce)
      const isOver = isFull || isVain()
      const some = next.filter(({ partition }) => !isOver && !lost.has(partition))
      for (const each of next) if (!some.includes(each)) this.#settleUnheard(groupId, topic, each, 'return')
      const found = some.map(({ partition, offset }) => this.#cache.read({ topic, topicId, partition }, offset))
      const reads = await settledOf(found)
      const now = clock.now()
      for (const [index, read] of reads.entries()) {
        const { partition, offset, lease, deliveryCount } = some[index]!
        if (read.status === 'rejected') {
          failure = read.reason
          if (isStale(failure)) lost.add(partition)
          this.#settleUnheard(groupId, topic, some[index]!, 'return')
        } else if (isGap(read.value)) {
          const gap = { partition, from: offset, to: read.value.next }
          const isNew = !gaps.some(each => each.partition === partition && each.from <= gap.from && each.to >= gap.to)
          if (isNew) gaps.push(gap)
        } else if (isExpired(read.value, now)) this.#settleUnheard(groupId, topic, some[index]!, 'accept')
        else {
          const size = sizeOf(read.value)
          isFull ||= isTooMuch(size)
          if (isFull) {
            this.#settleUnheard(groupId, topic, some[index]!, 'return')
            continue
          }
          bytes += size
          this.#givenBytes += size
          leased.push({ partition, record: read.value, lease, deliveryCount })
        }
      }
    }
    await this.#desk.skip(groupId, topic, topicId, gaps).catch(error => {
      failure = error
    })
    if (!isFull) this.#adjust(topic, leased.length, bytes)
    else if (!isBusy()) this.#remember(topic, leased.length)
    if (leased.length === 0 && failure !== null) throw failure
    return { leaseMs: lockMs, records: leased, bytes }
  }

  #remember(topic: string, fit: number): void {
    this.#fits.delete(topic)
    this.#fits.set(topic, fit)
    for (const oldest of this.#fits.keys()) if (this.#fits.size > mostLarge) this.#fits.delete(oldest)
  }

  /** Records may have become smaller. */
  #adjust(topic: string, came: number, bytes: number): void {
    const fit = this.#fits.get(topic)
    if (fit === undefined || came < fit) return
    const next = Math.max(1, Math.floor((mostOfOne * came) / bytes))
    if (next < mostRecords) this.#fits.set(topic, next)
    else this.#fits.delete(topic)
  }

  /** Nobody waits to hear of it: what fails here comes back when its lease ends. */
  #settleUnheard(
    groupId: string,
    topic: string,
    { partition, offset, lease }: Pick<Granted, 'partition' | 'offset' | 'lease'>,
    what: 'return' | 'accept',
  ): void {
    this.#desk.settle(groupId, topic, { partition, offset, lease, what, ms: -1, why: '' }).catch(() => {})
  }

  /** False: the lease is over, or never was. `ms`: of a new lease, or of the rest before the next delivery; −1: as usual. */
  async settle(topic: string, id: LeaseId, what: Settlement, ms = -1, why = ''): Promise<boolean> {
    const { groupId, ...place } = id
    const item: SettleItem = { ...place, what, ms, why }
    return isDone(await this.#desk.settle(groupId, topic, item))
  }
}

const nothing = (leaseMs: number): Pulled => ({ leaseMs, records: [], bytes: 0 })

/** Without a promise for each where all of them are there. */
function settledOf(found: readonly (Found | Promise<Found>)[]) {
  if (found.some(each => each instanceof Promise)) return Promise.allSettled(found)
  return (found as readonly Found[]).map(value => ({ status: 'fulfilled', value }) as const)
}

function isDone(result: ErrorName): boolean {
  if (result === 'NONE') return true
  if (result === 'INVALID_RECORD_STATE') return false
  throw new KafkaError(result)
}

const pullers = new WeakMap<Gateway, Promise<Puller>>()
const opened = new WeakMap<Gateway, Puller>()

/** The one of this gateway, opened with its first use. */
export function pullerOf(gateway: Gateway): Promise<Puller> {
  let puller = pullers.get(gateway)
  if (puller === undefined) {
    puller = Puller.open(gateway)
    pullers.set(gateway, puller)
    puller.then(
      open => opened.set(gateway, open),
      () => pullers.delete(gateway),
    )
  }
  return puller
}

/** Null as long as nobody pulled. */
export const knownPuller = (gateway: Gateway): Puller | null => opened.get(gateway) ?? null
