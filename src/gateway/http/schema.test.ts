import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultIn, type Schema, strict, wholeBody } from './schema.ts'

const named: Schema = {
  type: 'object',
  properties: { name: { type: 'string', pattern: '^[a-z]+$' }, count: { type: ['integer', 'null'], minimum: 1 } },
  required: ['name'],
}

for (const [value, schema, expected] of [
  [{ name: 'a' }, named, null],
  [{ name: 'a', count: null }, named, null],
  [{ name: 'a', count: 0 }, named, 'count must be at least 1'],
  [{ name: 'a', count: 1.5 }, named, 'count must be a whole number or null'],
  [{ count: 1 }, named, 'name is missing'],
  [{ name: 'A' }, named, 'name must match ^[a-z]+$'],
  [{ name: 'a', other: 1 }, named, 'other is not known here'],
  [JSON.parse('{"name":"a","__proto__":1}'), named, '__proto__ is not known here'],
  [[], named, 'The body must be an object'],
  [null, named, 'The body must be an object'],
  ['x', { type: 'array' }, 'The body must be an array'],
  [[1, 'x'], { type: 'array', items: { type: 'integer' } }, 'The body[1] must be a whole number'],
  [[1], { type: 'array', minItems: 2 }, 'The body must have at least 2 items'],
  [[1, 2], { type: 'array', maxItems: 1 }, 'The body must have at most 1 items'],
  ['abc', { type: 'string', maxLength: 2 }, 'The body must not be longer than 2'],
  [{ a: { b: 1 } }, { additionalProperties: { additionalProperties: { type: 'string' } } }, 'a.b must be a string'],
  [{ a: 1 }, { type: 'object' }, null],
  [1, { anyOf: [{ type: 'string' }, { type: 'integer' }] }, null],
  [true, { anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'The body must be a string'],
  ['x', { enum: ['a', null] }, 'The body must be one of "a", null'],
  [1e300, { type: 'integer' }, 'The body must be a whole number'],
  [Number.MAX_SAFE_INTEGER, { type: 'integer' }, null],
] as const satisfies readonly (readonly [unknown, Schema, string | null])[])
  test(`${JSON.stringify(value)} by ${JSON.stringify(schema)}`, () =>
    assert.equal(faultIn(value, schema, wholeBody), expected))

test('the documentation says that what is not named is refused', () => {
  const schema: Schema = {
    type: 'object',
    properties: { a: { type: 'object', properties: {} }, b: { additionalProperties: { properties: {} } } },
  }
  assert.deepEqual(strict({ type: 'array', items: { anyOf: [schema, { type: 'object' }] } }), {
    type: 'array',
    items: {
      anyOf: [
        {
          type: 'object',
          properties: {
            a: { type: 'object', properties: {}, additionalProperties: false },
            b: { additionalProperties: { properties: {}, additionalProperties: false } },
          },
          additionalProperties: false,
        },
        { type: 'object' },
      ],
    },
  })
})
