import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

function bench(most: number, mostOfOne?: number) {
  const soon: (() => void)[] = []
  const turns = new Turns({ soon: run => void soon.push(run) }, most, mostOfOne)
  const turn = async () => {
    for (const run of soon.splice(0)) run()
    await Promise.resolve()
  }
  return { turns, turn, scheduled: () => soon.length }
}

test('what fits into a turn is taken at once, the rest in the order in which it came', async () => {
  const { turns, turn } = bench(10)
  const done: string[] = []
  assert.equal(turns.take(6), null)
  // The last may go beyond: it cannot be cut.
  assert.equal(turns.take(6), null)
  for (const name of ['a', 'b', 'c']) void turns.take(6)!.then(() => done.push(name))
  assert.equal(turns.waiting, 3)
  await turn()
  assert.deepEqual(done, ['a', 'b'])
  // Nobody goes before who waits.
  void turns.take(1)!.then(() => done.push('d'))
  await turn()
  assert.deepEqual(done, ['a', 'b', 'c', 'd'])
  assert.equal(turns.waiting, 0)
})

test('one takes less while others wait; when nothing is done nothing is scheduled', async () => {
  const { turns, turn, scheduled } = bench(10, 3)
  assert.equal(scheduled(), 0)
  assert.equal(turns.share, 10)
  turns.spend(10)
  assert.equal(turns.share, 0)
  const seen: number[] = []
  for (let i = 0; i < 2; i++) turns.wait(() => seen.push(turns.share))
  await turn()
  assert.deepEqual(seen, [3, 10])
  assert.equal(scheduled(), 0)
})

test('work is done one by one as long as something is left, and says itself what it took', async () => {
  const { turns, turn } = bench(10)
  const done: number[] = []
  const work = (i: number) => () => {
    turns.spend(6)
    done.push(i)
    if (i === 3) throw new Error('three')
    return i
  }
  const all = [1, 2, 3, 4].map(i => turns.run(work(i)))
  const outcomes = Promise.allSettled(all)
  assert.deepEqual(done, [1, 2])
  await turn()
  assert.deepEqual(done, [1, 2, 3, 4])
  assert.deepEqual(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  )
})
