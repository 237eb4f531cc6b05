import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBucket } from './throttle.ts'

test('what is spent beyond the rate is rested for', () => {
  let now = 0
  let rate = 1000
  const bucket = new TokenBucket(
    () => now,
    () => rate,
  )
  assert.equal(bucket.restMs(), 0)
  bucket.spend(500)
  assert.equal(bucket.restMs(), 500)
  now = 400
  assert.equal(bucket.restMs(), 100)
  rate = 500
  assert.equal(bucket.restMs(), 200)
  now = 600
  assert.equal(bucket.restMs(), 0)
  // Long idleness does not gather into a flood.
  now = 1_000_000
  assert.equal(bucket.restMs(), 0)
  bucket.spend(300)
  assert.equal(bucket.restMs(), 500)
})
