import { KafkaError } from '../../protocol/errors.ts'
import { plan } from '../balance/plan.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { ClusterState } from '../state.ts'
import { balanceState, mayHold, setBalanceState } from './balance-state.ts'
import type { Done, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { changePartition, rulesOf } from './partition-change.ts'
import { planInput } from './plan-input.ts'
import { goalOf, reassign } from './reassign.ts'
import { done } from './sessions.ts'

/** Between two leaders that change place without a copy: each is a short gap for its clients. */
const nextLeaderMs = 200

/** What has to move begins to, as much at once as brokers bear (`balance.enable`). */
export function balance(_: unknown, context: Context): Outcome<Done> {
  const { state } = context
  const { moves, settled } = plan(planInput(state, context.settings))
  const records: MetadataRecord[] = []
  for (const { topicId, partition, goal, reorder } of moves) {
    const topic = state.topicsById.get(topicId)!
    const change = reorder
      ? changePartition(
          topicId,
          partition,
          topic.partitions[partition]!,
          { replicas: goal, election: 'preferred' },
          rulesOf(topic, context),
        )
      : reassign(topic, partition, goal, context)
    if (change !== null) records.push(change)
  }
  for (const id of settled) records.push(setBalanceState(id, 'settled'))
  const again = moves.some(({ reorder }) => reorder)
  const next = { do: 'timer', key: 'balance', afterMs: nextLeaderMs, then: { do: 'balance', request: {} } } as const
  return { ...done(records), effects: again ? [next] : [] }
}

/**
 * Throws INVALID_REQUEST when a broker cannot become what an operator wants, with the partitions that forbid it.
 * `leaving`: brokers that shall be empty as well, as the same request says.
 */
export function checkBalanceState(
  state: ClusterState,
  brokerId: number,
  value: string | null,
  leaving: (id: number) => boolean,
): void {
  const broker = state.brokers.get(brokerId)
  if (value === 'gone' && broker !== undefined && !broker.fenced) {
    throw new KafkaError('INVALID_REQUEST', `Broker ${brokerId} is running: drain it instead (\`draining\`).`)
  }
  if (value !== 'draining' || balanceState(state, brokerId) === 'draining') return
  const others = [...state.brokers.values()].filter(
    ({ id, fenced, inControlledShutdown }) =>
      id !== brokerId && !fenced && !inControlledShutdown && mayHold(state, id) && !leaving(id),
  )
  const stuck: string[] = []
  for (const { name, partitions } of state.topics.values()) {
    for (const [index, partition] of partitions.entries()) {
      const goal = goalOf(partition)
      if (goal.includes(brokerId) && goal.length > others.length) stuck.push(`${name}-${index} (${goal.length} copies)`)
    }
  }
  if (stuck.length === 0) return
  const shown = stuck.slice(0, 10).join(', ')
  throw new KafkaError(
    'INVALID_REQUEST',
    `Without broker ${brokerId} there are ${others.length} brokers for copies, too few for ${stuck.length} partition(s): ` +
      `${shown}${stuck.length > 10 ? ', …' : ''}. Add a broker, or give these topics fewer copies first.`,
  )
}
