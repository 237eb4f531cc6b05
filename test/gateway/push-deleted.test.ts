import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

test('a topic that was deleted is made anew by the next record, or missed at once where topics are not made', async () => {
  const headers = { 'content-type': 'application/json' }
  for (const made of [true, false]) {
    const own = await start({ config: { 'auto.create.topics.enable': made } })
    for (let round = 0; round < 3; round++) {
      await ask(`${own.url}/topics`, { body: { name: 'again' } })
      const push = (more = {}) =>
        ask(`${own.url}/topics/again/records`, { body: '{"value":1}', headers: { ...headers, ...more } })
      assert.equal((await push()).status, 200)
      assert.equal((await push({ 'idempotency-key': 'a' })).status, 200)
      for (const more of [{}, { 'idempotency-key': 'b' }]) {
        assert.equal((await ask(`${own.url}/topics/again`, { method: 'DELETE' })).status, 204)
        const begun = performance.now()
        assert.equal((await push(more)).status, made ? 200 : 404)
        assert.ok(performance.now() - begun < 5000, `${performance.now() - begun} ms`)
        if (!made) await ask(`${own.url}/topics`, { body: { name: 'again' } })
      }
      await ask(`${own.url}/topics/again`, { method: 'DELETE' })
    }
  }
})
