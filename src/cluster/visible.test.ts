import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, type ErrorName } from '../protocol/errors.ts'
import type { ClusterState } from './state.ts'
import { isVisible } from './visible.ts'

const stateWith = (...names: string[]) =>
  ({ topics: new Map(names.map(name => [name, {}])) }) as unknown as ClusterState

const create = (error: ErrorName, state: ClusterState, validateOnly = false) =>
  isVisible(
    'createTopics',
    { topics: [], validateOnly } as never,
    { topics: [{ name: 't', errorCode: ErrorCode[error] }] } as never,
    state,
  )

test('a topic that was made, now or a moment ago by somebody else, shows before that is said', () => {
  assert.equal(create('NONE', stateWith()), false)
  assert.equal(create('NONE', stateWith('t')), true)
  assert.equal(create('TOPIC_ALREADY_EXISTS', stateWith()), false)
  assert.equal(create('TOPIC_ALREADY_EXISTS', stateWith('t')), true)
  assert.equal(create('INVALID_PARTITIONS', stateWith()), true)
  assert.equal(create('NONE', stateWith(), true), true)
})

test('a topic that was deleted is gone before that is said', () => {
  const answer = { responses: [{ name: 't', errorCode: ErrorCode.NONE }] } as never
  assert.equal(isVisible('deleteTopics', {} as never, answer, stateWith('t')), false)
  assert.equal(isVisible('deleteTopics', {} as never, answer, stateWith()), true)
})
