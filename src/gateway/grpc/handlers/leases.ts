import type { Settlement as Action } from '../../../shares/commands.ts'
import { readLeaseId, showLeaseId } from '../../leases/lease-id.ts'
import type { Puller } from '../../leases/puller.ts'
import { Broadcasts, broadcastId } from '../broadcasts.ts'
import type { DoorContext } from '../context.ts'
import type { Implementation } from '../implementation.ts'
import type { In, Out } from '../protobuf/schema.ts'
import { Begin, type Leases, Outcome, type Settled, type Settlement, type WorkOpen } from '../services/leases.ts'
import { GrpcError } from '../status.ts'
import { Worker } from '../worker.ts'

const mostRecords = 1000
const mostSettlements = 1000
const longestWaitMs = 60_000
const longestLeaseMs = 3_600_000
const longestWhy = 1000

const { OUTCOME_ACK, OUTCOME_RELEASE, OUTCOME_REJECT, OUTCOME_RENEW } = Outcome.values
const actions = new Map<number | undefined, Action>([
  [OUTCOME_ACK, 'accept'],
  [OUTCOME_RELEASE, 'release'],
  [OUTCOME_REJECT, 'reject'],
  [OUTCOME_RENEW, 'renew'],
])

/** `ottla.v1.Leases`. What its calls mean stands in `proto/ottla/v1/leases.proto`. */
export function leases(context: DoorContext): Implementation<typeof Leases> {
  const { client, world } = context
  const broadcasts = new Broadcasts(client, world.timers)
  /** A worker may be there before its topic. */
  const find = async (topic: string): Promise<Puller> => {
    await client.topic(topic, true)
    return context.puller()
  }

  return {
    async Pull({ topic, group, max, waitMs, leaseMs, begin }, call) {
      const puller = await find(topic)
      const groupId = group || 'default'
      const pulled = await puller.pull({
        groupId,
        topic,
        begin: beginOf(begin),
        max: within('max', max || 1, 1, mostRecords),
        waitMs: within('wait_ms', waitMs, 0, longestWaitMs),
        leaseMs: leaseOf(leaseMs),
        signal: AbortSignal.any([call.signal, context.stopping]),
      })
      try {
        const records = pulled.records.map(({ partition, record, lease, deliveryCount }) => ({
          lease: showLeaseId({ groupId, partition, offset: record.offset, lease }),
          record: { partition, ...record },
          deliveryCount,
          broadcast: broadcastId(record) !== null,
        }))
        return { records, leaseMs: pulled.leaseMs }
      } finally {
        puller.given(pulled)
      }
    },

    async Settle({ topic, settlements }) {
      const puller = await find(topic)
      return { settled: await settle(puller, topic, settlements) }
    },

    async Work(call) {
      const opening = (await call.next())?.open
      if (opening === null || opening === undefined)
        throw new GrpcError('INVALID_ARGUMENT', 'the first request must have `open`')
      const { topic } = opening
      const puller = await find(topic)
      const worker = new Worker({
        puller,
        world,
        ...wishOf(opening),
        write: message => call.write(message),
        fail: error => call.fail(error),
      })
      const ended = new Promise<void>(resolve => call.signal.addEventListener('abort', () => resolve()))
      const leave = await broadcasts.join(topic, (record, id) => worker.broadcast(record, id))
      const close = () => {
        leave()
        return worker.close()
      }
      void ended.then(close)
      try {
        call.begin()
        worker.run().catch(error => call.fail(error))
        for (let request = await call.next(); request !== null; request = await call.next()) {
          if (request.open !== null) throw new GrpcError('INVALID_ARGUMENT', '`open` comes once')
          const settled = await settle(puller, topic, request.settlements, worker)
          if (settled.length > 0) await call.write({ settled })
        }
      } finally {
        await close()
      }
    },
  }
}

async function settle(
  puller: Puller,
  topic: string,
  settlements: readonly Out<typeof Settlement>[],
  worker: Worker | null = null,
): Promise<In<typeof Settled>[]> {
  if (settlements.length > mostSettlements)
    throw new GrpcError('INVALID_ARGUMENT', `at most ${mostSettlements} settlements at once`)
  const wanted = settlements.map(({ lease, outcome, ms, why }) => {
    const id = readLeaseId(lease)
    const action = actions.get(outcome)
    if (id === null) throw new GrpcError('INVALID_ARGUMENT', `${lease.slice(0, 100)} is no lease`)
    if (action === undefined) throw new GrpcError('INVALID_ARGUMENT', `there is no outcome ${outcome}`)
    const length = ms === 0 ? -1 : within('ms', ms, 1, longestLeaseMs)
    return { lease, id, action, ms: length, why: why.slice(0, longestWhy) }
  })
  return Promise.all(
    wanted.map(async ({ lease, id, action, ms, why }) => {
      const done = await puller.settle(topic, id, action, ms, why)
      if (action !== 'renew' || !done) worker?.settled(lease)
      else worker?.renewed(lease, ms)
      return { lease, done }
    }),
  )
}

function wishOf({ group, credits, leaseMs, begin, topic }: Out<typeof WorkOpen>) {
  return {
    topic,
    groupId: group || 'default',
    begin: beginOf(begin),
    credits: within('credits', credits || 1, 1, mostRecords),
    leaseMs: leaseOf(leaseMs),
  }
}

const beginOf = (begin: number): 'earliest' | 'latest' => (begin === Begin.values.BEGIN_LATEST ? 'latest' : 'earliest')

const leaseOf = (ms: number): number => (ms === 0 ? -1 : within('lease_ms', ms, 1, longestLeaseMs))

function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value
  throw new GrpcError('INVALID_ARGUMENT', `${name} is from ${least} to ${most}`)
}
