import assert from 'node:assert/strict'
import test from 'node:test'
import type { Codec } from './codec.ts'
import { compile } from './compile.ts'
import { dice, honestFrame, hostileFrame } from './hostile-frames.ts'
import { interpret } from './interpret.ts'
import type { StructLayout } from './layout.ts'
import { allApis } from './messages/all.ts'
import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

interface Target {
  readonly name: string
  readonly layout: StructLayout
  readonly compiled: Codec<unknown, unknown>
  readonly interpreted: Codec<unknown, unknown>
}

function* targets(): Iterable<Target> {
  for (const message of allApis.flatMap(api => [api.request, api.response])) {
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      const layout = message.layout(version)
      const name = `${message.name} v${version}`
      yield { name, layout, compiled: compile(layout), interpreted: interpret(layout) }
    }
  }
}

/** The value, or the message of the ProtocolError; anything else thrown fails the test. */
function attempt(codec: Codec<unknown, unknown>, frame: Buffer): { value: unknown } | { error: string } {
  try {
    return { value: codec.read(new Reader(frame)) }
  } catch (error) {
    if (error instanceof ProtocolError) return { error: error.message }
    throw error
  }
}

function rewritten(codec: Codec<unknown, unknown>, value: unknown): Buffer {
  const writer = new Writer()
  codec.write(writer, value)
  return writer.toBytes()
}

const all = [...targets()]

test('honest frames of every version come through both compilers', () => {
  const roll = dice(1)
  for (const { name, layout, compiled, interpreted } of all) {
    for (let i = 0; i < 4; i++) {
      const frame = honestFrame(layout, roll)
      const value = compiled.read(new Reader(frame))
      assert.deepEqual(interpreted.read(new Reader(frame)), value, name)
      const bytes = rewritten(compiled, value)
      assert.ok(bytes.equals(rewritten(interpreted, value)), name)
      // Unknown tags are dropped, so the frame itself may differ; what it says may not.
      assert.deepEqual(compiled.read(new Reader(bytes)), value, name)
    }
  }
})

test('hostile frames raise ProtocolError or are read, the same way by both compilers', () => {
  const roll = dice(2)
  let read = 0
  let refused = 0
  for (let i = 0; i < 50_000; i++) {
    const { name, layout, compiled, interpreted } = all[i % all.length]!
    const frame = hostileFrame(layout, roll)
    const outcome = attempt(compiled, frame)
    if ('error' in outcome) refused++
    else read++
    if (i % 8 === 0) assert.deepEqual(attempt(interpreted, frame), outcome, `${name} ${frame.toString('hex')}`)
  }
  // Both happen often, else the frames are too tame or too wild to find anything.
  assert.ok(read > 5000 && refused > 5000, `${read} read, ${refused} refused`)
})
