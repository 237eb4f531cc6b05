import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartitionState } from '../state.ts'
import { changePartition, type PartitionWish } from './partition-change.ts'

interface Case {
  readonly is: string
  readonly before: Partial<PartitionState>
  readonly wish: PartitionWish
  /** Who may lead; default: all. */
  readonly usable?: readonly number[]
  readonly minIsr?: number
  readonly unclean?: boolean
  readonly chain?: boolean
  /** Fields of the record; null: none. */
  readonly then: object | null
}

/** Replicas 1, 2, 3, all in sync, led by 1. */
const whole: PartitionState = {
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  eligibleLeaderReplicas: [],
  lastKnownElr: [],
  addingReplicas: [],
  removingReplicas: [],
  directories: ['a', 'b', 'c'],
  leader: 1,
  leaderEpoch: 5,
  partitionEpoch: 9,
  leaderRecoveryState: 0,
}

const down = { leader: -1, isr: [], eligibleLeaderReplicas: [1] }

const cases: readonly Case[] = [
  // ISR
  { is: 'nothing is wished', before: {}, wish: {}, then: null },
  { is: 'a follower falls behind', before: {}, wish: { isr: [1, 2] }, then: { isr: [1, 2] } },
  { is: 'a follower catches up', before: { isr: [1, 2] }, wish: { isr: [1, 2, 3] }, then: { isr: [1, 2, 3] } },
  { is: 'a leader is lost', before: {}, wish: { isr: [2, 3] }, usable: [2, 3], then: { isr: [2, 3], leader: 2 } },
  {
    is: 'a leader is lost, the next replica is not in sync',
    before: { isr: [1, 3] },
    wish: { isr: [3] },
    usable: [2, 3],
    then: { isr: [3], leader: 3 },
  },
  { is: 'a new life of the leader', before: {}, wish: { newEpoch: true }, then: { leader: 1 } },

  // ELR (KIP-966)
  {
    is: 'the ISR falls below the minimum: who left has everything',
    before: { isr: [1, 2] },
    wish: { isr: [1] },
    minIsr: 2,
    then: { isr: [1], eligibleLeaderReplicas: [2] },
  },
  {
    is: 'the ISR falls below the minimum at once: all who left have everything',
    before: {},
    wish: { isr: [1] },
    minIsr: 2,
    then: { isr: [1], eligibleLeaderReplicas: [2, 3] },
  },
  { is: 'the ISR stays at the minimum', before: {}, wish: { isr: [1, 2] }, minIsr: 2, then: { isr: [1, 2] } },
  {
    is: 'the minimum is more than there are replicas',
    before: { replicas: [1], isr: [1], directories: ['a'] },
    wish: { isr: [1] },
    minIsr: 2,
    then: null,
  },
  {
    is: 'the ISR is at the minimum again',
    before: { isr: [1], eligibleLeaderReplicas: [2], lastKnownElr: [3] },
    wish: { isr: [1, 3] },
    minIsr: 2,
    then: { isr: [1, 3], eligibleLeaderReplicas: [], lastKnownElr: [] },
  },
  {
    is: 'who was eligible is in sync again, but too few are',
    before: { isr: [1], eligibleLeaderReplicas: [2, 3] },
    wish: { isr: [1, 2] },
    minIsr: 3,
    then: { isr: [1, 2], eligibleLeaderReplicas: [3] },
  },
  {
    is: 'the last one in sync is lost: nobody leads, and it is known who has everything',
    before: { isr: [1] },
    wish: { isr: [] },
    usable: [2, 3],
    then: { isr: [], eligibleLeaderReplicas: [1], leader: -1 },
  },
  {
    is: 'the last one in sync is lost while others are eligible',
    before: { isr: [1], eligibleLeaderReplicas: [2, 3] },
    wish: { isr: [] },
    usable: [2, 3],
    minIsr: 2,
    then: { isr: [2], leader: 2, eligibleLeaderReplicas: [3, 1] },
  },
  {
    is: 'the last one in sync is back',
    before: down,
    wish: {},
    then: { isr: [1], leader: 1, eligibleLeaderReplicas: [] },
  },
  { is: 'somebody else is back', before: down, wish: {}, usable: [2, 3], then: null },
  {
    is: 'it died without a sync: it is out',
    before: { isr: [1, 2] },
    wish: { isr: [1], lacking: [2] },
    minIsr: 2,
    then: { isr: [1], lastKnownElr: [2] },
  },
  {
    is: 'an eligible one died without a sync: it is out',
    before: { isr: [1], eligibleLeaderReplicas: [2, 3] },
    wish: { isr: [1], lacking: [2] },
    minIsr: 2,
    then: { eligibleLeaderReplicas: [3], lastKnownElr: [2] },
  },
  {
    is: 'the last one that has everything died without a sync: nobody knows more',
    before: { isr: [1] },
    wish: { isr: [], lacking: [1] },
    usable: [2, 3],
    then: { isr: [], eligibleLeaderReplicas: [1], leader: -1 },
  },
  {
    is: 'the last known leader, where no other trace is left',
    before: { leader: -1, isr: [], eligibleLeaderReplicas: [], lastKnownElr: [2] },
    wish: {},
    then: { isr: [2], leader: 2, leaderRecoveryState: 1, lastKnownElr: [] },
  },

  // Unclean elections
  {
    is: 'somebody out of sync may lead by configuration',
    before: down,
    wish: {},
    usable: [3],
    unclean: true,
    then: { isr: [3], leader: 3, leaderRecoveryState: 1, eligibleLeaderReplicas: [] },
  },
  {
    is: 'somebody out of sync may lead by command',
    before: down,
    wish: { election: 'unclean' },
    usable: [2, 3],
    then: { isr: [2], leader: 2, leaderRecoveryState: 1, eligibleLeaderReplicas: [] },
  },
  {
    is: 'an unclean election is clean where it can be',
    before: down,
    wish: { election: 'unclean' },
    then: { isr: [1], leader: 1, eligibleLeaderReplicas: [] },
  },
  {
    is: 'what was left behind is dealt with',
    before: { isr: [1], leaderRecoveryState: 1 },
    wish: { isr: [1], leaderRecoveryState: 0 },
    then: { leaderRecoveryState: 0 },
  },

  // Preferred leaders
  { is: 'the first replica leads again', before: { leader: 2 }, wish: { election: 'preferred' }, then: { leader: 1 } },
  {
    is: 'the first replica is not in sync',
    before: { leader: 2, isr: [2, 3] },
    wish: { election: 'preferred' },
    then: null,
  },
  {
    is: 'the first replica is fenced',
    before: { leader: 2 },
    wish: { election: 'preferred' },
    usable: [2, 3],
    then: null,
  },

  // Reassignment (KIP-455)
  {
    is: 'one goes, one comes',
    before: {},
    wish: { replicas: [1, 2, 4, 3], addingReplicas: [4], removingReplicas: [3] },
    then: {
      replicas: [1, 2, 4, 3],
      directories: ['a', 'b', 'd4', 'c'],
      addingReplicas: [4],
      removingReplicas: [3],
    },
  },
  {
    is: 'who came is in sync: who goes is gone, in a new epoch',
    before: {
      replicas: [1, 2, 4, 3],
      directories: ['a', 'b', 'd4', 'c'],
      addingReplicas: [4],
      removingReplicas: [3],
    },
    wish: { isr: [1, 2, 3, 4] },
    then: {
      replicas: [1, 2, 4],
      directories: ['a', 'b', 'd4'],
      isr: [1, 2, 4],
      addingReplicas: [],
      removingReplicas: [],
      leader: 1,
    },
  },
  {
    is: 'the leader goes last, and the first of the new ones leads',
    before: { replicas: [4, 2, 1, 3], addingReplicas: [4], removingReplicas: [1, 3], isr: [1, 2, 3] },
    wish: { isr: [1, 2, 3, 4] },
    then: {
      replicas: [4, 2],
      directories: ['a', 'b'],
      isr: [2, 4],
      addingReplicas: [],
      removingReplicas: [],
      leader: 4,
    },
  },
  {
    is: 'the ISR would fall below the minimum: who goes stays',
    before: { replicas: [4, 2, 1], addingReplicas: [4], removingReplicas: [1], isr: [1], leader: 1 },
    wish: { isr: [1, 4] },
    minIsr: 2,
    then: { isr: [1, 4] },
  },
  {
    is: 'the ISR was below the minimum before: waiting would not help',
    before: { replicas: [4, 1], addingReplicas: [4], removingReplicas: [1], isr: [1], directories: ['d4', 'a'] },
    wish: { isr: [4, 1] },
    minIsr: 2,
    then: {
      replicas: [4],
      directories: ['d4'],
      isr: [4],
      addingReplicas: [],
      removingReplicas: [],
      leader: 4,
    },
  },
  {
    is: 'fewer replicas at once',
    before: {},
    wish: { replicas: [2, 3, 1], removingReplicas: [1] },
    then: { replicas: [2, 3], directories: ['b', 'c'], isr: [2, 3], leader: 2 },
  },
  {
    is: 'another order only',
    before: {},
    wish: { replicas: [3, 1, 2] },
    then: { replicas: [3, 1, 2], directories: ['c', 'a', 'b'] },
  },

  // Chain
  {
    is: 'the head of a chain is lost: the next is the head',
    before: { isr: [1, 3, 2] },
    wish: { isr: [3, 2] },
    usable: [2, 3],
    chain: true,
    then: { isr: [3, 2], leader: 3 },
  },
  {
    is: 'the middle of a chain is lost: all hops are linked anew',
    before: { isr: [1, 3, 2] },
    wish: { isr: [1, 2] },
    chain: true,
    then: { isr: [1, 2], leader: 1 },
  },
  {
    is: 'one joins a chain at the tail',
    before: { isr: [3, 2], leader: 3 },
    wish: { isr: [3, 2, 1] },
    chain: true,
    then: { isr: [3, 2, 1], leader: 3 },
  },
  {
    is: 'the preferred head of a chain returns, the others line up as replicas do',
    before: { isr: [3, 2, 1], leader: 3 },
    wish: { election: 'preferred' },
    chain: true,
    then: { isr: [1, 2, 3], leader: 1 },
  },
]

for (const { is, before, wish, usable, minIsr = 1, unclean = false, chain = false, then } of cases) {
  test(is, () => {
    const rules = {
      usable: (id: number) => usable === undefined || usable.includes(id),
      directoryOf: (id: number) => `d${id}`,
      minIsr,
      unclean,
      chain,
    }
    const change = changePartition('t', 0, { ...whole, ...before }, wish, rules)
    if (then === null) assert.equal(change, null)
    else assert.deepEqual(change, { type: 'PartitionChangeRecord', partitionId: 0, topicId: 't', ...then })
  })
}
