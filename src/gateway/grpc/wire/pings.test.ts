import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pings } from './pings.ts'

function start() {
  const clock = { ms: 0, mono: () => clock.ms }
  return { clock, pings: new Pings(clock) }
}

test('a client that keeps its connection alive may ping for ever', () => {
  const { clock, pings } = start()
  for (let count = 0; count < 1000; count++) {
    clock.ms += 10_000
    assert.equal(pings.allow(), true)
  }
})

test('pings beyond the burst are refused until time has passed', () => {
  const { clock, pings } = start()
  for (let count = 0; count < 20; count++) assert.equal(pings.allow(), true)
  assert.equal(pings.allow(), false)
  clock.ms += 10_000
  assert.equal(pings.allow(), true)
})

test('whoever gets messages may ping as it likes', () => {
  const { pings } = start()
  for (let count = 0; count < 1000; count++) {
    if (count % 10 === 0) pings.sent()
    assert.equal(pings.allow(), true)
  }
})
