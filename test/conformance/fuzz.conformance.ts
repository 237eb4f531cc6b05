// Millions of hostile frames at every version of every API: only ProtocolError is thrown, nothing stalls, and memory stays
// where it was. OTTLA_FUZZ is the number of frames, OTTLA_SEED the seed.
import assert from 'node:assert/strict'
import test from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { dice, hostileFrame } from '../../src/protocol/hostile-frames.ts'
import { ProtocolError } from '../../src/protocol/protocol-error.ts'
import type { Fields, Message } from '../../src/protocol/schema.ts'
import { messages } from './messages.ts'

const frames = Number(process.env.OTTLA_FUZZ ?? 1_000_000)
const seed = Number(process.env.OTTLA_SEED ?? 1)

/** No frame of some hundred bytes may take this long, whatever it says. Generous: the machine has other work. */
const slowestMs = 250
const heapGrowthMax = 200 * 1024 * 1024

test(`${frames} hostile frames`, () => {
  const roll = dice(seed)
  const targets = [...messages.values()].flatMap(message =>
    Array.from({ length: message.versions.max - message.versions.min + 1 }, (_, i) => {
      const version = message.versions.min + i
      return { message, version, layout: message.layout(version) }
    }),
  )
  const heapBefore = process.memoryUsage().heapUsed
  let read = 0
  for (let i = 0; i < frames; i++) {
    const { message, version, layout } = targets[i % targets.length]!
    const frame = hostileFrame(layout, roll)
    const context = () => `${message.name} v${version}, frame ${i} of seed ${seed}: ${frame.toString('hex')}`
    const start = performance.now()
    const value = tryRead(message, version, frame, context)
    const took = performance.now() - start
    assert.ok(took < slowestMs || i < targets.length, `${took} ms: ${context()}`)
    if (value === undefined) continue
    read++
    // Whatever could be read can be written, and says the same again.
    if (i % 32 === 0) {
      const again = message.read(message.toBytes(version, value as never), version)
      assert.ok(isDeepStrictEqual(again, value), context())
    }
    if (i % 100_000 === 0) {
      const growth = process.memoryUsage().heapUsed - heapBefore
      assert.ok(growth < heapGrowthMax, `heap grew by ${growth} bytes after ${i} frames`)
    }
  }
  assert.ok(read > frames / 10 && read < frames * 0.9, `${read} of ${frames} could be read`)
})

function tryRead(message: Message<Fields>, version: number, frame: Buffer, context: () => string): unknown {
  try {
    return message.read(frame, version)
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `${String(error)}: ${context()}`)
    return undefined
  }
}
