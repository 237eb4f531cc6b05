import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { ApiEntry } from './api-entry.ts'
import { Gate } from './gate.ts'
import type { Handler } from './handler.ts'

const handler: Handler = { api: Metadata as never, keepsBytes: false, handle: () => ({ served: true }) as never }
const entryOf = (key: number) => new ApiEntry({ key, min: 0, max: 1, load: async () => ({ default: handler }) })

test('what nodes ask of each other goes through, what clients ask waits until the gate is open', async () => {
  const gate = new Gate(new VirtualTime())
  for (const key of [1, 18, 17, 36, 52, 62]) {
    const entry = entryOf(key)
    assert.equal(gate.hold(entry), entry)
  }
  const held = gate.hold(entryOf(Metadata.key))
  let loaded = false
  const loading = held.load().then(() => {
    loaded = true
  })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([loaded, held.handler], [false, null])
  gate.open()
  await loading
  assert.equal(held.handler, handler)
})

test('who waits too long is sent away without an answer: elsewhere there may be one', async () => {
  const time = new VirtualTime()
  const held = new Gate(time).hold(entryOf(Metadata.key))
  const loading = held.load()
  time.advance(3000)
  const { handle } = await loading
  let finished = 0
  assert.equal(handle({} as never, { peer: { finish: () => finished++ } } as never), null)
  assert.equal(finished, 1)
})
