import type { EventCodec } from '../events/codec.ts'
import { broadcastId, broadcastPartition } from './broadcasts.ts'
import { MessageResponse } from './services/broker.ts'
import { ConsumeResponse } from './services/records.ts'
import { framed, prefixBytes } from './wire/messages.ts'

/** What streams of gRPC do not say: they have deadlines and pings of their own, and end where records are missing. */
const silent = { greeting: () => null, heartbeat: () => null, gap: () => null } as const

/** `ottla.v1.Records/Consume`: a field with one record behind the other is a message with all of them. */
export const recordMessages: EventCodec = {
  ...silent,
  name: 'ottla.v1',
  headBytes: prefixBytes,
  record: (_, partition, record) => ConsumeResponse.encode({ records: [{ partition, ...record }] }),
  join(events, bytes) {
    const message = Buffer.allocUnsafe(prefixBytes + bytes)
    let at = prefixBytes
    for (const event of events) {
      message.set(event, at)
      at += event.length
    }
    return framed(message)
  },
}

/** `broker.Broker/Subscribe`: a message for each record. Of a broadcast one copy is enough for who reads all partitions. */
export const bodyMessages: EventCodec = {
  ...silent,
  name: 'broker',
  headBytes: 0,
  record(_, partition, record) {
    if (partition !== broadcastPartition && broadcastId(record) !== null) return null
    return framed(MessageResponse.encode({ body: record.value ?? undefined }, prefixBytes))
  },
  join: (events, bytes) => (events.length === 1 ? events[0]! : Buffer.concat(events, bytes)),
}
