import { isInternal } from '../../replication/internal-topics.ts'
import type { PlanBroker, PlanInput, PlanPartition } from '../balance/plan.ts'
import type { ClusterState, PartitionState, TopicState } from '../state.ts'
import { automaticFactor } from './assignment.ts'
import { balanceState, mayHold } from './balance-state.ts'
import { type ControllerSettings, isUsable, valueInForce } from './context.ts'
import { goalOf, isMoving } from './reassign.ts'
import { isAutomatic } from './topic-id.ts'

/** Moves that one broker takes part in at once: what it serves meanwhile must not suffer. */
export const movesPerBroker = 2

type Settings = Pick<ControllerSettings, 'nodeId' | 'placement' | 'topicValue'>

/** What there is to be planned, from metadata alone: any node can look. */
export function planInput(state: ClusterState, settings: Settings): PlanInput {
  const brokers = [...state.brokers.values()]
    .sort((a, b) => a.id - b.id)
    .map(({ id, rack }) => planBroker(state, id, rack))
  const most = automaticFactor(state)
  const joining = brokers.some(broker => broker.joining)
  const partitions: PlanPartition[] = []
  for (const topic of state.topics.values()) {
    const automatic = isInternal(topic.name) || (joining && isAutomatic(topic.id))
    const chain = valueInForce('replication.topology', topic.name, { state, settings }) === 'chain'
    for (const [index, partition] of topic.partitions.entries()) {
      partitions.push(planPartition(state, topic, index, partition, chain, automatic ? most : 0))
    }
  }
  return { brokers, partitions, placement: settings.placement, movesPerBroker }
}

function planBroker(state: ClusterState, id: number, rack: string | null): PlanBroker {
  const balance = balanceState(state, id)
  return {
    id,
    rack,
    holds: isUsable(state, id) && mayHold(state, id),
    leaving: balance === 'draining' || balance === 'gone',
    joining: balance === 'joining',
  }
}

function planPartition(
  state: ClusterState,
  topic: TopicState,
  partition: number,
  of: PartitionState,
  chain: boolean,
  factor: number,
): PlanPartition {
  const coming = of.addingReplicas.filter(id => !of.isr.includes(id) && isUsable(state, id))
  return {
    topicId: topic.id,
    topic: topic.name,
    partition,
    goal: goalOf(of),
    moving: isMoving(of),
    busy: coming.length === 0 || of.leader === -1 ? [] : [...coming, of.leader],
    leader: of.leader,
    chain,
    factor,
  }
}
