import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster } from '../../src/index.ts'
import { ask, sleep } from './kit.ts'

test('any node of a cluster answers for all of it, and knows who leads', async () => {
  const cluster = await startCluster()
  try {
    const urls = cluster.nodes.map(({ port }) => `http://127.0.0.1:${port}`)
    const leaders = await Promise.all(urls.map(async url => (await ask(`${url}/metadata/leader`)).json))
    const [first] = leaders
    assert.deepEqual(new Set(leaders.map(({ leader }) => leader)), new Set([first.leader]))
    assert.deepEqual(new Set(leaders.map(({ port }) => port)), new Set([first.port]))
    // Where it is said to be, it says itself that it leads.
    for (const { url } of leaders) assert.equal((await ask(`${url}/health`)).json.isLeader, true)

    const made = await ask(`${urls[0]}/topics`, { body: { name: 'spread', partitions: 6, replicationFactor: 3 } })
    assert.equal(made.status, 201, made.text)
    assert.equal(new Set(made.json.partitions.map((each: { leader: number }) => each.leader)).size, 3)
    for (const url of urls) {
      const { status, json } = await ask(`${url}/topics/spread`)
      assert.equal(status, 200)
      assert.deepEqual(
        json.partitions.map((each: { end: number }) => each.end),
        [0, 0, 0, 0, 0, 0],
      )
    }

    const away = cluster.nodes.find(({ id }) => id !== first.nodeId)!
    await away.stop()
    const left = urls.filter(url => !url.endsWith(`:${away.port}`))
    for (const url of left) {
      let serving: number[] = []
      for (let i = 0; i < 100 && serving.length !== 2; i++) {
        serving = (await ask(`${url}/cluster`)).json.serving
        await sleep(50)
      }
      assert.ok(!serving.includes(away.id), JSON.stringify(serving))
      assert.equal((await ask(`${url}/topics`, { body: { name: `by-${url.slice(-5)}` } })).status, 201)
    }
  } finally {
    await cluster.stop()
  }
})
