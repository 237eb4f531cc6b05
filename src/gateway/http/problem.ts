import { ErrorCode, type ErrorName, KafkaError } from '../../protocol/errors.ts'

const longestDetail = 1000

/** What went wrong, as clients are told: a problem document (RFC 9457). Thrown by whoever finds out. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  /** A word or two with hyphens; the `type` is made of it. */
  readonly type: string
  readonly title: string
  readonly detail: string
  readonly more: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    type: string,
    title: string,
    detail: string,
    more: Readonly<Record<string, unknown>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.status = status
    this.type = type
    this.title = title
    // What a client sent may be a part of it.
    this.detail = detail.length > longestDetail ? `${detail.slice(0, longestDetail)}…` : detail
    this.more = more
    this.headers = headers
  }

  /** The document. */
  toJSON(): Record<string, unknown> {
    const { type, title, status, detail, more } = this
    return { type: `urn:ottla:problem:${type}`, title, status, detail, ...more }
  }
}

export const badRequest = (detail: string): Problem => new Problem(400, 'bad-request', 'The request is wrong', detail)

export const notFound = (detail: string): Problem => new Problem(404, 'not-found', 'There is no such thing', detail)

/** The errors of Kafka that are somebody's fault, or that pass; all others are ours. */
const statuses: { readonly [name in ErrorName]?: number } = {
  OFFSET_OUT_OF_RANGE: 416,
  UNKNOWN_TOPIC_OR_PARTITION: 404,
  UNKNOWN_TOPIC_ID: 404,
  GROUP_ID_NOT_FOUND: 404,
  UNKNOWN_MEMBER_ID: 409,
  RESOURCE_NOT_FOUND: 404,
  LOG_DIR_NOT_FOUND: 404,
  INVALID_TOPIC_EXCEPTION: 400,
  INVALID_PARTITIONS: 400,
  INVALID_REPLICATION_FACTOR: 400,
  INVALID_REPLICA_ASSIGNMENT: 400,
  INVALID_CONFIG: 400,
  INVALID_REQUEST: 400,
  INVALID_GROUP_ID: 400,
  INVALID_TIMESTAMP: 400,
  INVALID_RECORD: 400,
  INVALID_REQUIRED_ACKS: 400,
  INVALID_COMMIT_OFFSET_SIZE: 400,
  OFFSET_METADATA_TOO_LARGE: 400,
  CORRUPT_MESSAGE: 400,
  UNSUPPORTED_COMPRESSION_TYPE: 400,
  POLICY_VIOLATION: 403,
  TOPIC_AUTHORIZATION_FAILED: 403,
  GROUP_AUTHORIZATION_FAILED: 403,
  CLUSTER_AUTHORIZATION_FAILED: 403,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 403,
  TOPIC_DELETION_DISABLED: 403,
  TOPIC_ALREADY_EXISTS: 409,
  NON_EMPTY_GROUP: 409,
  GROUP_SUBSCRIBED_TO_TOPIC: 409,
  REBALANCE_IN_PROGRESS: 409,
  ILLEGAL_GENERATION: 409,
  REASSIGNMENT_IN_PROGRESS: 409,
  NO_REASSIGNMENT_IN_PROGRESS: 409,
  CONCURRENT_TRANSACTIONS: 409,
  MESSAGE_TOO_LARGE: 413,
  RECORD_LIST_TOO_LARGE: 413,
  THROTTLING_QUOTA_EXCEEDED: 429,
  UNSUPPORTED_VERSION: 501,
  REQUEST_TIMED_OUT: 504,
  NOT_ENOUGH_REPLICAS: 503,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 503,
  LEADER_NOT_AVAILABLE: 503,
  NOT_LEADER_OR_FOLLOWER: 503,
  BROKER_NOT_AVAILABLE: 503,
  REPLICA_NOT_AVAILABLE: 503,
  COORDINATOR_NOT_AVAILABLE: 503,
  COORDINATOR_LOAD_IN_PROGRESS: 503,
  NOT_COORDINATOR: 503,
  NOT_CONTROLLER: 503,
  NETWORK_EXCEPTION: 503,
  KAFKA_STORAGE_ERROR: 507,
}

/** The status that an error of Kafka has over HTTP: what passes is no fault of ours. */
function statusOf(name: ErrorName, retriable: boolean): number {
  return statuses[name] ?? (retriable ? 503 : 500)
}

/** An error of Kafka as a problem: `error` is its name, `code` its number, so that whoever knows Kafka can tell. */
export function problemOf(error: KafkaError): Problem {
  const { errorName, message, retriable } = error
  const status = statusOf(errorName, retriable)
  const title = errorName.charAt(0) + errorName.slice(1).toLowerCase().replaceAll('_', ' ')
  return new Problem(
    status,
    errorName.toLowerCase().replaceAll('_', '-'),
    title,
    message,
    { error: errorName, code: ErrorCode[errorName], retriable },
    status === 503 || status === 429 ? { 'retry-after': '1' } : {},
  )
}

/** Whatever was thrown, as a problem; null: a bug, which the caller logs. */
export function knownProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error
  return error instanceof KafkaError ? problemOf(error) : null
}

/** What a bug looks like from outside. */
export const internalProblem = new Problem(
  500,
  'internal-error',
  'Something went wrong here',
  'The request failed unexpectedly; the log of the node says more.',
)
