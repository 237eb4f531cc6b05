import type { Cluster } from '../../client/cluster.ts'
import { findOffsets, type StartAt } from '../../client/offsets.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Timers } from '../../world/world.ts'
import { TooManyStreams, type Wish } from '../events/desk.ts'
import type { Hub } from '../events/hub.ts'
import type { EventStream } from '../events/stream.ts'
import type { Start } from '../events/subscription.ts'
import type { DoorContext } from './context.ts'
import type { Fields } from './protobuf/schema.ts'
import { GrpcError } from './status.ts'
import type { Call } from './wire/call.ts'

/**
 * Gives a call what comes in a topic, until one of both ends. All calls of a node that want the same share one reader; each is
 * paced by its own window, and cut when it takes nothing for too long.
 */
export async function subscribe<Request extends Fields, Response extends Fields>(
  context: DoorContext,
  call: Call<Request, Response>,
  wish: Wish,
  start: (hub: Hub, cluster: Cluster) => Promise<Start>,
): Promise<void> {
  const desk = await context.events()
  const stream = new CallStream(call, context.world.timers)
  const open = () => {
    call.begin()
    return stream
  }
  try {
    await desk.subscribe(wish, start, open)
  } catch (error) {
    if (error instanceof TooManyStreams) throw new GrpcError('RESOURCE_EXHAUSTED', error.message, null, true)
    throw error
  }
  await stream.over
  if (context.stopping.aborted) throw new GrpcError('UNAVAILABLE', 'the node stops', null, true)
}

/** A call to which messages are written that are framed already. */
class CallStream implements EventStream {
  /** Fulfilled when nothing more comes; rejects with what keeps it from coming. */
  readonly over: Promise<void>
  // biome-ignore lint/suspicious/noExplicitAny: messages of any kind, as bytes
  readonly #call: Call<any, any>
  readonly #timers: Timers
  #end: (error: unknown) => void = () => {}

  // biome-ignore lint/suspicious/noExplicitAny: messages of any kind, as bytes
  constructor(call: Call<any, any>, timers: Timers) {
    this.#call = call
    this.#timers = timers
    this.over = new Promise((resolve, reject) => {
      this.#end = error => (error === null ? resolve() : reject(error))
    })
    // It may come before anybody waits for it.
    this.over.catch(() => {})
  }

  write(bytes: Uint8Array): void {
    this.#call.send(bytes)
  }

  get unsent(): number {
    return this.#call.unsent
  }

  onDrain(run: () => void): void {
    this.#call.onDrain(run)
  }

  onClose(run: () => void): void {
    const { signal } = this.#call
    const closed = () => {
      this.#end(null)
      this.#timers.soon(run)
    }
    if (signal.aborted) closed()
    else signal.addEventListener('abort', closed, { once: true })
  }

  end(error: unknown): void {
    this.#end(error)
  }

  destroy(): void {
    this.#call.cut()
  }
}

/**
 * Where a stream begins that names what it wants, or wants `start` everywhere: exactly there, also where the reader that all
 * share is a moment late. Throws UNKNOWN_TOPIC_OR_PARTITION.
 */
export async function startsAt(
  hub: Hub,
  cluster: Cluster,
  partitions: ReadonlyMap<number, StartAt> | null,
  start: StartAt,
): Promise<Start> {
  const { topic } = hub
  if (partitions !== null) {
    const unknown = () => [...partitions.keys()].find(partition => partition < 0 || partition >= hub.position.length)
    if (unknown() !== undefined) await hub.refresh()
    if (unknown() !== undefined)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${unknown()}`)
  }
  const wanted = partitions ?? new Map(hub.position.map((_, partition) => [partition, start]))
  const found = await offsetsOf(cluster, topic, wanted)
  const from = hub.position.map((offset, partition) => found.get(partition) ?? offset)
  return { from: from.every((offset, partition) => offset === hub.position[partition]) ? null : from }
}

async function offsetsOf(cluster: Cluster, topic: string, wanted: ReadonlyMap<number, StartAt>) {
  const offsets = new Map<number, number>()
  const named: { topic: string; partition: number; start: Exclude<StartAt, number> }[] = []
  for (const [partition, start] of wanted) {
    if (typeof start === 'number') offsets.set(partition, start)
    else named.push({ topic, partition, start })
  }
  const found = await findOffsets(cluster, named, 'read_committed')
  // No record is that late: whatever comes next is.
  const late = found.filter(({ offset }) => offset < 0).map(each => ({ ...each, start: 'latest' as const }))
  for (const each of [...found, ...(await findOffsets(cluster, late, 'read_committed'))])
    if (each.offset >= 0) offsets.set(each.partition, each.offset)
  return offsets
}
