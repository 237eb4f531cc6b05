import assert from 'node:assert/strict'
import { dice } from '../../../machine/testing.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { BeginQuorumEpoch } from '../../../protocol/messages/begin-quorum-epoch.ts'
import { EndQuorumEpoch } from '../../../protocol/messages/end-quorum-epoch.ts'
import { Fetch } from '../../../protocol/messages/fetch.ts'
import { FetchSnapshot } from '../../../protocol/messages/fetch-snapshot.ts'
import { Vote } from '../../../protocol/messages/vote.ts'
import type { Api } from '../../../protocol/schema.ts'
import { MemoryVolume } from '../../../store/memory.ts'
import type { Store, StoreObserver, Volume } from '../../../store/store.ts'
import { silent } from '../../../world/logger.ts'
import type { Peers } from '../../peers.ts'
import { type ClusterUnderTest, ordererContract } from '../contract.ts'
import type { TestProcess } from '../fenced/testing.ts'
import { metadataTopic, metadataTopicId } from '../metadata-log.ts'
import { VirtualProcesses } from '../processes.test.kit.ts'
import { encodeSnapshot, snapshotName } from '../snapshot.ts'
import { RaftOrderer } from './raft-orderer.ts'
import { QuorumServer } from './serve.ts'

const clusterId = 'AAAAAAAAAAAAAAAAAAAACQ'
const storeOptions = { segmentBytes: 1 << 30, segmentMs: 1e12, indexIntervalBytes: 4096, segmentIndexBytes: 1 << 20 }
const voters = [1, 2, 3].map(id => ({
  id,
  directoryId: `AauM3WNygOvKsnjDZCna${id}A`,
  endpoints: [{ name: 'P', host: 'h', port: 9090 + id }],
}))

/** Every answer to these is the one of a server. */
const serverMethods = new Map<Api, keyof QuorumServer>([
  [Vote as Api, 'vote'],
  [BeginQuorumEpoch as Api, 'begin'],
  [EndQuorumEpoch as Api, 'end'],
  [Fetch as Api, 'fetch'],
  [FetchSnapshot as Api, 'fetchSnapshot'],
])

interface Running {
  readonly process: TestProcess
  readonly orderer: RaftOrderer
  readonly server: QuorumServer
}

/** Three voters in one process, whose requests travel as bytes. */
class RaftCluster extends VirtualProcesses implements ClusterUnderTest {
  readonly failoverMs = 4000
  readonly #random
  readonly #volumes = new Map<number, MemoryVolume>()
  readonly #running = new Map<number, Running>()

  constructor(seed: number) {
    super()
    this.#random = dice(seed)
  }

  /** Each disk knows the three from the beginning, as one that was formatted for them. */
  async format(): Promise<this> {
    for (const { id } of voters) {
      const volume = new MemoryVolume(this.time)
      const store = volume.open(metadataTopic, metadataTopicId, storeOptions)
      const snapshot = encodeSnapshot({ kraftVersion: 1, voters, timestamp: 0, records: [] }, 0, 0)
      await store.put(snapshotName({ endOffset: 0, epoch: 0 }), snapshot)
      await volume.close()
      this.#volumes.set(id, volume)
    }
    return this
  }

  open(id: number): RaftOrderer {
    const process = this.born(id)
    const orderer = new RaftOrderer({
      volume: lifeOf(this.#volumes.get(id)!, process),
      world: { clock: this.time, timers: process.timers(this.time), random: this.#random },
      logger: silent,
      clusterId,
      voter: voters[id - 1]!,
      peers: this.#peersOf(id, process),
      failed: error => assert.fail(error),
    })
    this.#running.set(id, { process, orderer, server: new QuorumServer(orderer, clusterId, silent) })
    return orderer
  }

  #peersOf(from: number, process: TestProcess): Peers {
    const send = (to: unknown, api: Api, request: unknown, options?: { timeoutMs?: number }) =>
      new Promise((resolve, reject) => {
        this.time.after(options?.timeoutMs ?? 1500, () =>
          process.run(() => reject(new KafkaError('REQUEST_TIMED_OUT', 'no answer'))),
        )
        this.#travel(from, to as number, target => {
          const asked = passed(api.request, api.versions.max, request)
          const method = target.server[serverMethods.get(api)!] as (...args: unknown[]) => Promise<unknown>
          method
            .call(target.server, asked, () => {})
            .then(answer =>
              target.process.run(() =>
                this.#travel(to as number, from, () => resolve(passed(api.response, api.versions.max, answer))),
              ),
            )
        })
      })
    return { send, onLost: () => () => {}, probe: async () => 'unknown', close() {} } as unknown as Peers
  }

  /** To a process that may stand still or be gone, unless one of both is cut off. */
  #travel(from: number, to: number, arrive: (target: Running) => void): void {
    this.time.after(this.#random.int(3), () => {
      const target = this.#running.get(to)
      if (target === undefined || this.isCut(from) || this.isCut(to)) return
      target.process.run(() => arrive(target))
    })
  }
}

/** As it arrives at the other side. */
function passed(message: Api['request'], version: number, value: unknown): unknown {
  return message.read(message.toBytes(version, value as never), version)
}

/** What one life of a process does to its disk ends with it. */
function lifeOf(volume: MemoryVolume, process: TestProcess): Volume {
  const gone = (name: string) =>
    /^(append|put|truncate|reset|trim|drop|roll|setLogStartOffset)$/.test(name) ? undefined : null
  const wrap = <T extends object>(target: T, more: { [name: string]: unknown }): T =>
    new Proxy(target, {
      get: (_, name) => {
        if (typeof name === 'string' && name in more) return more[name]
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (process.dead && gone(String(name)) === undefined) return new Promise(() => {})
          return value.apply(target, args)
        }
      },
      set: (_, name, value) => Reflect.set(target, name, value, target),
    })
  const stores = new Map<string, Store>()
  return wrap<Volume>(volume, {
    open: (...args: Parameters<Volume['open']>) => {
      const key = args[0].topic
      const known = stores.get(key)
      if (known !== undefined) return known
      const store = volume.open(...args)
      const told = wrap<Store>(store, {
        observe: (observer: StoreObserver) =>
          store.observe({
            written: upTo => process.run(() => observer.written(upTo)),
            durable: upTo => process.run(() => observer.durable(upTo)),
            dropped: (from, error) => process.run(() => observer.dropped(from, error)),
            failed: error => process.run(() => observer.failed(error)),
          }),
      })
      stores.set(key, told)
      return told
    },
  })
}

for (const seed of [1, 2]) ordererContract(`Raft (seed ${seed})`, () => new RaftCluster(seed).format())
