import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Run } from './run.ts'

test('followers copy, and what all have is committed and acknowledged', async () => {
  const { acknowledged, failed, elections } = await new Run(1, { faults: false, faultyMs: 300, healingMs: 300 }).run()
  assert.ok(acknowledged > 50, `${acknowledged} acknowledged`)
  assert.equal(failed, 0)
  assert.equal(elections, 0)
})

test('nothing that was acknowledged is lost, whatever happens', async () => {
  let acknowledged = 0
  for (let seed = 1; seed <= 5; seed++) {
    const run = new Run(seed, { faultyMs: 500, healingMs: 1000 })
    try {
      acknowledged += (await run.run()).acknowledged
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${run.story.join('\n')}`, { cause: error })
    }
  }
  assert.ok(acknowledged > 100, `${acknowledged} acknowledged`)
})
