import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { problemOf } from './problem.ts'

test('what passes is said to pass, also where no status was chosen for it', () => {
  const told = (name: ErrorName) => {
    const { status, headers } = problemOf(new KafkaError(name))
    return `${status} ${headers['retry-after'] ?? 'never'}`
  }
  assert.equal(told('OFFSET_NOT_AVAILABLE'), '503 1')
  assert.equal(told('FENCED_LEADER_EPOCH'), '503 1')
  assert.equal(told('THROTTLING_QUOTA_EXCEEDED'), '429 1')
  assert.equal(told('UNKNOWN_TOPIC_OR_PARTITION'), '404 never')
  assert.equal(told('UNKNOWN_SERVER_ERROR'), '500 never')
})
