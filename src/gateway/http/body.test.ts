import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BodyReader } from './body.ts'
import { Problem } from './problem.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const tick = () => new Promise(resolve => setImmediate(resolve))

test('what had come of a body that is refused is not kept, however long its connection stays', async () => {
  const message = Object.assign(new PassThrough(), { headers: {}, complete: false })
  const metrics = { bodyBytes: 0, bodiesRefused: 0 }
  const reader = new BodyReader(message as unknown as IncomingMessage, { most: 1000, metrics })
  const reading = reader.read(10_000)
  const refused = assert.rejects(reading, (error: Problem) => error instanceof Problem && error.status === 503)
  const first = (() => {
    const bytes = Buffer.allocUnsafeSlow(600)
    message.write(bytes)
    return new WeakRef(bytes)
  })()
  await tick()
  assert.equal(metrics.bodyBytes, 600)
  message.write(Buffer.alloc(401))
  await refused
  assert.equal(metrics.bodiesRefused, 1)
  reader.release()
  assert.equal(metrics.bodyBytes, 0)
  await tick()
  collect()
  assert.equal(first.deref(), undefined)
  assert.equal(message.destroyed, false)
})

test('a body that fills the budget is taken, and gives it back', async () => {
  const message = Object.assign(new PassThrough(), { headers: {}, complete: false })
  const metrics = { bodyBytes: 0, bodiesRefused: 0 }
  const reader = new BodyReader(message as unknown as IncomingMessage, { most: 1000, metrics })
  const reading = reader.read(10_000)
  message.write(Buffer.alloc(600))
  message.end(Buffer.alloc(400))
  assert.equal((await reading).length, 1000)
  assert.equal(metrics.bodyBytes, 1000)
  reader.release()
  assert.equal(metrics.bodyBytes, 0)
})
