import type { Effect } from '../../machine/machine.ts'
import type { SoftFact } from '../contacts.ts'
import type { MetadataRecord, RecordOf } from '../records/records.ts'
import { ResourceType } from '../state.ts'
import { balanceSetting } from './balance-state.ts'
import type { Answer, Command } from './command.ts'
import type { Context } from './context.ts'
import { isMoving } from './reassign.ts'
import { heard } from './sessions.ts'

type Timer = Effect<Command, Answer>

/** Until the next moves begin: what comes together (a cluster that starts, a batch of topics) is judged together. */
const balanceSoonMs = 1000
/** After a move has ended. */
const balanceNextMs = 20

/** What a controller that begins to lead has to watch. */
export function standing(context: Context): { soft: SoftFact[]; effects: Timer[] } {
  const soft: SoftFact[] = []
  const effects: Timer[] = []
  for (const { id, epoch, fenced } of context.state.brokers.values()) {
    if (fenced) {
      effects.push(...replaceLater(id, context))
      continue
    }
    const sign = heard(id, epoch, null, context)
    soft.push(...sign.soft)
    effects.push(...sign.effects)
  }
  if (context.state.brokers.size > 1) effects.push(...preferLater(context), ...balanceLater(balanceSoonMs, context))
  return { soft, effects }
}

/** What the records of a command make necessary later, whoever decided them. */
export function afterwards(command: Command, records: readonly MetadataRecord[], context: Context): Timer[] {
  const effects: Timer[] = []
  let balanceMs = Number.POSITIVE_INFINITY
  for (const record of records) {
    switch (record.type) {
      case 'RegisterBrokerRecord':
        if (isSecond(record, context)) effects.push(...preferLater(context))
        // Until it is let in it is as good as away; who was so before has his deadline.
        if (record.fenced === true && context.state.brokers.get(record.brokerId)?.fenced !== true)
          effects.push(...replaceLater(record.brokerId, context))
        balanceMs = Math.min(balanceMs, balanceSoonMs)
        break
      case 'BrokerRegistrationChangeRecord':
        if (record.fenced === 1) effects.push(...replaceLater(record.brokerId, context))
        balanceMs = Math.min(balanceMs, balanceSoonMs)
        break
      case 'UnregisterBrokerRecord':
        balanceMs = Math.min(balanceMs, balanceSoonMs)
        break
      case 'PartitionChangeRecord':
        if (letsMove(record, context)) balanceMs = balanceNextMs
        break
      case 'RemoveTopicRecord':
        // Its moves are over with it.
        if (context.state.topicsById.get(record.topicId)?.partitions.some(isMoving)) balanceMs = balanceNextMs
        break
      case 'ConfigRecord':
        if (record.name === balanceSetting) balanceMs = Math.min(balanceMs, balanceNextMs)
        if (uncleanNow(record)) {
          effects.push({ do: 'timer', key: 'electOrphans', afterMs: 0, then: { do: 'electOrphans', request: {} } })
        }
        break
    }
  }
  if (command.do === 'electPreferred') effects.push(...preferLater(context))
  if (balanceMs < Number.POSITIVE_INFINITY && context.state.brokers.size > 1) {
    effects.push(...balanceLater(balanceMs, context))
  }
  return effects
}

/** From then on preferred leaders are looked at regularly, whoever comes and goes and however often. */
function isSecond({ brokerId }: RecordOf<'RegisterBrokerRecord'>, { state: { brokers } }: Context): boolean {
  return brokers.size === 1 && !brokers.has(brokerId)
}

/** A move has ended, or there is somebody to copy from again: the next one may begin. */
function letsMove(record: RecordOf<'PartitionChangeRecord'>, { state }: Context): boolean {
  if (record.addingReplicas?.length === 0 || record.removingReplicas?.length === 0) return true
  if ((record.leader ?? -1) < 0) return false
  return state.topicsById.get(record.topicId)?.partitions[record.partitionId ?? -1]?.leader === -1
}

function uncleanNow({ resourceType, name, value }: { resourceType: number; name: string; value: string | null }) {
  const places: number[] = [ResourceType.TOPIC, ResourceType.BROKER]
  return places.includes(resourceType) && name === 'unclean.leader.election.enable' && value === 'true'
}

function preferLater({ settings: { preferredLeadersMs } }: Context): Timer[] {
  if (preferredLeadersMs === null) return []
  const then = { do: 'electPreferred', request: {} } as const
  return [{ do: 'timer', key: 'electPreferred', afterMs: preferredLeadersMs, then }]
}

function balanceLater(afterMs: number, { settings }: Context): Timer[] {
  if (!settings.balance) return []
  return [{ do: 'timer', key: 'balance', afterMs, then: { do: 'balance', request: {} } }]
}

/** From now on, if it is not let in meanwhile; each time that it is fenced anew takes the place of the one before. */
function replaceLater(brokerId: number, { settings: { replaceAfterMs } }: Context): Timer[] {
  if (replaceAfterMs < 0) return []
  const then = { do: 'replaceBroker', request: { brokerId } } as const
  return [{ do: 'timer', key: `replace:${brokerId}`, afterMs: replaceAfterMs, then }]
}
