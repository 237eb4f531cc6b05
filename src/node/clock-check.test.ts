import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { silent } from '../world/logger.ts'
import { ClockCheck } from './clock-check.ts'

function scene() {
  const warnings: string[] = []
  const time = new VirtualTime(1_000_000)
  const check = new ClockCheck(time, { ...silent, warn: message => warnings.push(message) })
  return { time, check, warnings }
}

test('a fact stamped while we waited for it says nothing against either clock', () => {
  const { time, check, warnings } = scene()
  time.advance(5000)
  for (const timestamp of [1_000_000, 1_002_500, 1_005_000, 998_001, 1_006_999]) check.stamped(timestamp, 1_000_000)
  assert.deepEqual(warnings, [])
})

test('clocks that disagree are reported with the difference, once a minute', () => {
  const { time, check, warnings } = scene()
  time.advance(1000)
  check.stamped(970_000, 1_000_000)
  check.stamped(970_000, 1_000_000)
  time.advance(60_000)
  check.stamped(1_200_000, 1_060_000)
  assert.deepEqual(warnings, [
    "the clock of this machine is 30.0 s ahead of the controller's: set both by NTP",
    "the clock of this machine is 139.0 s behind the controller's: set both by NTP",
  ])
})
