import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expiresAfter, expiresAt, isExpired } from './expiry.ts'

const never = Number.POSITIVE_INFINITY
const header = (key: string, value: string | null) => ({ key, value: value === null ? null : Buffer.from(value) })
const after = (value: string | null) => header('ottla-expires-after', value)
const at = (value: string | null) => header('ottla-expires-at', value)

const cases: readonly [string, number, readonly ReturnType<typeof header>[], number][] = [
  ['no header', 1000, [], never],
  ['other headers', 1000, [header('trace', '1')], never],
  ['seconds after the timestamp', 1000, [after('30')], 31_000],
  ['a fraction of a second', 1000, [after('0.5')], 1500],
  ['at once', 1000, [after('0')], 1000],
  ['seconds without a timestamp', -1, [after('30')], never],
  ['a moment', 1000, [at('5000')], 5000],
  ['a moment without a timestamp', -1, [at('5000')], 5000],
  ['the earlier of both', 1000, [at('5000'), after('1')], 2000],
  ['the earlier of both, in the other order', 1000, [after('9'), at('5000')], 5000],
  ['the last of several', 1000, [after('1'), after('2')], 3000],
  ['null', 1000, [after(null), at(null)], never],
  ['nonsense', 1000, [after('soon'), at('1e3')], never],
  ['negative', 1000, [after('-1'), at('-1')], never],
  ['empty', 1000, [after(''), at('')], never],
  ['far too long', 1000, [at('9'.repeat(1_000_000))], never],
  ['not ASCII', 1000, [after('３')], never],
]

for (const [name, timestamp, headers, expected] of cases) {
  test(`expiry: ${name}`, () => assert.equal(expiresAt({ timestamp, headers }), expected))
}

test('a record is gone at the very ms at which it expires', () => {
  const record = { timestamp: 1000, headers: [after('1')] }
  assert.equal(isExpired(record, 1999), false)
  assert.equal(isExpired(record, 2000), true)
  assert.equal(isExpired({ timestamp: 1000, headers: [] }, 1e15), false)
})

test('what is written can be read', () => {
  for (const seconds of [0, 1, 0.25, 2_147_483_647]) {
    assert.equal(expiresAt({ timestamp: 0, headers: [expiresAfter(seconds)] }), seconds * 1000)
  }
  for (const seconds of [-1, Number.NaN, never, 1e21]) assert.throws(() => expiresAfter(seconds), RangeError)
})
