import type { Moment } from '../machine/machine.ts'
import type { AcquireCommand, Grant, Granted, ShareDecision, ShareEffect, Tail } from './commands.ts'
import { lengthOf, type ShareConfig } from './config.ts'
import type { Run, ShareRecord } from './facts.ts'
import { lookTimer } from './look.ts'
import { appendRun, finishedRun, type SharePartition } from './share-partition.ts'
import type { SharesState } from './state.ts'

/**
 * Hands out records: first those that came back, then those that nobody had. Each call begins with another partition, so
 * that none has to wait for ever.
 */
export function acquire(state: SharesState, command: AcquireCommand, config: ShareConfig, at: Moment): ShareDecision {
  const { groupId, topicId, tails, wants } = command
  const group = state.groups.get(groupId)
  const partitions = group?.topics.get(topicId)
  if (group === undefined && state.groups.size >= config.maxGroupsPerPartition) return refused(command)
  const unmet = tails.filter(({ partition }) => partitions?.[partition] === undefined)
  if ((group?.partitionCount ?? 0) + unmet.length > config.maxPartitionsPerGroup) return refused(command)
  // A group that was deleted and comes back must not take old leases for its own.
  const leases = { next: Math.max(group?.nextLease ?? 0, at.ms) }
  const first = tails.length === 0 ? 0 : leases.next % tails.length
  const takers: Taker[] = []
  let current = 0
  const grants = wants.map(({ max, lockMs }): Grant => {
    const granted: Granted[] = []
    const length = lengthOf(lockMs, config)
    while (granted.length < max && current < tails.length) {
      let taker = takers[current]
      if (taker === undefined) {
        const tail = tails[(first + current) % tails.length]!
        taker = new Taker(tail, partitions?.[tail.partition], command, config)
        takers.push(taker)
      }
      if (!taker.take(granted, max, length, leases, at)) current++
    }
    return { lockMs: length, records: granted }
  })
  const records = takers.flatMap(taker => taker.facts(groupId, command))
  for (const tail of unmet)
    if (!takers.some(taker => taker.tail === tail))
      records.push(...new Taker(tail, undefined, command, config).facts(groupId, command))
  const effects: ShareEffect[] = [{ do: 'answer', answer: { error: 'NONE', grants } }]
  for (const { tail, known, until } of takers)
    if (until < (known?.nextLook ?? Number.POSITIVE_INFINITY))
      effects.push(lookTimer(groupId, topicId, tail.partition, until, at))
  return { records, effects }
}

function refused({ wants }: AcquireCommand): ShareDecision {
  const grants = wants.map(({ lockMs }) => ({ lockMs, records: [] }))
  return { records: [], effects: [{ do: 'answer', answer: { error: 'GROUP_MAX_SIZE_REACHED', grants } }] }
}

/** What one decision takes from one partition. */
class Taker {
  readonly tail: Tail
  readonly known: SharePartition | undefined
  readonly #runs: Run[] = []
  readonly #begin: number
  readonly #maxInFlight: number
  readonly #ready: Iterator<number>
  #next: number
  #inFlight: number
  /** When the first of the new leases ends, ms since 1970. */
  until = Number.POSITIVE_INFINITY

  constructor(tail: Tail, known: SharePartition | undefined, { begin }: AcquireCommand, config: ShareConfig) {
    this.tail = tail
    this.known = known
    this.#begin = begin === 'latest' ? tail.end : tail.start
    this.#next = known?.end ?? this.#begin
    this.#inFlight = known?.unfinished.size ?? 0
    this.#maxInFlight = config.maxInFlight
    this.#ready = (known?.ready ?? []).values()
    if (this.#next >= tail.start) return
    // Retention was faster than the group.
    this.#runs.push(finishedRun(this.#next, tail.start - 1))
    this.#next = tail.start
  }

  /** Fills `granted` up to `max`; false: there is no more. */
  take(granted: Granted[], max: number, lockMs: number, leases: { next: number }, at: Moment): boolean {
    while (granted.length < max) {
      const offset = this.#nextOffset()
      if (offset === null) return false
      const deliveryCount = (this.known?.unfinished.get(offset)?.deliveryCount ?? 0) + 1
      const lease = leases.next++
      const until = at.ms + lockMs
      this.until = Math.min(this.until, until)
      granted.push({ partition: this.tail.partition, offset, lease, deliveryCount })
      const run = { firstOffset: offset, lastOffset: offset, deliveryCount, lease, lockMs, until, why: '' }
      appendRun(this.#runs, { ...run, state: 'acquired' })
    }
    return true
  }

  #nextOffset(): number | null {
    for (let next = this.#ready.next(); !next.done; next = this.#ready.next()) {
      if (next.value >= this.tail.start) return next.value
      appendRun(this.#runs, finishedRun(next.value, next.value))
    }
    if (this.#next >= this.tail.end || this.#inFlight >= this.#maxInFlight) return null
    this.#inFlight++
    return this.#next++
  }

  facts(groupId: string, { topic, topicId }: AcquireCommand): ShareRecord[] {
    if (this.known !== undefined && this.#runs.length === 0) return []
    const startOffset = this.known === undefined ? this.#begin : null
    const runs = this.#runs.sort((one, other) => one.firstOffset - other.firstOffset)
    const { partition } = this.tail
    return [{ kind: 'SharePartition', groupId, topicId, partition, value: { topic, startOffset, runs } }]
  }
}
