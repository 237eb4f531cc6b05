import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../../../machine/testing.ts'
import type { Voter } from '../orderer.ts'
import { describeQuorum } from './describe.ts'
import type { Raft } from './raft.ts'

const voter = (id: number): Voter => ({ id, directoryId: `d${id}`, endpoints: [] })

test('observers that have not been heard for five minutes are not shown; voters are', () => {
  const time = new VirtualTime()
  time.advance(400_000)
  const now = time.mono()
  const seen = (id: number, silentMs: number) => {
    return { key: voter(id), offset: 1, lastFetch: now - silentMs, lastCaughtUp: now - silentMs }
  }
  const replicas = [seen(2, 399_000), seen(3, 0), seen(4, 300_000), seen(5, 300_001)]
  const raft = { voters: [voter(1), voter(2)], replicas, role: 'leader', leaderId: 1, epoch: 3, highWatermark: 2 }
  const found = describeQuorum(
    raft as never as Raft<never>,
    { endOffset: 2 },
    { voter: voter(1), world: { clock: time } },
  )
  assert.deepEqual(
    found.voters.map(({ id }) => id),
    [1, 2],
  )
  assert.deepEqual(
    found.observers.map(({ id }) => id),
    [3, 4],
  )
})
