import { defaultMaxDecompressedBytes, type KafkaRecord } from '../protocol/batches/records.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import type { Cluster } from './cluster.ts'
import { failure, isPassing, throwIf } from './failures.ts'
import { FetchedRecords, loadCodecs } from './fetched.ts'
import type { IsolationLevel, TopicPartition } from './offsets.ts'

export interface ReadOptions {
  readonly offset: number
  readonly maxRecords: number
  /** Of batches as they are stored, and of keys and values when they are unpacked; a first record comes however large it is. */
  readonly maxBytes: number
  /** ms to wait for a first record. The connection answers nothing else meanwhile: see `ClusterClient.wait`. */
  readonly maxWaitMs: number
  readonly isolation: IsolationLevel
  /** What one batch may decompress to. */
  readonly maxDecompressedBytes: number
  /** Read this topic and none that has taken its name: then UNKNOWN_TOPIC_OR_PARTITION is thrown. Null: whichever has the name. */
  readonly topicId: string | null
}

export const defaultReadOptions: Omit<ReadOptions, 'offset'> = {
  maxRecords: 500,
  maxBytes: 1024 * 1024,
  maxWaitMs: 0,
  isolation: 'read_uncommitted',
  maxDecompressedBytes: defaultMaxDecompressedBytes,
  topicId: null,
}

export interface ReadRecords {
  /** Keys and values are views of the answer's memory. */
  readonly records: readonly KafkaRecord[]
  /** Where to go on. Behind the last record, or further where what follows is nothing to see. */
  readonly nextOffset: number
  readonly highWatermark: number
  readonly logStartOffset: number
}

/**
 * Reads one partition once: what is there from an offset on, or what comes within `maxWaitMs`. Remembers nothing. Throws
 * OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION (at once), CORRUPT_MESSAGE.
 */
export async function readPartition(
  cluster: Cluster,
  where: TopicPartition,
  options: Partial<ReadOptions> & Pick<ReadOptions, 'offset'>,
): Promise<ReadRecords> {
  const asked = { ...defaultReadOptions, ...options }
  const { clock } = cluster.world
  const deadline = clock.mono() + asked.maxWaitMs
  let { offset } = asked
  for (;;) {
    const maxWaitMs = Math.max(0, Math.round(deadline - clock.mono()))
    const read = await cluster.retry(
      () => once(cluster, where, { ...asked, offset, maxWaitMs }),
      [where.topic],
      isPassing,
    )
    // Markers and aborted transactions are bytes, but nothing to see: what comes behind them may be.
    const passed = read.nextOffset > offset && read.nextOffset < read.highWatermark
    if (read.records.length > 0 || (!passed && clock.mono() >= deadline)) return read
    offset = read.nextOffset
  }
}

async function once(cluster: Cluster, { topic, partition }: TopicPartition, asked: ReadOptions): Promise<ReadRecords> {
  const topicId = await topicIdOf(cluster, topic, asked.topicId)
  const connection = await cluster.leader(topic, partition)
  const { maxWaitMs, maxBytes, isolation } = asked
  const currentLeaderEpoch = cluster.leaderEpoch(topic, partition)
  const partitions = [{ partition, currentLeaderEpoch, fetchOffset: asked.offset, partitionMaxBytes: maxBytes }]
  const answer = await connection.request(
    Fetch,
    {
      maxWaitMs,
      minBytes: 1,
      maxBytes,
      isolationLevel: isolation === 'read_committed' ? 1 : 0,
      topics: [{ topic, topicId, partitions }],
    },
    { timeoutMs: maxWaitMs + cluster.options.requestTimeoutMs },
  )
  throwIf(answer.errorCode, 'Fetch')
  const part = answer.responses[0]?.partitions[0]
  if (part === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `no answer for ${topic}-${partition}`)
  if (part.errorCode !== 0) throw failure(part.errorCode, `${topic}-${partition} at offset ${asked.offset}`)
  const { highWatermark, logStartOffset } = part
  const bytes = part.records
  if (bytes === null || bytes.length === 0)
    return { records: [], nextOffset: asked.offset, highWatermark, logStartOffset }
  await loadCodecs(bytes)
  const aborted = isolation === 'read_committed' ? (part.abortedTransactions ?? []) : null
  const fetched = new FetchedRecords(bytes, asked.offset, aborted, asked.maxDecompressedBytes)
  const records: KafkaRecord[] = []
  for (let size = 0; records.length < asked.maxRecords && size < maxBytes; ) {
    const record = fetched.take()
    if (record === null) return { records, nextOffset: fetched.end, highWatermark, logStartOffset }
    size += (record.key?.length ?? 0) + (record.value?.length ?? 0)
    records.push(record)
  }
  return { records, nextOffset: records.at(-1)!.offset + 1, highWatermark, logStartOffset }
}

async function topicIdOf(cluster: Cluster, topic: string, wanted: string | null): Promise<string> {
  const { topicId } = await cluster.findTopic(topic)
  if (wanted === null || topicId === wanted) return topicId
  // What is remembered may be old.
  cluster.forget([topic])
  if ((await cluster.findTopic(topic)).topicId === wanted) return wanted
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} was deleted, and made anew`)
}
