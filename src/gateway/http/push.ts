import type { PlacedRecord, RecordToSend, SendOutcome } from '../../client/producer-options.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Acks, Pusher } from '../cluster-client.ts'
import { knownProblem, Problem } from './problem.ts'
import type { HttpAnswer } from './route.ts'

/** What the query's `acks` means. */
export const acksOf = { all: -1, '1': 1, '0': 0 } as const satisfies Record<string, Acks>

/** Where records go, and how they are written. */
export interface Target {
  readonly topic: string
  readonly acks: Acks
  readonly pusher: Pusher
}

/** One record: its place, or the problem. */
export async function pushOne(target: Target, record: RecordToSend): Promise<HttpAnswer> {
  return placed(target, await target.pusher.send(record))
}

export function placed({ topic, acks }: Pick<Target, 'topic' | 'acks'>, place: PlacedRecord): HttpAnswer {
  // With acks 0 nobody knows yet whether it will be written, nor where.
  return { status: acks === 0 ? 202 : 200, json: { topic, ...shown(place) } }
}

/** Records together: all of them are tried, and each has its answer. `bytes`: about how large they are. */
export async function pushAll(target: Target, records: readonly RecordToSend[], bytes: number): Promise<HttpAnswer> {
  const { pusher, topic } = target
  pusher.mustTake(bytes)
  return outcomesAnswer(target, await pusher.sendAll(topic, records))
}

/** As `pushOne` and `pushAll`, for requests that may come twice. */
export async function pushOnce(
  target: Target,
  key: string,
  content: Uint8Array,
  records: readonly RecordToSend[],
  batch: boolean,
): Promise<HttpAnswer> {
  const outcomes = await target.pusher.once(key, content, target.topic, records)
  const reused = outcomes.some(each => each instanceof KafkaError && each.errorName === 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  if (reused) {
    const detail = `the key ${key} was used before, for other records`
    throw new Problem(422, 'idempotency-key-reused', 'An idempotency key stands for one request', detail)
  }
  const [first] = outcomes
  if (batch || first === undefined) return outcomesAnswer(target, outcomes)
  if (first instanceof Error) throw first
  return placed(target, first)
}

/** 200 (202 with acks 0) when all are written, 207 when some are, the first one's problem when none is. */
function outcomesAnswer({ topic, acks }: Target, outcomes: readonly SendOutcome[]): HttpAnswer {
  const failed = outcomes.filter(each => each instanceof Error)
  const records = outcomes.map(each => (each instanceof Error ? { error: problemIn(each) } : shown(each)))
  const [error] = failed
  if (error !== undefined && failed.length === outcomes.length) {
    const { status, type, title, detail, more, headers } = problemIn(error)
    throw new Problem(status, type, title, detail, { ...more, records }, headers)
  }
  if (failed.length > 0) return { status: 207, json: { topic, failed: failed.length, records } }
  return { status: acks === 0 ? 202 : 200, json: { topic, records } }
}

/** An offset that is not known is null. */
export function shown({ partition, offset, timestamp }: PlacedRecord) {
  return { partition, offset: offset < 0 ? null : offset, timestamp }
}

/** Anything but an error of Kafka is a bug. */
export function problemIn(error: Error): Problem {
  const problem = knownProblem(error)
  if (problem === null) throw error
  return problem
}
