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
  // Another one is held.
  const metrics = { bodyBytes: 100, bodiesRefused: 0 }
  const reader = new BodyReader(message as unknown as IncomingMessage, { most: 1000, metrics })
  const reading = reader.read(10_000)
  const refused = assert.rejects(reading, (error: Problem) => error instanceof Problem && error.status === 503)
  const first = (() => {
    const bytes = Buffer.allocUnsafeSlow(600)
    message.write(bytes)
    return new WeakRef(bytes)
  })()
  await tick()
  assert.equal(metrics.bodyBytes, 700)
  message.write(Buffer.alloc(301))
  await refused
  assert.equal(metrics.bodiesRefused, 1)
  reader.release()
  assert.equal(metrics.bodyBytes, 100)
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

test('a body that is larger than all that may be held is taken alone', async () => {
  const metrics = { bodyBytes: 0, bodiesRefused: 0 }
  const open = () => {
    const message = Object.assign(new PassThrough(), { headers: {}, complete: false })
    return { message, reader: new BodyReader(message as unknown as IncomingMessage, { most: 1000, metrics }) }
  }
  const [large, other, late] = [open(), open(), open()]
  const reading = large.reader.read(10_000)
  large.message.write(Buffer.alloc(3000))
  await tick()
  const refused = assert.rejects(other.reader.read(10_000), { status: 503 })
  other.message.end(Buffer.alloc(1))
  await refused
  large.message.end(Buffer.alloc(3000))
  assert.equal((await reading).length, 6000)
  large.reader.release()
  const small = late.reader.read(10_000)
  late.message.end(Buffer.alloc(1))
  assert.equal((await small).length, 1)
  assert.deepEqual(metrics, { bodyBytes: 1, bodiesRefused: 1 })
})
