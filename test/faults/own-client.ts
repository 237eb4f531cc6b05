import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddresses } from '../../src/client/address.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { nodeWorld } from '../../src/world/node.ts'

// Our own client, for what the programs of the matrix do not tell: how long each record took.

export const clientOf = (bootstrap: string): Cluster =>
  new Cluster(nodeWorld, { bootstrap: parseAddresses(bootstrap), retryBackoffMs: 20, retryBackoffMaxMs: 200 })

/** When a record was sent (ms of Date.now()), and the ms until it was acknowledged. */
export interface Took {
  readonly at: number
  readonly ms: number
}

/** Sends numbers at a steady pace to all partitions of a topic in turns, whether those before are acknowledged or not. */
export class SteadyWriter {
  readonly took: Took[] = []
  /** Why a record was given up. */
  failure: unknown = null
  readonly #topic: string
  readonly #partitions: number
  readonly #producer: Producer
  readonly #sending = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #sent = 0

  constructor(cluster: Cluster, topic: string, partitions: number, perSecond: number) {
    this.#topic = topic
    this.#partitions = partitions
    this.#producer = new Producer(cluster)
    const begun = performance.now()
    // Timers are late on a busy machine: what should have been sent by now is.
    this.#timer = setInterval(() => {
      while (this.#sent < ((performance.now() - begun) * perSecond) / 1000) this.#send(this.#sent++)
    }, 1000 / perSecond)
  }

  get acknowledged(): number {
    return this.took.length
  }

  #send(number: number): void {
    const at = Date.now()
    const begun = performance.now()
    const value = Buffer.from(String(number).padEnd(100))
    const sending = this.#producer.send({ topic: this.#topic, partition: number % this.#partitions, value }).then(
      () => void this.took.push({ at, ms: performance.now() - begun }),
      error => {
        this.failure ??= error
      },
    )
    this.#sending.add(sending)
    void sending.then(() => this.#sending.delete(sending))
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#sending)
    await this.#producer.close()
  }
}

/** Numbers of every partition of the topic, in order, as soon as there are `count`; fewer after `ms` without one more. */
export async function readNumbers(cluster: Cluster, topic: string, partitions: number, count: number, ms = 20_000) {
  const found: number[][] = Array.from({ length: partitions }, () => [])
  const consumer = new Consumer(cluster, { autoOffsetReset: 'earliest' })
  try {
    await consumer.assign(found.map((_, partition) => ({ topic, partition })))
    for (let left = count, end = Date.now() + ms; left > 0 && Date.now() < end; ) {
      const records = await consumer.poll(200)
      for (const { partition, value } of records) found[partition]!.push(Number(Buffer.from(value!).toString()))
      left -= records.length
      if (records.length > 0) end = Date.now() + ms
      else await sleep(10)
    }
  } finally {
    await consumer.close()
  }
  return found
}
