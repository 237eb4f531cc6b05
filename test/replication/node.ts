import { AlterPartitions } from '../../src/broker/alter-partition.ts'
import { DelayedOperations } from '../../src/broker/delayed.ts'
import { FetchSessions } from '../../src/broker/fetch/session.ts'
import type { RequestContext } from '../../src/broker/handler.ts'
import fetchHandler from '../../src/broker/handlers/fetch.ts'
import { ReplicaManager } from '../../src/broker/replica-manager.ts'
import type { MetadataRecord } from '../../src/cluster/records/records.ts'
import { ClusterState } from '../../src/cluster/state.ts'
import { resolveConfig } from '../../src/config/sources.ts'
import { LogManager } from '../../src/log/log-manager.ts'
import type { AlterPartition } from '../../src/protocol/messages/alter-partition.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import type { RequestInput, RequestOf, ResponseOf } from '../../src/protocol/schema.ts'
import type { FetchPort } from '../../src/replication/fetcher.ts'
import { Fetchers } from '../../src/replication/fetchers.ts'
import type { Partition } from '../../src/replication/partition.ts'
import { Replicas } from '../../src/replication/replicas.ts'
import { TokenBucket } from '../../src/replication/throttle.ts'
import type { Volume } from '../../src/store/store.ts'
import { silent } from '../../src/world/logger.ts'
import type { Timers } from '../../src/world/world.ts'
import type { CrashDisk } from './disk.ts'
import type { Dice, VirtualTime } from './time.ts'

export const lagMaxMs = 400
export const fetchVersion = 18

const { config } = resolveConfig({ flags: [] })

export interface NodeWorld {
  readonly time: VirtualTime
  readonly dice: Dice
  readonly port: FetchPort
  alterPartition(request: RequestInput<typeof AlterPartition>): Promise<ResponseOf<typeof AlterPartition>>
}

/** One life of a node: everything of it that replication is made of, and nothing else. */
export class ReplicaNode {
  readonly id: number
  readonly brokerEpoch: number
  alive = true
  readonly cluster = new ClusterState()
  readonly replicas = new Replicas()
  readonly timers: Timers
  readonly #volume: Volume
  readonly #logs: LogManager
  readonly #manager: ReplicaManager
  readonly #fetchers: Fetchers
  readonly #broker: unknown

  constructor(id: number, brokerEpoch: number, disk: CrashDisk, world: NodeWorld) {
    const { time, dice } = world
    this.id = id
    this.brokerEpoch = brokerEpoch
    this.timers = time.timers(() => this.alive)
    const { timers } = this
    const { clock } = time
    this.#volume = disk.open(timers)
    this.#logs = LogManager.open(this.#volume, { clock, timers, random: dice }, silent, { checkpointMs: 50 })
    const settings = {
      waitMs: 100,
      minBytes: 1,
      responseBytes: 1_000_000,
      partitionBytes: 100_000,
      timeoutMs: 300,
      backoffMs: 200,
    }
    this.#fetchers = new Fetchers({
      node: id,
      brokerEpoch: () => brokerEpoch,
      port: world.port,
      settings,
      clock,
      timers,
      logger: silent,
    })
    const ask = world.alterPartition.bind(world)
    const isrChanges = new AlterPartitions({
      brokerId: id,
      brokerEpoch: () => brokerEpoch,
      ask,
      timers,
      logger: silent,
    })
    const eligibleEpoch = (node: number): number => {
      const broker = this.cluster.brokers.get(node)
      return broker === undefined || broker.fenced ? -1 : broker.epoch
    }
    const neverSlow = { slowAfterMs: -1, slowProbationMs: 0, warn() {} }
    const around = { isrChanges, eligibleEpoch, mono: () => time.ms, lagMaxMs, ...neverSlow }
    const events = { leads() {}, deleted() {} }
    const copying = { around, fetchers: this.#fetchers, timers }
    this.#manager = new ReplicaManager(id, this.#logs, this.replicas, config, silent, events, copying)
    this.#broker = {
      world: { clock, timers, random: dice },
      logger: silent,
      delayed: new DelayedOperations(clock, timers),
      fetchSessions: new FetchSessions(1000, dice),
      stopping: false,
      moves: new TokenBucket(
        () => time.ms,
        () => 100_000,
      ),
      mayFetch: () => 1_000_000,
      fetchedUnsent: 0,
      metrics: { fetched() {} },
    }
  }

  load(records: Iterable<MetadataRecord>): void {
    for (const record of records) this.cluster.apply(record, this.cluster.offset)
    this.#manager.load(this.cluster)
  }

  commit(records: readonly MetadataRecord[]): void {
    for (const record of records) this.cluster.apply(record, this.cluster.offset)
    this.#manager.commit(this.cluster, records)
  }

  get partition(): Partition | undefined {
    return [...this.replicas.all()][0]
  }

  /** Answers a Fetch as the broker does; `peer` is the connection. */
  serve(bytes: Uint8Array, peer: RequestContext['peer']): Promise<Uint8Array> | Uint8Array {
    const request = Fetch.request.read(bytes, fetchVersion) as RequestOf<typeof Fetch>
    const context = {
      broker: this.#broker,
      node: { replicas: this.replicas, volume: this.#volume, cluster: this.cluster, config },
      version: fetchVersion,
      clientId: '',
      peer,
      onSent() {},
    } as unknown as RequestContext
    const encode = (response: unknown) =>
      Fetch.response.toBytes(fetchVersion, response as ResponseOf<typeof Fetch>) as Uint8Array
    const reply = fetchHandler.handle(request, context)
    return reply instanceof Promise ? reply.then(encode) : encode(reply)
  }

  /** The process is gone: nothing of it happens any more. */
  kill(): void {
    this.alive = false
    this.#fetchers.close()
  }
}
