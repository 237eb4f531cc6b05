import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../../machine/testing.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { RemoveRaftVoter } from '../../protocol/messages/remove-raft-voter.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import addRaftVoter from '../handlers/add-raft-voter.ts'
import removeRaftVoter from '../handlers/remove-raft-voter.ts'

const changed = { errorCode: ErrorCode.NONE, errorMessage: null }

/** Node 1; node `leader` leads. Notes what is asked of it, and for how long a change made here may wait. */
function scene(leader: number) {
  const time = new VirtualTime()
  const sent: { api: string; lane: string; timeoutMs: number; request: { timeoutMs?: number } }[] = []
  const waits: number[] = []
  const change = (_: unknown, timeoutMs: number) => {
    waits.push(timeoutMs)
    return Promise.resolve({ error: null, message: null })
  }
  const node = {
    nodeId: 1,
    clusterId: 'c',
    orderer: { leader: () => ({ id: leader, epoch: 1 }), onLeader: () => () => {} },
    quorum: async () => ({ growth: { added() {} }, changes: { add: change }, remove: change }),
    peers: {
      send: async (_: number, api: { name: string }, request: object, options: { lane: string; timeoutMs: number }) => {
        sent.push({ api: api.name, request, ...options })
        return changed
      },
    },
  }
  const broker = { world: { clock: time, timers: time }, stopping: false, logger: { debug() {} } }
  return { sent, waits, context: { node, broker, peer: { node: false } } as never }
}

const add = { clusterId: 'c', voterId: 7, voterDirectoryId: ZERO_UUID, listeners: [], ackWhenCommitted: true }

test('a change of the voters waits at its leader in a lane of its own, and for less than here', async () => {
  for (const [asked, here, least] of [
    [20_000, 20_000, 19_000],
    [0, 30_000, 29_000],
    [2 ** 31 - 1, 60_000, 59_000],
    [10, 10, 5],
  ] as const) {
    const far = scene(2)
    assert.deepEqual(await addRaftVoter.handle({ ...add, timeoutMs: asked }, far.context), changed)
    const [{ lane, timeoutMs, request }] = far.sent as never as [(typeof far.sent)[0]]
    assert.deepEqual([lane, timeoutMs, request.timeoutMs], ['voters', here, here])
    // The leader, whom that is asked of:
    const leader = scene(1)
    await addRaftVoter.handle({ ...add, timeoutMs: request.timeoutMs! }, leader.context)
    assert.ok(leader.waits[0]! < here && leader.waits[0]! >= least, `${leader.waits[0]} ms of ${here}`)
  }
})

test('a removal, too', async () => {
  const asked = { clusterId: 'c', voterId: 7, voterDirectoryId: ZERO_UUID }
  const [far, leader] = [scene(2), scene(1)]
  await removeRaftVoter.handle(asked, far.context)
  await removeRaftVoter.handle(asked, leader.context)
  assert.deepEqual([far.sent[0]?.api, far.sent[0]?.lane], [RemoveRaftVoter.name, 'voters'])
  assert.ok(far.sent[0]!.timeoutMs > leader.waits[0]!)
})
