import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Voter } from '../orderer.ts'
import { type GrowthSettings, type GrowthView, nextStep, windowMs } from './growth.ts'

const voter = (id: number, directoryId = `d${id}`): Voter => ({ id, directoryId, endpoints: [] })
const settings: GrowthSettings = { voters: 3, probationMs: 10_000, replaceAfterMs: -1 }
const steady = (id: number, more: Partial<GrowthView['candidates'][number]> = {}) => {
  return { voter: voter(id), caughtUp: true, steadyMs: 20_000, ...more }
}
const now = 1_000_000

function view(
  voters: readonly (number | [id: number, silentMs: number, leaves?: boolean])[],
  more: Partial<GrowthView> = {},
): GrowthView {
  return {
    now,
    voters: voters.map(of => (typeof of === 'number' ? { ...silent(of, 100) } : silent(...of))),
    candidates: [],
    attempt: null,
    goneMs: 1500,
    ...more,
  }
}

const silent = (id: number, silentMs: number, leaves = false) => ({ voter: voter(id), silentMs, leaves })

describe('growth of the quorum', () => {
  const cases: [what: string, view: GrowthView, settings: Partial<GrowthSettings>, step: string | null][] = [
    ['one node stays alone', view([1]), {}, null],
    ['one of two nodes stays the only voter', view([1], { candidates: [steady(2)] }), {}, null],
    ['of three, the second comes first', view([1], { candidates: [steady(3), steady(2)] }), {}, 'add 2'],
    ['then the third', view([1, 2], { candidates: [steady(3)], attempt: { added: voter(2), at: now } }), {}, 'add 3'],
    ['three are enough', view([1, 2, 3], { candidates: [steady(4), steady(5)] }), {}, null],
    ['unless five are wanted', view([1, 2, 3], { candidates: [steady(4), steady(5)] }), { voters: 5 }, 'add 4'],
    ['four are not', view([1, 2, 3], { candidates: [steady(4)] }), { voters: 5 }, null],
    ['who has just come waits', view([1], { candidates: [steady(2), steady(3, { steadyMs: 9_999 })] }), {}, null],
    ['who is behind waits', view([1], { candidates: [steady(2), steady(3, { caughtUp: false })] }), {}, null],
    ['a single voter is wanted', view([1], { candidates: [steady(2), steady(3)] }), { voters: 1 }, null],
    [
      'the third does not come: not yet',
      view([1, 2], { attempt: { added: voter(2), at: now - windowMs + 1 } }),
      {},
      null,
    ],
    [
      'the third does not come: back to one',
      view([1, 2], { attempt: { added: voter(2), at: now - windowMs } }),
      {},
      'remove 2',
    ],
    ['two that nobody here has made are left alone', view([1, 2]), {}, null],
    ['a missing third is added whoever began', view([1, 2], { candidates: [steady(3)] }), {}, 'add 3'],
    ['a dead voter stays, by default', view([1, 2, [3, 1e9]], { candidates: [steady(4)] }), {}, null],
    [
      'a dead voter is replaced: add',
      view([1, 2, [3, 60_001]], { candidates: [steady(4)] }),
      { replaceAfterMs: 60_000 },
      'add 4',
    ],
    [
      'a dead voter is replaced: too early',
      view([1, 2, [3, 60_000]], { candidates: [steady(4)] }),
      { replaceAfterMs: 60_000 },
      null,
    ],
    ['a dead voter is replaced: nobody is there', view([1, 2, [3, 60_001]]), { replaceAfterMs: 60_000 }, null],
    [
      'a dead voter is replaced: remove',
      view([1, 2, [3, 60_001], 4], { candidates: [steady(5)], attempt: { added: voter(4), at: now } }),
      { replaceAfterMs: 60_000 },
      'remove 3',
    ],
    ['a voter that is drained stays while nobody is there', view([1, 2, [3, 0, true]]), {}, null],
    ['a voter that is drained is replaced: add', view([1, 2, [3, 0, true]], { candidates: [steady(4)] }), {}, 'add 4'],
    ['a voter that is drained is replaced: remove', view([1, 2, [3, 0, true], 4]), {}, 'remove 3'],
    [
      'a voter with an empty disk: what it was goes',
      view([1, 2, [3, 2000]], { candidates: [steady(3, { voter: voter(3, 'new'), steadyMs: 0 })] }),
      {},
      'remove 3',
    ],
    [
      'a voter with an empty disk: what it is comes',
      view([1, 2], { candidates: [steady(3, { voter: voter(3, 'new') })] }),
      {},
      'add 3',
    ],
    [
      'a directory that is still heard keeps its vote',
      view([1, 2, 3], { candidates: [steady(3, { voter: voter(3, 'new') })] }),
      {},
      null,
    ],
  ]
  for (const [what, seen, more, expected] of cases) {
    it(what, () => {
      const step = nextStep(seen, { ...settings, ...more })
      assert.equal(step && `${step.do} ${step.voter.id}`, expected)
    })
  }
})
