import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Api } from '../../../protocol/schema.ts'
import { Orderers, settings } from './orderers.test.kit.ts'

/** Nodes 1 (leads) and 4 (only reads) on one side of a cut, the other voters on the other. */
class Split extends Orderers {
  split = false

  override async send(from: number, to: number, api: Api, request: object): Promise<unknown> {
    const near = (id: number) => id === 1 || id === 4
    const cut = () => this.split && near(from) !== near(to)
    if (cut()) throw new Error('cut')
    const answer = await super.send(from, to, api, request)
    if (cut()) throw new Error('cut')
    return answer
  }
}

const nap = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const now = () => performance.now()
/** As the node has it. */
const sureMs = (settings.fetchTimeoutMs * 2) / 3

async function withThree<T extends Orderers>(cluster: T, run: (cluster: T) => Promise<void>): Promise<void> {
  const hold = setInterval(() => {}, 1000)
  try {
    const one = await cluster.start(1)
    for (const id of [2, 3]) await cluster.start(id)
    while (one.orderer.describe().voters.length < 3) await nap(5)
    await run(cluster)
  } finally {
    clearInterval(hold)
    await cluster.stop()
  }
}

it('a leader that is cut off is not sure of its lead any more when it has a successor', async () => {
  await withThree(new Split(), async cluster => {
    const one = cluster.nodes.get(1)!
    const four = await cluster.start(4)
    one.append('a')
    while (!four.records.includes('a')) await nap(2)
    cluster.split = true
    let sureAt = 0
    let ledAt = 0
    for (const end = now() + 10_000; ledAt === 0 && now() < end; await nap(2)) {
      if (one.leading && now() - one.orderer.wholeAsOf() <= sureMs) sureAt = now()
      if ([2, 3].some(id => cluster.nodes.get(id)!.leading)) ledAt = now()
    }
    assert.ok(ledAt > 0)
    assert.ok(sureAt < ledAt, `sure ${(sureAt - ledAt).toFixed(0)} ms after the successor led`)
  })
})

it('who has installed a snapshot that ends where the log does has everything', async () => {
  await withThree(new Orderers(), async cluster => {
    const one = cluster.nodes.get(1)!
    for (const name of ['a', 'b', 'c']) {
      one.append(name)
      while (!one.records.includes(name)) await nap(2)
      one.compact()
      await nap(50)
    }
    const from = now()
    const four = await cluster.start(4)
    while (!four.records.includes('c')) await nap(2)
    for (const end = now() + 10_000; four.orderer.wholeAsOf() < from && now() < end; ) await nap(5)
    const { log } = four.orderer
    assert.ok(four.orderer.wholeAsOf() >= from, `the log is ${log.startOffset} to ${log.endOffset}`)
  })
})
