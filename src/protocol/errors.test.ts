import assert from 'node:assert/strict'
import test from 'node:test'
import { ErrorCode, errorName, isRetriable, KafkaError } from './errors.ts'

test('138 codes without a gap, from −1 to 136', () => {
  const codes = Object.values(ErrorCode).sort((a, b) => a - b)
  assert.deepEqual(
    codes,
    Array.from({ length: 138 }, (_, i) => i - 1),
  )
})

test('names', () => {
  assert.equal(errorName(3), 'UNKNOWN_TOPIC_OR_PARTITION')
  assert.equal(errorName(0), 'NONE')
  assert.equal(errorName(9999), 'UNKNOWN_SERVER_ERROR')
  assert.equal(isRetriable('NOT_LEADER_OR_FOLLOWER'), true)
  assert.equal(isRetriable(ErrorCode.TOPIC_AUTHORIZATION_FAILED), false)
})

test('an error for a client has a code and says what to do', () => {
  const error = new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', 'try again in a moment')
  assert.equal(error.code, 14)
  assert.equal(error.errorName, 'COORDINATOR_LOAD_IN_PROGRESS')
  assert.equal(error.message, 'try again in a moment')
  assert.equal(error.retriable, true)
  assert.equal(new KafkaError('INVALID_CONFIG').message, 'INVALID_CONFIG')
  // @ts-expect-error: not a name of Kafka's
  assert.equal(new KafkaError('NO_SUCH_ERROR').code, undefined)
})
