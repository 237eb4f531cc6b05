import type { ConsumedRecord } from '../../client/fetcher.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import type { Timers } from '../../world/world.ts'
import type { ClusterClient } from '../cluster-client.ts'
import { TopicStream } from './topic-stream.ts'

/** Copies of one broadcast, one in each partition, carry the same id here. */
export const broadcastHeader = 'ottla-broadcast'
/** Where one copy of each is. */
export const broadcastPartition = 0

/** Null: it is no broadcast. */
export function broadcastId({ headers }: Pick<KafkaRecord, 'headers'>): string | null {
  const value = headers.find(({ key }) => key === broadcastHeader)?.value
  return value === undefined || value === null ? null : Buffer.from(value).toString('latin1')
}

/** Told of each broadcast once. */
export type Listener = (record: ConsumedRecord, id: string) => void

interface Hub {
  readonly listeners: Set<Listener>
  readonly stop: AbortController
  readonly stands: Promise<void>
}

/** ms before a hub that cannot read tries again. */
const restMs = 1000

/**
 * Finds broadcasts for those who do not read whole topics: the members of lease groups. A topic's first partition is read once
 * for all of them on this node, as long as there are any.
 */
export class Broadcasts {
  readonly #client: ClusterClient
  readonly #timers: Pick<Timers, 'after'>
  readonly #hubs = new Map<string, Hub>()

  constructor(client: ClusterClient, timers: Pick<Timers, 'after'>) {
    this.#client = client
    this.#timers = timers
  }

  /** Fulfilled when it listens, with what ends that. */
  async join(topic: string, listener: Listener): Promise<() => void> {
    const hub = this.#hubs.get(topic) ?? this.#open(topic)
    hub.listeners.add(listener)
    const leave = () => {
      hub.listeners.delete(listener)
      if (hub.listeners.size > 0) return
      hub.stop.abort()
      if (this.#hubs.get(topic) === hub) this.#hubs.delete(topic)
    }
    try {
      await hub.stands
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  #open(topic: string): Hub {
    const listeners = new Set<Listener>()
    const stop = new AbortController()
    let stands: () => void = () => {}
    let fails: (error: unknown) => void = () => {}
    const standing = new Promise<void>((resolve, reject) => {
      stands = resolve
      fails = reject
    })
    const hub = { listeners, stop, stands: standing }
    this.#hubs.set(topic, hub)
    void this.#run(topic, hub, stands, fails)
    return hub
  }

  async #run(topic: string, { listeners, stop }: Hub, stands: () => void, fails: (error: unknown) => void) {
    const options = { topic, partitions: new Map([[broadcastPartition, 'latest' as const]]), start: 'latest' as const }
    while (!stop.signal.aborted) {
      try {
        await this.#client.wait(async cluster => {
          const stream = await TopicStream.open(cluster, options)
          stands()
          while (!stop.signal.aborted) {
            for (const record of await stream.next()) {
              const id = broadcastId(record)
              if (id !== null) for (const listener of listeners) listener(record, id)
            }
          }
        }, stop.signal)
      } catch (error) {
        // The first time somebody waits for it; later it is tried again, from where the topic then ends.
        fails(error)
        await new Promise<void>(resolve => this.#timers.after(restMs, resolve))
      }
    }
  }
}
