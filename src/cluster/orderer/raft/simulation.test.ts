import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dice } from '../../../machine/testing.ts'
import { Raft } from './raft.ts'
import { simulate } from './simulate.test.kit.ts'

describe('a quorum', () => {
  const seeds = Number(process.env.OTTLA_RAFT_SEEDS ?? 100)
  const first = Number(process.env.OTTLA_RAFT_SEED ?? 1)

  it('loses nothing and comes back, whatever happens', () => {
    let ms = 0
    let events = 0
    for (let seed = first; seed < first + seeds; seed++) {
      const result = simulate(Raft, dice(seed))
      ms += result.ms
      events += result.events
      if (result.violation !== null) {
        assert.fail(`seed ${seed}: ${result.violation}\n${result.story.slice(-60).join('\n')}\nOTTLA_RAFT_SEED=${seed}`)
      }
    }
    if (process.env.OTTLA_TIMES) console.log({ seeds, simulatedHours: ms / 3_600_000, events })
  })
})
