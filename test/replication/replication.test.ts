import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Run, type RunOptions } from './run.ts'

async function survive(seeds: number, options: RunOptions): Promise<void> {
  let acknowledged = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const run = new Run(seed, options)
    try {
      acknowledged += (await run.run()).acknowledged
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${run.story.join('\n')}`, { cause: error })
    }
  }
  assert.ok(acknowledged > 10 * seeds, `${acknowledged} acknowledged`)
}

for (const topology of ['isr', 'chain']) {
  describe(topology, () => {
    test('followers copy; what all have is committed and acknowledged', async () => {
      const quiet = new Run(1, { topology, faults: false, faultyMs: 300, healingMs: 400 })
      const { acknowledged, failed, elections } = await quiet.run()
      assert.ok(acknowledged > 40, `${acknowledged} acknowledged`)
      assert.equal(failed, 0)
      assert.equal(elections, 0)
    })

    test('nothing that was acknowledged is lost, whatever happens', () =>
      survive(12, { topology, faultyMs: 400, healingMs: 900 }))

    test('two of three copies may be lost at once, for good', async () => {
      for (let seed = 1; seed <= 6; seed++) {
        const run = new Run(seed, { topology, faults: false })
        assert.ok((await run.loseAllBut(1 + (seed % 3))) > 20)
      }
    })
  })
}

test('a chain of four', () => survive(6, { topology: 'chain', nodes: 4, faultyMs: 400, healingMs: 900 }))
