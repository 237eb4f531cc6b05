import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Assignor, range, roundRobin } from './assignors.ts'

interface Case {
  readonly what: string
  readonly assignor: Assignor
  /** Member → topics. */
  readonly members: Record<string, string[]>
  readonly partitions: Record<string, number>
  /** Member → `topic-partition`, with spaces. */
  readonly expected: Record<string, string>
}

const cases: readonly Case[] = [
  {
    what: 'range: one member gets all',
    assignor: range,
    members: { a: ['t', 'u'] },
    partitions: { t: 2, u: 1 },
    expected: { a: 't-0 t-1 u-0' },
  },
  {
    what: 'range: the first members get one more, in each topic',
    assignor: range,
    members: { b: ['t', 'u'], a: ['t', 'u'] },
    partitions: { u: 3, t: 3 },
    expected: { a: 't-0 t-1 u-0 u-1', b: 't-2 u-2' },
  },
  {
    what: 'range: who did not ask for a topic gets none of it',
    assignor: range,
    members: { a: ['t'], b: ['t', 'u'], c: ['u'] },
    partitions: { t: 3, u: 2 },
    expected: { a: 't-0 t-1', b: 't-2 u-0', c: 'u-1' },
  },
  {
    what: 'range: more members than partitions',
    assignor: range,
    members: { a: ['t'], b: ['t'], c: ['t'] },
    partitions: { t: 2 },
    expected: { a: 't-0', b: 't-1', c: '' },
  },
  {
    what: 'range: a topic that nobody asked for, and one that does not exist',
    assignor: range,
    members: { a: ['gone'] },
    partitions: { t: 2 },
    expected: { a: '' },
  },
  {
    what: 'roundrobin: deals all topics out as one row',
    assignor: roundRobin,
    members: { b: ['t', 'u'], a: ['t', 'u'] },
    partitions: { t: 3, u: 3 },
    expected: { a: 't-0 t-2 u-1', b: 't-1 u-0 u-2' },
  },
  {
    what: 'roundrobin: passes over who did not ask',
    assignor: roundRobin,
    members: { a: ['t'], b: ['t', 'u'], c: ['t', 'u', 'v'] },
    partitions: { t: 1, u: 2, v: 3 },
    expected: { a: 't-0', b: 'u-0', c: 'u-1 v-0 v-1 v-2' },
  },
  {
    what: 'roundrobin: a topic that nobody asked for',
    assignor: roundRobin,
    members: { a: ['t'] },
    partitions: { s: 1, t: 1 },
    expected: { a: 't-0' },
  },
]

for (const { what, assignor, members, partitions, expected } of cases) {
  test(what, () => {
    const assignments = assignor.assign(
      Object.entries(members).map(([memberId, topics]) => ({ memberId, topics })),
      new Map(Object.entries(partitions)),
    )
    const shown = [...assignments].map(([memberId, assignment]) => [
      memberId,
      [...assignment].flatMap(([topic, mine]) => mine.map(partition => `${topic}-${partition}`)).join(' '),
    ])
    assert.deepEqual(Object.fromEntries(shown), expected)
  })
}
