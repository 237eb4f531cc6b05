import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isModest, mostValues, mustBeModest } from './json-size.ts'
import { Problem } from './problem.ts'

test('what is in strings is no value', () => {
  for (const [text, values] of [
    ['[1,2,3]', 4],
    ['{"a":[],"b":{}}', 5],
    ['"[[[[,,,,"', 1],
    ['["\\"[,","\\\\",[]]', 5],
    ['"never closed [[[[', 1],
    ['[[[[', 5],
    [',,,', 4],
  ] as const) {
    assert.equal(isModest(text.padEnd(20), values), true, text)
    if (values > 1) assert.equal(isModest(text.padEnd(20), values - 1), false, text)
  }
})

test('more than a hundred thousand values are refused, megabytes of text are not', () => {
  for (const much of ['['.repeat(mostValues + 1), `[${'1,'.repeat(mostValues)}1]`, '{"a":'.repeat(mostValues + 1)])
    assert.throws(
      () => mustBeModest(much),
      (error: unknown) => error instanceof Problem && error.status === 413,
    )
  for (const fine of [JSON.stringify('[,{'.repeat(1_000_000)), '[', `[${'1,'.repeat(1000)}1]`, '\\"'.repeat(100_000)])
    assert.equal(mustBeModest(fine), fine)
})
