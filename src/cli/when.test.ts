import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bracketedPairs, pairsOf } from './pairs.ts'
import { parseCount, parseDuration, parsePosition, parseTime } from './when.ts'

test('where to start reading', () => {
  assert.deepEqual(parsePosition('beginning'), { at: 'beginning' })
  assert.deepEqual(parsePosition('Earliest'), { at: 'beginning' })
  assert.deepEqual(parsePosition('end'), { at: 'end' })
  assert.deepEqual(parsePosition('stored'), { at: 'stored' })
  assert.deepEqual(parsePosition('17'), { at: 'offset', offset: 17 })
  assert.deepEqual(parsePosition('-10'), { at: 'tail', count: 10 })
  assert.deepEqual(parsePosition('s@1700000000000'), { at: 'time', ms: 1700000000000 })
  assert.throws(() => parsePosition('soon'), /offset soon: say beginning/)
})

test('moments', () => {
  const now = Date.UTC(2026, 0, 2)
  assert.equal(parseTime('2026-01-01', now), Date.UTC(2026, 0, 1))
  assert.equal(parseTime('2026-01-01T10:00:00.500', now), Date.UTC(2026, 0, 1, 10, 0, 0, 500))
  assert.equal(parseTime('2026-01-01T10:00:00.500Z', now), Date.UTC(2026, 0, 1, 10, 0, 0, 500))
  assert.equal(parseTime('2026-01-01T10:00:00.000+0200', now), Date.UTC(2026, 0, 1, 8))
  assert.equal(parseTime('12345', now), 12345)
  assert.equal(parseTime('1d', now), Date.UTC(2026, 0, 1))
  assert.equal(parseTime('1.5h', now), now - 5_400_000)
  assert.throws(() => parseTime('yesterday', now), /time yesterday/)
  assert.throws(() => parseTime('2026-13-01', now), /time 2026-13-01/)
})

test('durations', () => {
  assert.equal(parseDuration('PT1H'), 3_600_000)
  assert.equal(parseDuration('P1DT2H3M4.5S'), 93_784_500)
  assert.equal(parseDuration('P0DT0H0M0S'), 0)
  assert.throws(() => parseDuration('1h'), /duration 1h/)
  assert.throws(() => parseDuration('PT'), /duration PT/)
})

test('counts and pairs', () => {
  assert.equal(parseCount('--partitions', '3', 1), 3)
  assert.throws(() => parseCount('--partitions', '0', 1), /--partitions 0: say a whole number of at least 1/)
  assert.throws(() => parseCount('-c', '1x'), /whole number/)
  assert.deepEqual(
    [...pairsOf('--config', ['a=1', 'b=x=y', 'c='])],
    [
      ['a', '1'],
      ['b', 'x=y'],
      ['c', ''],
    ],
  )
  assert.throws(() => pairsOf('--config', ['a']), /--config a: say --config key=value/)
  assert.deepEqual(
    [...bracketedPairs('--add-config', 'a=1,b=[x,y],c=2')],
    [
      ['a', '1'],
      ['b', 'x,y'],
      ['c', '2'],
    ],
  )
})
