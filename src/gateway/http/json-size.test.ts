import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isModest, mostNames, mostValues, mustBeModest } from './json-size.ts'
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

test('an object has so many names at most, all of them together may have more', () => {
  const object = (names: number) => `{${Array.from({ length: names }, (_, i) => `"k${i}":""`).join()}}`
  assert.equal(isModest(object(mostNames)), true)
  assert.equal(isModest(object(mostNames + 1)), false)
  assert.equal(isModest(`{"value":1,"headers":${object(mostNames + 1)}}`), false)
  const half = object(mostNames / 2)
  assert.equal(isModest(`[${half},${half},${half}]`), true)
  assert.equal(isModest(`{"a":${half},"b":${half},"c":[${half}]}`), true)
  // What stands in a list between two names is none.
  assert.equal(isModest(`{"a":[${'1,'.repeat(mostNames)}1],"b":1}`), true)
  assert.equal(isModest(`{"a":1,"b":{"c":[[]]},${object(mostNames - 1).slice(1)}`), false)
  assert.equal(isModest(`{"a":1,"b":{"c":[[]]},${object(mostNames - 2).slice(1)}`), true)
})
