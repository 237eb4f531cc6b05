import type { Moment } from '../machine/machine.ts'
import type { LookCommand, ShareDecision, ShareEffect } from './commands.ts'
import { restMs, type ShareConfig } from './config.ts'
import type { Run, ShareRecord } from './facts.ts'
import { appendRun, finishedRun, type SharePartition, type Unfinished } from './share-partition.ts'
import type { SharesState } from './state.ts'

/** Wakes the machine when the first lease or rest of a partition is over. */
export function lookTimer(groupId: string, topicId: string, partition: number, at: number, now: Moment): ShareEffect {
  const then: LookCommand = { type: 'Look', groupId, topicId, partition }
  return { do: 'timer', key: lookKey(groupId, topicId, partition), afterMs: Math.max(0, at - now.ms), then }
}

export const lookKey = (groupId: string, topicId: string, partition: number): string =>
  `look ${topicId} ${partition} ${groupId}`

/** Leases that are over: their records may be handed out again, or have been too often. Rests that are over end. */
export function look(state: SharesState, command: LookCommand, config: ShareConfig, at: Moment): ShareDecision {
  const { groupId, topicId, partition } = command
  const share = state.find(groupId, topicId, partition)
  if (share === undefined) return { records: [], effects: [] }
  const runs: Run[] = []
  const rested: number[] = []
  let next = Number.POSITIVE_INFINITY
  for (const [offset, entry] of share.unfinished) {
    if (entry.state === 'acquired' && entry.until <= at.ms) {
      const run = failedRun(offset, entry, config, at, -1)
      appendRun(runs, run)
      if (run.until > at.ms) next = Math.min(next, run.until)
    } else if (entry.state === 'acquired') next = Math.min(next, entry.until)
    else if (entry.state === 'available' && share.resting.has(offset)) {
      if (entry.until <= at.ms) rested.push(offset)
      else next = Math.min(next, entry.until)
    }
  }
  const effects = Number.isFinite(next) ? [lookTimer(groupId, topicId, partition, next, at)] : []
  return { records: change(share, groupId, runs), soft: [{ kind: 'Looked', ...command, rested, next }], effects }
}

/**
 * What becomes of a record whose delivery came to nothing: another try, now or after a rest (`restingMs`; −1: as usual), or
 * none.
 */
export function failedRun(offset: number, entry: Unfinished, config: ShareConfig, at: Moment, restingMs: number): Run {
  if (entry.deliveryCount >= config.deliveryLimit) return dyingRun(offset, entry, config, 'delivery limit reached')
  const rest = restingMs < 0 ? restMs(config, entry.deliveryCount) : restingMs
  const { deliveryCount, lease } = entry
  const until = rest > 0 ? at.ms + rest : 0
  return { ...oneOf(offset), state: 'available', deliveryCount, lease, lockMs: 0, until, why: '' }
}

/** A record that will not be handed out again: it goes to the dead-letter topic, where there is one. */
export function dyingRun(offset: number, entry: Unfinished, config: ShareConfig, why: string): Run {
  const { deliveryCount, lease } = entry
  if (config.deadLetterTopic === null) return finishedRun(offset, offset)
  return { ...oneOf(offset), state: 'dying', deliveryCount, lease, lockMs: 0, until: 0, why }
}

const oneOf = (offset: number): Pick<Run, 'firstOffset' | 'lastOffset'> => ({ firstOffset: offset, lastOffset: offset })

/** The fact that says so; none where nothing changed. */
export function change(share: SharePartition, groupId: string, runs: readonly Run[]): ShareRecord[] {
  if (runs.length === 0) return []
  const { topic, topicId, partition } = share
  return [{ kind: 'SharePartition', groupId, topicId, partition, value: { topic, startOffset: null, runs } }]
}
