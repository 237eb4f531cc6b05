import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { WireError } from './protobuf/reader.ts'
import { ErrorInfo, RetryInfo, StatusMessage } from './services/status.ts'

/** gRPC's status codes. */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const
export type StatusName = keyof typeof Status

/** How a call ends when it does not end well: what its client is told. */
export class GrpcError extends Error {
  readonly status: StatusName
  /** A word for programs (`google.rpc.ErrorInfo.reason`): Kafka's name of the error, where it has one. */
  readonly reason: string | null
  /** Asking again, after a moment, may work. */
  readonly retriable: boolean

  constructor(status: StatusName, message: string, reason: string | null = null, retriable = false) {
    super(message)
    this.status = status
    this.reason = reason
    this.retriable = retriable
  }

  get code(): number {
    return Status[this.status]
  }
}

/**
 * What Kafka's errors are to gRPC. UNAVAILABLE only where nothing has happened or a repetition does no harm, since clients
 * repeat by themselves after it; where a record may or may not be written, it is UNKNOWN or DEADLINE_EXCEEDED.
 */
const statuses: Partial<Record<ErrorName, StatusName>> = {
  OFFSET_OUT_OF_RANGE: 'OUT_OF_RANGE',
  CORRUPT_MESSAGE: 'DATA_LOSS',
  UNKNOWN_TOPIC_OR_PARTITION: 'NOT_FOUND',
  UNKNOWN_TOPIC_ID: 'NOT_FOUND',
  GROUP_ID_NOT_FOUND: 'NOT_FOUND',
  RESOURCE_NOT_FOUND: 'NOT_FOUND',
  TRANSACTIONAL_ID_NOT_FOUND: 'NOT_FOUND',
  REQUEST_TIMED_OUT: 'DEADLINE_EXCEEDED',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'UNKNOWN',
  MESSAGE_TOO_LARGE: 'INVALID_ARGUMENT',
  RECORD_LIST_TOO_LARGE: 'INVALID_ARGUMENT',
  INVALID_TOPIC_EXCEPTION: 'INVALID_ARGUMENT',
  OFFSET_METADATA_TOO_LARGE: 'INVALID_ARGUMENT',
  TOPIC_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  GROUP_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  CLUSTER_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'PERMISSION_DENIED',
  SASL_AUTHENTICATION_FAILED: 'UNAUTHENTICATED',
  TOPIC_ALREADY_EXISTS: 'ALREADY_EXISTS',
  DUPLICATE_RESOURCE: 'ALREADY_EXISTS',
  UNSUPPORTED_VERSION: 'UNIMPLEMENTED',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'UNIMPLEMENTED',
  UNSUPPORTED_COMPRESSION_TYPE: 'INVALID_ARGUMENT',
  THROTTLING_QUOTA_EXCEEDED: 'RESOURCE_EXHAUSTED',
  GROUP_MAX_SIZE_REACHED: 'RESOURCE_EXHAUSTED',
  SHARE_SESSION_LIMIT_REACHED: 'RESOURCE_EXHAUSTED',
  POLICY_VIOLATION: 'FAILED_PRECONDITION',
  NON_EMPTY_GROUP: 'FAILED_PRECONDITION',
  INVALID_RECORD_STATE: 'FAILED_PRECONDITION',
  TOPIC_DELETION_DISABLED: 'FAILED_PRECONDITION',
  SECURITY_DISABLED: 'FAILED_PRECONDITION',
  ILLEGAL_GENERATION: 'ABORTED',
  UNKNOWN_MEMBER_ID: 'ABORTED',
  FENCED_MEMBER_EPOCH: 'ABORTED',
  FENCED_STATE_EPOCH: 'ABORTED',
  FENCED_INSTANCE_ID: 'ABORTED',
  REBALANCE_IN_PROGRESS: 'ABORTED',
  CONCURRENT_TRANSACTIONS: 'ABORTED',
  PRODUCER_FENCED: 'ABORTED',
  BROKER_NOT_AVAILABLE: 'UNAVAILABLE',
}

function statusOf(error: KafkaError): StatusName {
  const known = statuses[error.errorName]
  if (known !== undefined) return known
  if (error.retriable) return 'UNAVAILABLE'
  return error.errorName.startsWith('INVALID_') ? 'INVALID_ARGUMENT' : 'INTERNAL'
}

/** Null: nothing that a client is meant to see, but a bug. */
export function grpcError(error: unknown): GrpcError | null {
  if (error instanceof GrpcError) return error
  if (error instanceof WireError)
    return new GrpcError('INVALID_ARGUMENT', `The message cannot be read: ${error.message}`)
  if (!(error instanceof KafkaError) || error.errorName === 'UNKNOWN_SERVER_ERROR') return null
  return new GrpcError(statusOf(error), error.message, error.errorName, error.retriable)
}

/** An error of somebody who writes: where the answer is lost, nobody knows whether it is written, and repeating may double it. */
export function afterWriting(error: unknown): unknown {
  const isLost = error instanceof KafkaError && error.errorName === 'NETWORK_EXCEPTION'
  return isLost ? new GrpcError('UNKNOWN', `${error.message}; it may be written`, error.errorName) : error
}

const domain = 'ottla'
/** ms after which a client may try again. */
const retryMs = 100

/** `grpc-status-details-bin`: null when there is nothing to say beyond code and message. */
export function statusDetails(error: GrpcError): Buffer | null {
  if (error.reason === null && !error.retriable) return null
  const details = []
  if (error.reason !== null)
    details.push({
      typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo',
      value: ErrorInfo.encode({ reason: error.reason, domain }),
    })
  if (error.retriable)
    details.push({
      typeUrl: 'type.googleapis.com/google.rpc.RetryInfo',
      value: RetryInfo.encode({ retryDelay: { nanos: retryMs * 1_000_000 } }),
    })
  return StatusMessage.encode({ code: error.code, message: error.message, details })
}
