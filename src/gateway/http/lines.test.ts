import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lines } from './lines.ts'
import { Problem } from './problem.ts'

const all = (pieces: readonly string[], limit = 100) => {
  const lines = new Lines(limit)
  const found = [...pieces.flatMap(piece => [...lines.add(Buffer.from(piece, 'latin1'))]), ...lines.end()]
  return found.map(line => line.toString().trim())
}

test('lines come whole, however the pieces are cut', () => {
  const text = '{"a":1}\r\n\n  {"b":"gr\xc3\xbc\xc3\x9fe"}\n{"c":3}'
  const lines = ['{"a":1}', '{"b":"grüße"}', '{"c":3}']
  assert.deepEqual(all([text]), lines)
  assert.deepEqual(all([...text]), lines)
  for (let cut = 0; cut <= text.length; cut++) assert.deepEqual(all([text.slice(0, cut), text.slice(cut)]), lines)
  assert.deepEqual(all(['one\n']), ['one'])
  assert.deepEqual(all([]), [])
})

test('a line that is too long is refused before it is whole', () => {
  const tooLong = (error: unknown) => error instanceof Problem && error.status === 413
  assert.deepEqual(all(['12345\n', '123', '45\n'], 5), ['12345', '12345'])
  assert.throws(() => all(['123', '456'], 5), tooLong)
  assert.throws(() => all(['123456\n'], 5), tooLong)
})

test('what is kept of a line is counted, and given back', () => {
  let held = 0
  let most = 0
  const lines = new Lines(100, bytes => {
    held += bytes
    most = Math.max(most, held)
  })
  const found = ['123', '45', '\n6', '7\n8', '9'].flatMap(piece => [...lines.add(Buffer.from(piece))])
  assert.deepEqual(
    [...found, ...lines.end()].map(line => line.toString()),
    ['12345', '67', '89'],
  )
  assert.deepEqual([most, held], [5, 0])
})
