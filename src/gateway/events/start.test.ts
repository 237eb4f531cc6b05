import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFrom } from './start.ts'

test('where a stream begins', () => {
  assert.equal(parseFrom('earliest'), 'earliest')
  assert.equal(parseFrom('latest'), 'latest')
  const times: [string, number][] = [
    ['0', 0],
    ['1700000000000', 1_700_000_000_000],
    ['2024-01-01', Date.UTC(2024, 0, 1)],
    ['2024-01-01T12:30Z', Date.UTC(2024, 0, 1, 12, 30)],
    ['2024-01-01T12:30:15.5+02:00', Date.UTC(2024, 0, 1, 10, 30, 15, 500)],
  ]
  for (const [text, timestamp] of times) assert.deepEqual(parseFrom(text), { timestamp }, text)
})

test('what is no beginning', () => {
  // Without a zone a time would mean something else on each machine.
  const wrong = ['', 'now', '-1', '1e3', '2024-13-01', '2024-01-01T12:30', '1969-01-01', '9999999999999999', ' 1']
  for (const text of wrong) assert.equal(parseFrom(text), null, text)
})
