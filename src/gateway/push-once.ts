import { createHash } from 'node:crypto'
import type { Cluster, TopicMetadata } from '../client/cluster.ts'
import { failure, throwIf } from '../client/failures.ts'
import { partitionOfKey } from '../client/partitioner.ts'
import type { PlacedRecord, RecordToSend, SendOutcome } from '../client/producer.ts'
import { readPartition } from '../client/read-partition.ts'
import { within } from '../client/retry.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { isThere, noPartition, topicWith } from './topic-with.ts'

/** Ids that the cluster gives to producers begin at 0 and never come near; ours fill the upper half of the safe integers. */
const firstId = 2 ** 52
/** Beyond what the broker itself waits for replicas, ms. */
const graceMs = 2_000
/** That an answer is held back for the time of its records, ms: they are written. */
const timeMs = 1_000

/** Who a request is, so that the partitions know it when it comes again. */
interface Identity {
  readonly producerId: number
  readonly baseSequence: number
  /** Spreads records that have neither partition nor key, in the same way each time. */
  readonly spread: number
}

/**
 * Writes the records of a request that may come twice, to whatever node it comes: what is written already is not written
 * again, and both times the answer names the same offset and time.
 *
 * Nothing is remembered here. Partitions know the last batches of every producer, in order to write each once through
 * all retries (KIP-98), and that knowledge is replicated, survives restarts, and is kept for `producer.id.expiration.ms`
 * or until 10,000 younger producers came to the partition. So a request with a key is a producer of its own with one
 * batch: its id is a hash of the key, its sequence number one of the content, by which a key that is used again for something
 * else is told apart: OUT_OF_ORDER_SEQUENCE_NUMBER.
 */
export async function pushOnce(
  cluster: Cluster,
  key: string,
  content: Uint8Array,
  topic: string,
  records: readonly RecordToSend[],
): Promise<SendOutcome[]> {
  const identity = identityOf(key, content)
  const metadata = await topicWith(cluster, topic, records)
  const byPartition = new Map<number, number[]>()
  for (const [index, record] of records.entries()) {
    const partition = partitionOf(metadata, record, identity)
    const others = byPartition.get(partition)
    if (others === undefined) byPartition.set(partition, [index])
    else others.push(index)
  }
  const outcomes: SendOutcome[] = []
  const now = cluster.world.clock.now()
  await Promise.all(
    [...byPartition].map(async ([partition, indexes]) => {
      const batch = indexes.map(index => ({ ...records[index]!, timestamp: records[index]!.timestamp ?? now }))
      const written = await write(cluster, topic, partition, batch, identity).catch(asKafkaError)
      const times = written instanceof KafkaError ? [] : await timesOf(cluster, topic, partition, written, batch)
      for (const [i, index] of indexes.entries()) {
        const timestamp = times[i] ?? batch[i]!.timestamp
        outcomes[index] = written instanceof KafkaError ? written : placed(written, i, partition, timestamp)
      }
    }),
  )
  return outcomes
}

function identityOf(key: string, content: Uint8Array): Identity {
  const name = createHash('sha256').update(key).digest()
  const print = createHash('sha256').update(content).digest()
  return {
    producerId: firstId + (name.readUInt32BE(0) % 0x100000) * 0x1_0000_0000 + name.readUInt32BE(4),
    // The sequence numbers of the records after the first must not wrap.
    baseSequence: print.readUInt32BE(0) % 0x40000000,
    spread: name.readUInt32BE(8),
  }
}

function partitionOf(topic: TopicMetadata, record: RecordToSend, { spread }: Identity): number {
  const { partitions } = topic
  const { partition = -1, key = null } = record
  if (!isThere(topic, record)) throw noPartition(topic, partition)
  if (partition >= 0) return partition
  return key === null ? spread % partitions.length : partitionOfKey(key, partitions.length)
}

interface Written {
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

async function write(
  cluster: Cluster,
  topic: string,
  partition: number,
  records: readonly (RecordToSend & { readonly timestamp: number })[],
  { producerId, baseSequence }: Identity,
): Promise<Written> {
  const bytes = buildBatch({ records, producerId, producerEpoch: 0, baseSequence })
  const timeoutMs = cluster.options.requestTimeoutMs
  return cluster.retry(async () => {
    const { topicId } = await cluster.findTopic(topic, true)
    const connection = await cluster.leader(topic, partition)
    const partitionData = [{ index: partition, records: bytes }]
    const request = { acks: -1, timeoutMs, topicData: [{ name: topic, topicId, partitionData }] }
    const answer = await connection.request(Produce, request, { timeoutMs: timeoutMs + graceMs })
    const part = answer.responses[0]?.partitionResponses[0]
    if (part === undefined) throw failure(-1, `no answer for ${topic}-${partition}`)
    throwIf(part.errorCode, `${topic}-${partition}`, part.errorMessage)
    return part
  }, [topic])
}

/**
 * The times under which the records are stored. Whether they were written now or by a former try, the answer does not tell, so
 * one looks; none where they cannot be read (any more).
 */
async function timesOf(
  cluster: Cluster,
  topic: string,
  partition: number,
  { baseOffset, logAppendTimeMs }: Written,
  batch: readonly RecordToSend[],
): Promise<number[]> {
  const times: number[] = []
  if (logAppendTimeMs >= 0 || baseOffset < 0) return times
  // The batch comes whole, however little is asked for; a record takes more in it than its key and value.
  const maxBytes = batch.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 1)
  const options = { offset: baseOffset, maxRecords: batch.length, maxBytes }
  const reading = readPartition(cluster, { topic, partition }, options).then(({ records }) => {
    for (const { offset, timestamp } of records)
      if (offset - baseOffset < batch.length) times[offset - baseOffset] = timestamp
  }, asKafkaError)
  await within(cluster.world, timeMs, reading)
  return times
}

function placed(
  { baseOffset, logAppendTimeMs }: Written,
  index: number,
  partition: number,
  timestamp: number,
): PlacedRecord {
  return { partition, offset: baseOffset + index, timestamp: logAppendTimeMs < 0 ? timestamp : logAppendTimeMs }
}

function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  throw error
}
