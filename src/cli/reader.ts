import type { Cluster } from '../client/cluster.ts'
import { behind, type ConsumedRecord, Consumer, type ConsumerOptions } from '../client/consumer.ts'
import type { CommittedOffset } from '../client/group-offsets.ts'
import type { TopicPartition } from '../client/offsets.ts'
import { endsOf, type Range, startsOf } from './consume-plan.ts'
import { Failure } from './failure.ts'

/** Partitions on their own, or as a member of a group; knows when there is nothing more that was asked for. */
export class Reader {
  readonly #consumer: Consumer
  readonly #ends: () => ReadonlyMap<string, number> | null
  /** Offsets behind what was given out, where we commit ourselves. */
  readonly #done: Map<string, CommittedOffset> | null

  static async open(
    cluster: Cluster,
    topics: readonly string[],
    partitions: readonly number[] | null,
    range: Range,
    options: Partial<ConsumerOptions>,
    most: number,
  ): Promise<Reader> {
    const isolation = options.isolation ?? 'read_uncommitted'
    const bounded = range.exit || range.until !== null
    const grouped = options.groupId !== undefined && options.groupId !== null
    // Of the last batch only a part may be printed, and only that part may be committed.
    const done =
      grouped && options.autoCommit === true && most !== Number.POSITIVE_INFINITY
        ? new Map<string, CommittedOffset>()
        : null
    const settings = done === null ? options : { ...options, autoCommit: false }
    if (grouped && partitions === null && (range.start.at === 'end' || range.start.at === 'beginning')) {
      let ends: ReadonlyMap<string, number> | null = null
      const onAssigned = (mine: readonly TopicPartition[]) => {
        ends = null
        if (!bounded) return
        endsOf(cluster, mine, range, isolation).then(
          found => {
            ends = found
          },
          () => {},
        )
      }
      const consumer: Consumer = new Consumer(cluster, {
        ...settings,
        onAssigned,
        onRevoked: () => commitDone(consumer, done),
      })
      consumer.subscribe(topics)
      return new Reader(consumer, done, () => ends)
    }
    const wanted = await partitionsToRead(cluster, topics, partitions)
    const ends = bounded ? await endsOf(cluster, wanted, range, isolation) : null
    const consumer = new Consumer(cluster, settings)
    await consumer.assign(await startsOf(cluster, wanted, range.start))
    return new Reader(consumer, done, () => ends)
  }

  private constructor(
    consumer: Consumer,
    done: Map<string, CommittedOffset> | null,
    ends: () => ReadonlyMap<string, number> | null,
  ) {
    this.#consumer = consumer
    this.#done = done
    this.#ends = ends
  }

  /** At most `most` records, and none behind the end that was asked for; what is beyond is lost to this reader. */
  async next(most: number, timeoutMs: number): Promise<ConsumedRecord[]> {
    const records = await this.#consumer.poll(timeoutMs)
    const ends = this.#ends()
    const inside = ends === null ? records : records.filter(each => each.offset < (ends.get(name(each)) ?? Infinity))
    const given = inside.slice(0, most)
    if (this.#done !== null) {
      for (const record of given) this.#done.set(name(record), behind(record))
    }
    return given
  }

  get finished(): boolean {
    const ends = this.#ends()
    if (ends === null) return false
    return this.#consumer.assignment.every(each => {
      const end = ends.get(name(each))
      return end !== undefined && (end === 0 || (this.#consumer.position(each.topic, each.partition) ?? -1) >= end)
    })
  }

  async close(): Promise<void> {
    await commitDone(this.#consumer, this.#done)
    await this.#consumer.close()
  }
}

async function commitDone(consumer: Consumer, done: Map<string, CommittedOffset> | null): Promise<void> {
  if (done === null || done.size === 0) return
  const offsets = [...done.values()]
  done.clear()
  await consumer.commit(offsets)
}

const name = ({ topic, partition }: TopicPartition) => `${topic}-${partition}`

async function partitionsToRead(
  cluster: Cluster,
  topics: readonly string[],
  wanted: readonly number[] | null,
): Promise<TopicPartition[]> {
  const found: TopicPartition[] = []
  for (const topic of topics) {
    const { partitions } = await cluster.topic(topic)
    const there = partitions.map(each => each.partition)
    const missing = wanted?.find(partition => !there.includes(partition))
    if (missing !== undefined) {
      throw new Failure(
        `${topic} has no partition ${missing}: there are ${there.length}, from 0 to ${there.length - 1}`,
      )
    }
    for (const partition of wanted ?? there) found.push({ topic, partition })
  }
  return found
}
