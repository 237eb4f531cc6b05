import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { type JsonFormat, recordJson } from '../record-json.ts'
import type { EventCodec, Place } from './codec.ts'
import { showPosition } from './position.ts'

/** Server-sent events as text (WHATWG HTML, 9.2). JSON has no line breaks here, so that each event has one line of data. */

/** ms after which `EventSource` tries again when the connection was lost, and as many more at most. */
const retryMs = 1000

/**
 * What every stream begins with: a reader that is cut off before its first event comes back to where it began. Not all come
 * back at once: those of one node lose their connections in the same moment.
 */
export const greeting = (id: string, random: { int(below: number): number }): string =>
  `retry: ${retryMs + random.int(retryMs)}\nid: ${id}\n\n`

export const heartbeat = ':\n\n'

/** An id without data sets what `EventSource` sends back, and is no event. */
export const idOnly = (id: string): string => `:\nid: ${id}\n\n`

export const recordEvent = (id: string, topic: string, partition: number, record: KafkaRecord, format: JsonFormat) =>
  Buffer.from(`id: ${id}\ndata: ${recordJson(topic, partition, record, format)}\n\n`)

/** Something about the stream itself: `onmessage` does not hear it, `addEventListener(name)` does. */
export const noticeEvent = (id: string, name: string, data: unknown): Buffer =>
  Buffer.from(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

const shown = ({ position, tag }: Place): string => showPosition(position, tag)

const codecs = new Map<JsonFormat, EventCodec>()

/** Server-sent events with values in this format. */
export function eventsOf(format: JsonFormat): EventCodec {
  const known = codecs.get(format)
  if (known !== undefined) return known
  const codec: EventCodec = {
    name: `events ${format}`,
    headBytes: 0,
    record: (place, partition, record) => recordEvent(shown(place), place.topic, partition, record, format),
    join: (events, bytes) => (events.length === 1 ? events[0]! : Buffer.concat(events, bytes)),
    greeting: (place, random) => Buffer.from(greeting(shown(place), random)),
    heartbeat: (place, news) => Buffer.from(news ? idOnly(shown(place)) : heartbeat),
    gap: (place, gap) => noticeEvent(shown(place), 'gap', gap),
  }
  codecs.set(format, codec)
  return codec
}
