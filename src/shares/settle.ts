import type { Moment } from '../machine/machine.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { BuryCommand, SettleCommand, SettleItem, Settlement, ShareDecision, SkipCommand } from './commands.ts'
import { lengthOf, type ShareConfig } from './config.ts'
import type { Run, ShareRecord } from './facts.ts'
import { change, dyingRun, failedRun, lookTimer } from './look.ts'
import { appendRun, finishedRun, type SharePartition, type Unfinished } from './share-partition.ts'
import type { SharesState } from './state.ts'

/** Workers say what became of records. Each is answered for itself. */
export function settle(state: SharesState, command: SettleCommand, config: ShareConfig, at: Moment): ShareDecision {
  const { groupId, topicId, items } = command
  const results: ErrorName[] = new Array(items.length).fill('INVALID_RECORD_STATE')
  const changes = new Map<SharePartition, Map<number, Run>>()
  // Side by side in the log, side by side in the fact.
  const order = items.map((_, index) => index)
  order.sort((one, other) => items[one]!.offset - items[other]!.offset)
  for (const index of order) {
    const item = items[index]!
    const share = state.find(groupId, topicId, item.partition)
    if (share === undefined) continue
    let runs = changes.get(share)
    if (runs === undefined) {
      runs = new Map()
      changes.set(share, runs)
    }
    const before = runs.get(item.offset)
    // One request may say two things of one lease; the first of them holds.
    if (before !== undefined) continue
    const run = settled(share, item, config, at)
    if (run === 'done') results[index] = 'NONE'
    if (typeof run === 'string') continue
    runs.set(item.offset, run)
    results[index] = 'NONE'
  }
  const records: ShareRecord[] = []
  const effects: ShareDecision['effects'][number][] = [{ do: 'answer', answer: { error: 'NONE', results } }]
  for (const [share, runs] of changes) {
    const joined: Run[] = []
    let next = Number.POSITIVE_INFINITY
    for (const run of runs.values()) {
      appendRun(joined, run)
      if (run.until > 0) next = Math.min(next, run.until)
    }
    records.push(...change(share, groupId, joined))
    if (next < share.nextLook) effects.push(lookTimer(groupId, topicId, share.partition, next, at))
  }
  return { records, effects }
}

/** What brings a record there: who says so again, because the answer was lost, says nothing new. */
const outcomes: { readonly [state in 'available' | 'dying']: readonly Settlement[] } = {
  available: ['release', 'return'],
  dying: ['reject'],
}

/** 'done': it was so before; 'stale': who asks has no lease any more. */
function settled(share: SharePartition, item: SettleItem, config: ShareConfig, at: Moment): Run | 'done' | 'stale' {
  const { offset, lease, what, ms, why } = item
  const entry = share.unfinished.get(offset)
  if (entry === undefined) return what === 'accept' && share.wasFinishedBy(offset, lease) ? 'done' : 'stale'
  if (entry.lease !== lease) return 'stale'
  if (entry.state !== 'acquired') return outcomes[entry.state].includes(what) ? 'done' : 'stale'
  switch (what) {
    case 'accept':
      return finishedRun(offset, offset, lease)
    case 'release':
      return failedRun(offset, entry, config, at, ms)
    case 'reject':
      return dyingRun(offset, entry, config, why === '' ? 'rejected' : why)
    case 'renew':
      return renewed(offset, entry, lengthOf(ms, config), at)
    case 'return':
      return failedRun(offset, { ...entry, deliveryCount: entry.deliveryCount - 1 }, config, at, 0)
  }
}

function renewed(offset: number, { deliveryCount, lease }: Unfinished, lockMs: number, at: Moment): Run {
  const until = at.ms + lockMs
  return { firstOffset: offset, lastOffset: offset, state: 'acquired', deliveryCount, lease, lockMs, until, why: '' }
}

/** Where no records are, nothing waits to be handed out. */
export function skip(state: SharesState, { groupId, topicId, partition, from, to }: SkipCommand): ShareDecision {
  const share = state.find(groupId, topicId, partition)
  const runs = share === undefined || to <= from ? [] : [finishedRun(from, to - 1)]
  const records = share === undefined ? [] : change(share, groupId, runs)
  return { records, effects: [{ do: 'answer', answer: { error: 'NONE' } }] }
}

export function bury(state: SharesState, command: BuryCommand): ShareDecision {
  const { groupId, topicId, partition, offsets } = command
  const share = state.find(groupId, topicId, partition)
  const runs: Run[] = []
  for (const offset of [...offsets].sort((one, other) => one - other)) {
    const entry = share?.unfinished.get(offset)
    if (entry?.state === 'dying') appendRun(runs, finishedRun(offset, offset))
  }
  const records = share === undefined ? [] : change(share, groupId, runs)
  return { records, effects: [{ do: 'answer', answer: { error: 'NONE' } }] }
}
