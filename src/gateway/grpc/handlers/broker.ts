import type { RecordToSend } from '../../../client/producer-options.ts'
import { readPartition } from '../../../client/read-partition.ts'
import { expiresAfter, isExpired } from '../../../protocol/batches/expiry.ts'
import type { RecordHeader } from '../../../protocol/batches/records.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { broadcastHeader } from '../broadcasts.ts'
import type { DoorContext } from '../context.ts'
import type { Implementation } from '../implementation.ts'
import type { Out } from '../protobuf/schema.ts'
import { Sequences } from '../sequences.ts'
import type { Broker, PublishRequest } from '../services/broker.ts'
import { afterWriting, GrpcError } from '../status.ts'
import { bodyMessages } from '../stream-codecs.ts'
import { startsAt, subscribe } from '../subscribing.ts'

/** Ids are int32. */
const largestId = 2 ** 31 - 1
/** All that a subject's calls write and count is in this partition: ids are its offsets. */
const partition = 0

/** `broker.Broker`. What its calls mean stands in `proto/broker.proto`. */
export function broker(context: DoorContext): Implementation<typeof Broker> {
  const { client, world, config } = context
  const sequences = new Sequences(client, () => config.get('auto.create.topics.enable'))

  const headersOf = ({ expirationSeconds }: Out<typeof PublishRequest>): RecordHeader[] => {
    if (expirationSeconds < 0) throw new GrpcError('INVALID_ARGUMENT', 'expirationSeconds must not be negative')
    return expirationSeconds === 0 ? [] : [expiresAfter(expirationSeconds)]
  }

  const write = (record: RecordToSend) => client.pusher(-1).send(record).catch(rethrow)

  return {
    async Publish(request) {
      const { subject: topic, body: value } = request
      const { offset } = await write({ topic, partition, value, headers: headersOf(request) })
      return { id: idOf(offset, 'published, but its id') }
    },

    async Subscribe({ subject }, call) {
      await client.topic(subject, true)
      const wish = { topic: subject, codec: bodyMessages }
      await subscribe(context, call, wish, (hub, cluster) => startsAt(hub, cluster, null, 'latest'))
    },

    async Fetch({ subject: topic, id }) {
      if (id < 0) throw new GrpcError('INVALID_ARGUMENT', 'an id is not negative')
      const missing = () => new GrpcError('NOT_FOUND', `${topic} has no message ${id}, or not any more`)
      // However little is asked for, the batch that holds the record comes whole.
      const options = { offset: id, maxRecords: 1, maxBytes: 1, isolation: 'read_committed' } as const
      const { records } = await readPartition(client.cluster, { topic, partition }, options).catch(error => {
        throw isOutside(error) ? missing() : error
      })
      const record = records[0]
      if (record === undefined || record.offset !== id || isExpired(record, world.clock.now())) throw missing()
      return { body: record.value ?? undefined }
    },

    async Broadcast(request) {
      const { subject: topic, body: value } = request
      const own = headersOf(request)
      const { partitions } = await client.topic(topic, true)
      const id = Buffer.from(Buffer.from(world.random.bytes(16)).toString('hex'))
      const headers = [...own, { key: broadcastHeader, value: id }]
      const copies = partitions.map(each => write({ topic, partition: each.partition, value, headers }))
      for (const result of await Promise.allSettled(copies)) if (result.status === 'rejected') throw result.reason
      return { ack: true }
    },

    async IncIdx({ subject }) {
      const number = await sequences.next(subject).catch(rethrow)
      return { newIdx: idOf(number, 'counted, but the number') }
    },
  }
}

function rethrow(error: unknown): never {
  throw afterWriting(error)
}

function idOf(number: number, what: string): number {
  if (number >= 0 && number <= largestId) return number
  if (number < 0) throw new GrpcError('UNKNOWN', `${what} was lost with the answer`)
  throw new GrpcError('OUT_OF_RANGE', `${what} ${number} does not fit into an int32; use ottla.v1`)
}

const isOutside = (error: unknown) => error instanceof KafkaError && error.errorName === 'OFFSET_OUT_OF_RANGE'
