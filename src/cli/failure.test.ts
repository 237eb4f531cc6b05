import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../protocol/errors.ts'
import { explain, Failure } from './failure.ts'

test('people get one line of words, and the status that tells a wrong command line from a failure', () => {
  const rows: readonly (readonly [unknown, string, number])[] = [
    [new Failure('say which topic', 2), 'say which topic', 2],
    [
      new KafkaError('INVALID_TOPIC_EXCEPTION', 'a b: INVALID_TOPIC_EXCEPTION'),
      "a b: not a topic's name: up to 249 letters, digits, dots, hyphens and underscores",
      1,
    ],
    [new KafkaError('INVALID_CONFIG', 'retention.ms must be a number'), 'retention.ms must be a number', 1],
    [new KafkaError('UNKNOWN_MEMBER_ID', 'g: UNKNOWN_MEMBER_ID'), 'g: UNKNOWN_MEMBER_ID', 1],
    [Object.assign(new Error(), { code: 'EACCES', path: '/data' }), 'permission denied: /data', 1],
    [new TypeError('x is not a function'), 'internal error: x is not a function (OTTLA_DEBUG=1 shows where)', 70],
  ]
  for (const [error, line, exitCode] of rows) assert.deepEqual(explain(error), { lines: [line], exitCode })
})
