import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerSettings } from './broker-configs.ts'
import { didYouMean, nearest } from './nearest.ts'

const names = Object.keys(brokerSettings)

for (const [wrong, expected] of [
  ['num.partition', 'num.partitions'],
  ['num_partitions', 'num.partitions'],
  ['log.retenton.ms', 'log.retention.ms'],
  ['NODE.ID', 'node.id'],
  ['autocreate.topics.enable', 'auto.create.topics.enable'],
  ['pot', 'port'],
  ['zookeeper.connect', null],
  ['', null],
] as const) {
  test(`nearest to "${wrong}" is ${expected}`, () => assert.equal(nearest(wrong, names), expected))
}

test('swapped letters are one mistake', () => {
  assert.equal(nearest('prot', ['post-', 'port']), 'port')
  assert.equal(didYouMean('flsh', names), ' (did you mean flush?)')
})

test('a hostile name costs little', () => {
  assert.equal(nearest('x'.repeat(1_000_000), names), null)
})
