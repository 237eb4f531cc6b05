import type { StartAt } from '../../../client/offsets.ts'
import type { RecordToSend } from '../../../client/producer-options.ts'
import { expiresAfter, expiresAfterHeader } from '../../../protocol/batches/expiry.ts'
import type { DoorContext } from '../context.ts'
import type { Implementation } from '../implementation.ts'
import type { In, Out } from '../protobuf/schema.ts'
import {
  type ConsumeRequest,
  From,
  type NewRecord,
  type ProducedRecord,
  type ProduceRequest,
  type ProduceResponse,
  type Records,
} from '../services/records.ts'
import { afterWriting, GrpcError, grpcError } from '../status.ts'
import { recordMessages } from '../stream-codecs.ts'
import { startsAt, subscribe } from '../subscribing.ts'

/** Batches of one client that are written at the same time, and their bytes. */
const mostUnderWay = 8
const mostBytesUnderWay = 1024 * 1024

/** Records whose outcomes are told in a turn of their own, and what one of them costs there. */
const manyRecords = 500
const toldCost = 2

/** `ottla.v1.Records`. What its calls mean stands in `proto/ottla/v1/records.proto`. */
export function records(context: DoorContext): Implementation<typeof Records> {
  const { client } = context
  const produce = async ({ topic, records }: Out<typeof ProduceRequest>): Promise<In<typeof ProduceResponse>> => {
    if (records.length === 0) throw new GrpcError('INVALID_ARGUMENT', 'there are no records to write')
    const outcomes = await client.pusher(-1).sendAll(
      topic,
      records.map(record => toSend(topic, record)),
    )
    const [first] = outcomes
    if (first instanceof Error && outcomes.every(outcome => outcome instanceof Error)) throw afterWriting(first)
    // Many small records take longer to tell of than they took to write.
    const turn = outcomes.length < manyRecords ? null : context.telling.take(outcomes.length * toldCost)
    if (turn !== null) await turn
    return { records: outcomes.map(outcome => (outcome instanceof Error ? failed(outcome) : outcome)) }
  }

  return {
    Produce: request => produce(request),

    async ProduceStream(call) {
      const pusher = client.pusher(-1)
      const underWay: { readonly bytes: number; readonly answered: Promise<void> }[] = []
      let bytesUnderWay = 0
      let last: Promise<void> = Promise.resolve()
      for (let request = await call.next(); request !== null; request = await call.next()) {
        await pusher.ready(request.topic)
        const answer = produce(request)
        const before = last
        last = before.then(async () => call.write(await answer))
        // Told at once, although the client may go on. What follows an error nobody hears of.
        last.catch(error => call.fail(error))
        answer.catch(() => {})
        const bytes = sizeOf(request)
        underWay.push({ bytes, answered: last })
        for (bytesUnderWay += bytes; underWay.length >= mostUnderWay || bytesUnderWay > mostBytesUnderWay; ) {
          const first = underWay.shift()!
          await first.answered
          bytesUnderWay -= first.bytes
        }
      }
      await last
    },

    async Consume(request, call) {
      const { topic, maxRecords } = request
      const { start, partitions } = placesOf(request)
      const wish = {
        topic,
        codec: recordMessages,
        partitions: partitions === null ? null : new Set(partitions.keys()),
        ...(maxRecords > 0 ? { most: maxRecords } : {}),
      }
      await subscribe(context, call, wish, (hub, cluster) => startsAt(hub, cluster, partitions, start))
    },
  }
}

function toSend(topic: string, record: Out<typeof NewRecord>): RecordToSend {
  const { partition, key, value, timestamp, expiresAfterSeconds: seconds } = record
  if (partition !== null && partition < 0) throw new GrpcError('INVALID_ARGUMENT', 'a partition is not negative')
  if (timestamp !== null && timestamp < 0) throw new GrpcError('INVALID_ARGUMENT', 'a timestamp is not negative')
  if (seconds !== null && seconds < 0) throw new GrpcError('INVALID_ARGUMENT', 'a time to live is not negative')
  if (seconds !== null && record.headers.some(header => header.key === expiresAfterHeader))
    throw new GrpcError('INVALID_ARGUMENT', `expires_after_seconds and the header ${expiresAfterHeader} say the same`)
  const headers = seconds === null ? record.headers : [...record.headers, expiresAfter(seconds)]
  return {
    topic,
    key,
    value,
    headers,
    ...(partition === null ? {} : { partition }),
    ...(timestamp === null ? {} : { timestamp }),
  }
}

function sizeOf({ records }: Out<typeof ProduceRequest>): number {
  return records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
}

function failed(reason: unknown): In<typeof ProducedRecord> {
  const {
    code,
    reason: word,
    message,
  } = grpcError(afterWriting(reason)) ?? new GrpcError('INTERNAL', 'an unexpected error')
  return { partition: -1, offset: -1, timestamp: -1, error: { code, reason: word ?? '', message } }
}

function placesOf(request: Out<typeof ConsumeRequest>) {
  const { partitions, from, fromTimestamp } = request
  const edge: StartAt = from === From.values.FROM_EARLIEST ? 'earliest' : 'latest'
  const start: StartAt = fromTimestamp === null ? edge : { timestamp: fromTimestamp }
  if (partitions.some(({ offset }) => offset !== null && offset < 0))
    throw new GrpcError('INVALID_ARGUMENT', 'an offset is not negative')
  const places = new Map(partitions.map(({ partition, offset }) => [partition, offset ?? start]))
  return { start, partitions: places.size === 0 ? null : places }
}
