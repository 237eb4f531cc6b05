import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FollowerView, grownIsr, mayJoin, nextHighWatermark, shrunkIsr, type TermView } from './in-sync.ts'

type Change = Partial<Omit<TermView, 'followers'>> & { readonly of?: Readonly<Record<number, Partial<FollowerView>>> }

/** Leader 1 with followers 2 and 3, all in sync up to 100, in the broker epochs 12 and 13; time is 10,000, lag at most 5,000. */
function term({ of = {}, ...change }: Change = {}): TermView {
  const follower = (id: number): FollowerView => ({
    id,
    endOffset: 100,
    brokerEpoch: 10 + id,
    lastCaughtUpMs: 9000,
    onProbationUntilMs: Number.NEGATIVE_INFINITY,
    ...of[id],
  })
  const isr = change.isr ?? [1, 2, 3]
  return {
    leader: 1,
    followers: [follower(2), follower(3)],
    isr,
    maximalIsr: isr,
    minIsr: 2,
    endOffset: 100,
    flushedOffset: 100,
    highWatermark: 50,
    epochStartOffset: 20,
    now: 10_000,
    lagMaxMs: 5000,
    chain: false,
    eligibleEpoch: node => 10 + node,
    ...change,
  }
}

const long = 1000

test('the high watermark is what everybody has who counts', () => {
  const cases: [string, Change, number][] = [
    ['all have all', {}, 100],
    ['the slowest follower in sync', { of: { 3: { endOffset: 70 } } }, 70],
    ['the leader’s own disk', { flushedOffset: 60 }, 60],
    ['it never goes back', { of: { 2: { endOffset: 10 } } }, 50],
    ['a follower that has not fetched in this term', { of: { 2: { endOffset: -1 } } }, 50],
    ['a laggard still counts until its leave is committed', { of: { 2: { endOffset: 60, lastCaughtUpMs: long } } }, 60],
    ['who is out does not count', { isr: [1, 2], of: { 3: { endOffset: 60, lastCaughtUpMs: long } } }, 100],
    [
      'who is proposed counts already',
      { isr: [1, 2], maximalIsr: [1, 2, 3], of: { 3: { endOffset: 60, lastCaughtUpMs: long } } },
      60,
    ],
    ['who keeps up and may join counts', { isr: [1, 2], of: { 3: { endOffset: 60 } } }, 60],
    ['who keeps up and may not join does not', { isr: [1, 2], of: { 3: { endOffset: 60, brokerEpoch: 9 } } }, 100],
    [
      'who is on probation holds up nobody',
      { isr: [1, 2], of: { 3: { endOffset: 60, onProbationUntilMs: 10_001 } } },
      100,
    ],
    ['too small an ISR commits nothing', { isr: [1] }, 50],
    [
      'one is enough where one is asked for',
      { isr: [1], minIsr: 1, of: { 2: { lastCaughtUpMs: long }, 3: { lastCaughtUpMs: long } } },
      100,
    ],
  ]
  for (const [what, change, expected] of cases) assert.equal(nextHighWatermark(term(change)), expected, what)
})

test('who may join', () => {
  const cases: [string, Change, boolean][] = [
    ['who has what is committed, and keeps up', { isr: [1, 2], of: { 3: { endOffset: 60 } } }, true],
    ['not who is in already', {}, false],
    ['not who is proposed already', { isr: [1, 2], maximalIsr: [1, 2, 3] }, false],
    ['not below the high watermark', { isr: [1, 2], of: { 3: { endOffset: 49 } } }, false],
    [
      'not below the start of the leader’s epoch',
      { isr: [1, 2], epochStartOffset: 80, of: { 3: { endOffset: 79 } } },
      false,
    ],
    ['not a former self', { isr: [1, 2], of: { 3: { brokerEpoch: 12 } } }, false],
    ['not who did not say which self it is', { isr: [1, 2], of: { 3: { brokerEpoch: -1 } } }, false],
    ['not who is fenced', { isr: [1, 2], eligibleEpoch: () => -1 }, false],
    ['not who does not keep up', { isr: [1, 2], of: { 3: { endOffset: 60, lastCaughtUpMs: long } } }, false],
    ['who has everything, however long ago it came', { isr: [1, 2], of: { 3: { lastCaughtUpMs: long } } }, true],
  ]
  for (const [what, change, expected] of cases) {
    const view = term(change)
    assert.equal(mayJoin(view, view.followers[1]!), expected, what)
    assert.deepEqual(grownIsr(view), expected ? [1, 2, 3] : null, what)
  }
})

test('who leaves', () => {
  const late = { endOffset: 60, lastCaughtUpMs: long }
  const cases: [string, Change, number[] | null][] = [
    ['nobody', {}, null],
    ['nobody who was there a moment ago', { of: { 2: { endOffset: 60 } } }, null],
    ['nobody who has all, however quiet', { of: { 2: { lastCaughtUpMs: long } } }, null],
    ['who is late', { of: { 2: late } }, [1, 3]],
    ['all who are late', { of: { 2: late, 3: late } }, [1]],
    ['in a chain the first who is late', { chain: true, of: { 2: late, 3: late } }, [1, 3]],
    ['who is no replica any more', { isr: [1, 2, 4] }, [1, 2]],
  ]
  for (const [what, change, expected] of cases) assert.deepEqual(shrunkIsr(term(change)), expected, what)
})
