import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { WireError } from './protobuf/reader.ts'
import { ErrorInfo, RetryInfo, StatusMessage } from './services/status.ts'
import { afterWriting, GrpcError, grpcError, Status, type StatusName, statusDetails } from './status.ts'

const cases: readonly [ErrorName, StatusName][] = [
  ['UNKNOWN_TOPIC_OR_PARTITION', 'NOT_FOUND'],
  ['INVALID_TOPIC_EXCEPTION', 'INVALID_ARGUMENT'],
  ['INVALID_PARTITIONS', 'INVALID_ARGUMENT'],
  ['MESSAGE_TOO_LARGE', 'INVALID_ARGUMENT'],
  ['OFFSET_OUT_OF_RANGE', 'OUT_OF_RANGE'],
  ['TOPIC_AUTHORIZATION_FAILED', 'PERMISSION_DENIED'],
  ['THROTTLING_QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED'],
  ['NOT_ENOUGH_REPLICAS', 'UNAVAILABLE'],
  ['LEADER_NOT_AVAILABLE', 'UNAVAILABLE'],
  ['NETWORK_EXCEPTION', 'UNAVAILABLE'],
  ['COORDINATOR_LOAD_IN_PROGRESS', 'UNAVAILABLE'],
  ['INVALID_RECORD_STATE', 'FAILED_PRECONDITION'],
  ['CORRUPT_MESSAGE', 'DATA_LOSS'],
]

for (const [error, status] of cases)
  test(`${error} is ${status}`, () => assert.equal(grpcError(new KafkaError(error))?.status, status))

test('after what may have been written clients do not repeat by themselves', () => {
  for (const error of ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'] as const)
    assert.notEqual(grpcError(new KafkaError(error))?.status, 'UNAVAILABLE')
})

test('a lost answer of somebody who writes is UNKNOWN, too', () => {
  const error = grpcError(afterWriting(new KafkaError('NETWORK_EXCEPTION', 'gone')))
  assert.deepEqual([error?.status, error?.retriable, error?.reason], ['UNKNOWN', false, 'NETWORK_EXCEPTION'])
  assert.equal(grpcError(afterWriting(new KafkaError('NOT_ENOUGH_REPLICAS')))?.status, 'UNAVAILABLE')
})

test('every error of Kafka is one of gRPC, but for the unexpected', () => {
  for (const name of Object.keys(ErrorCode) as ErrorName[]) {
    const error = grpcError(new KafkaError(name))
    if (name === 'UNKNOWN_SERVER_ERROR') assert.equal(error, null)
    else assert.ok(Status[error!.status] > 0, name)
  }
  assert.equal(grpcError(new TypeError('a bug')), null)
  assert.equal(grpcError(new WireError('x'))?.status, 'INVALID_ARGUMENT')
})

test('details carry the word for programs, and when to ask again', () => {
  const details = statusDetails(grpcError(new KafkaError('NOT_ENOUGH_REPLICAS', 'too few'))!)!
  const status = StatusMessage.decode(details)
  assert.deepEqual([status.code, status.message], [14, 'too few'])
  const [info, retry] = status.details
  assert.match(info!.typeUrl, /ErrorInfo$/)
  const { reason, domain } = ErrorInfo.decode(info!.value)
  assert.deepEqual([reason, domain], ['NOT_ENOUGH_REPLICAS', 'ottla'])
  assert.match(retry!.typeUrl, /RetryInfo$/)
  assert.equal(RetryInfo.decode(retry!.value).retryDelay?.nanos, 100_000_000)
  assert.equal(statusDetails(new GrpcError('NOT_FOUND', 'no')), null)
})
