import type { KafkaRecord } from '../../protocol/batches/records.ts'
import type { Position } from './position.ts'

/** Where a stream stands in which topic. */
export interface Place {
  readonly topic: string
  /** Of the topic: see `topicTag`. */
  readonly tag: string
  /** Offsets of the next records. */
  readonly position: Position
}

/** Records that were gone before a subscriber has seen them. */
export interface Gap {
  readonly topic: string
  readonly partition: number
  /** What would have been next, and what is. */
  readonly expected: number
  readonly offset: number
}

/** How a stream says things. Records are put into bytes once, for all streams of a topic that say them alike. */
export interface EventCodec {
  /** Codecs of one name say the same. */
  readonly name: string
  /** Bytes that `join` puts in front. */
  readonly headBytes: number
  /** `place`: behind the record. Null: nobody is told of it. */
  record(place: Place, partition: number, record: KafkaRecord): Uint8Array | null
  /** Records as they are sent: some, with so many bytes in all. */
  join(events: readonly Uint8Array[], bytes: number): Uint8Array
  /** What a stream begins with; null: nothing. */
  greeting(place: Place, random: { int(below: number): number }): Uint8Array | null
  /** A sign of life. `news`: the subscriber was not told yet that it stands there. Null: there is none. */
  heartbeat(place: Place, news: boolean): Uint8Array | null
  /** Null: a stream with a gap ends. */
  gap(place: Place, gap: Gap): Uint8Array | null
}
