import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atLeast, bool, double, int, list, listOf, long, MAX_LONG, password, string } from './definition.ts'
import { canonical, readValue } from './values.ts'

const policies = listOf(['compact', 'delete'], { empty: true })

test('values are read as Kafka reads them', () => {
  assert.deepEqual(readValue('a', bool(true), ' True '), { value: true })
  assert.deepEqual(readValue('a', int(0), '+7'), { value: 7 })
  assert.deepEqual(readValue('a', int(0), '-7'), { value: -7 })
  assert.deepEqual(readValue('a', double('0.5'), '1e3'), { value: 1000 })
  assert.deepEqual(readValue('a', string(''), ' x y '), { value: 'x y' })
  assert.deepEqual(readValue('a', list('', policies), 'compact , delete'), { value: ['compact', 'delete'] })
  assert.deepEqual(readValue('a', list('', policies), ''), { value: [] })
})

test('a long beyond the safe integers becomes the nearest safe one', () => {
  assert.deepEqual(readValue('a', long(MAX_LONG), MAX_LONG), { value: Number.MAX_SAFE_INTEGER })
  assert.deepEqual(readValue('a', long(0), '-9223372036854775808'), { value: Number.MIN_SAFE_INTEGER })
  assert.match((readValue('a', long(0), '9223372036854775808') as { error: string }).error, /Not a number of type LONG/)
})

test('what is wrong is said, with name and value, but never a password', () => {
  const error = (reading: object) => (reading as { error: string }).error
  assert.equal(
    error(readValue('retention.ms', long(0, atLeast(-1)), '-5')),
    'Invalid value -5 for configuration retention.ms: Value must be at least -1',
  )
  assert.equal(
    error(readValue('cleanup.policy', list('', policies), 'squeeze')),
    'Invalid value squeeze for configuration cleanup.policy: String must be one of: compact, delete',
  )
  assert.match(error(readValue('a', list('', policies), 'delete,delete')), /repeat/)
  assert.match(error(readValue('a', list('', listOf([], { empty: false })), '')), /must not be empty/)
  assert.match(error(readValue('a', int(0), `${'9'.repeat(100_000)}`)), /Not a number/)
  assert.deepEqual(readValue('a', password(), 'secret'), { value: 'secret' })
})

test('shown values have one spelling', () => {
  assert.equal(canonical(bool(true), ' FALSE'), 'false')
  assert.equal(canonical(list(''), 'a , b,c '), 'a,b,c')
  assert.equal(canonical(long(0), '+9223372036854775807'), MAX_LONG)
  assert.equal(canonical(double('0'), '1.7976931348623157E308'), '1.7976931348623157E308')
})
