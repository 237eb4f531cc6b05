import { errorName, KafkaError } from '../protocol/errors.ts'

/** The error that a code in an answer means; `message` is the broker's own, where it sent one. */
export function failure(code: number, what: string, message?: string | null): KafkaError {
  return new KafkaError(errorName(code), `${what}: ${message || errorName(code)}`)
}

/** Throws when an answer carries an error. */
export function throwIf(code: number, what: string, message?: string | null): void {
  if (code !== 0) throw failure(code, what, message)
}

/** Whether asking again may help: everything Kafka calls retriable, which the loss of a connection is, too. */
export function mayRetry(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable
}

/** As `mayRetry`, for whoever names topics that ought to exist: a missing one is an answer, not a reason to wait. */
export function isPassing(error: unknown): boolean {
  const missing = error instanceof KafkaError && error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
  return mayRetry(error) && !missing
}

const meansOldMetadata = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'KAFKA_STORAGE_ERROR',
  'REPLICA_NOT_AVAILABLE',
  'LISTENER_NOT_FOUND',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
])

/** Whether an error says that leaders are no longer where we think they are. */
export function isStale(error: unknown): boolean {
  return error instanceof KafkaError && meansOldMetadata.has(error.errorName)
}
