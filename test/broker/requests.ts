// What tests ask of a broker: batches and the two requests that nearly all of them send.
import { type BatchToBuild, buildBatch } from '../../src/protocol/batches/build.ts'
import { iterateBatches } from '../../src/protocol/batches/iterate.ts'
import { readRecords } from '../../src/protocol/batches/records.ts'

/** A batch of records with these values. */
export function batch(values: readonly (string | Uint8Array)[], more: Partial<BatchToBuild> = {}): Buffer {
  return buildBatch({ records: values.map(value => ({ timestamp: 1, value: Buffer.from(value) })), ...more })
}

export interface ProduceOptions {
  readonly version?: number
  readonly acks?: number
  readonly partition?: number
}

export function produceRequest(name: string, records: Uint8Array, { acks = -1, partition = 0 }: ProduceOptions = {}) {
  return { acks, timeoutMs: 5000, topicData: [{ name, partitionData: [{ index: partition, records }] }] }
}

export interface FetchOptions {
  readonly version?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly replicaId?: number
  readonly forgotten?: readonly { topic: string; partitions: readonly number[] }[]
}

/** A place to read from: a topic by name, or by id from version 13 on. */
export interface Place {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset?: number
}

export function fetchRequest(places: readonly Place[], options: FetchOptions = {}) {
  const { maxWaitMs = 0, minBytes = 1, maxBytes = 0x7fffffff, partitionMaxBytes = 1_000_000 } = options
  const { version = 12, sessionId = 0, sessionEpoch = -1, replicaId = -1, forgotten = [] } = options
  return {
    ...(version < 15 ? { replicaId } : { replicaState: { replicaId } }),
    maxWaitMs,
    minBytes,
    maxBytes,
    sessionId,
    sessionEpoch,
    topics: places.map(({ topic = '', topicId, partition = 0, offset = 0 }) => ({
      ...(topicId === undefined ? { topic } : { topicId }),
      partitions: [{ partition, fetchOffset: offset, partitionMaxBytes }],
    })),
    ...(version >= 7 ? { forgottenTopicsData: forgotten } : {}),
  }
}

export function valuesOf(records: Uint8Array | null): string[] {
  const values: string[] = []
  if (records === null) return values
  for (const { position } of iterateBatches(records))
    for (const { value } of readRecords(records, position)) values.push(Buffer.from(value ?? []).toString())
  return values
}
