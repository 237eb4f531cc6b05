import { dice } from '../../../machine/testing.ts'
import { ErrorCode, KafkaError } from '../../../protocol/errors.ts'
import type { Api, RequestInput, ResponseOutput } from '../../../protocol/schema.ts'
import { MemoryVolume } from '../../../store/memory.ts'
import { silent } from '../../../world/logger.ts'
import { nodeWorld } from '../../../world/node.ts'
import type { Liveness, Peers, PeerTarget } from '../../peers.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { Quorum } from './quorum.ts'
import { RaftOrderer } from './raft-orderer.ts'

export const settings = { fetchTimeoutMs: 500, electionTimeoutMs: 150, retryMs: 5, fetchWaitMs: 100 }

/** Several orderers in one process: requests are encoded and decoded, but go over no network. */
export class Orderers {
  readonly nodes = new Map<number, OrdererNode>()
  /** Nodes that nobody reaches, and that reach nobody. */
  readonly cut = new Set<number>()
  /** Nodes that are drained. */
  readonly leaving = new Set<number>()
  replaceAfterMs = -1

  /** The first begins the cluster. */
  async start(
    id: number,
    volume: MemoryVolume = new MemoryVolume(nodeWorld.timers),
    host = 'node',
  ): Promise<OrdererNode> {
    const node = new OrdererNode(this, id, volume, host)
    this.nodes.set(id, node)
    await node.orderer.start()
    return node
  }

  /** As the leader itself sees it. */
  leader(): OrdererNode | null {
    for (const node of this.nodes.values()) if (node.leading && !this.cut.has(node.id)) return node
    return null
  }

  /** Its process is gone: those who talk to it notice, and find nobody there. */
  async kill(id: number): Promise<MemoryVolume> {
    const node = this.nodes.get(id)!
    this.nodes.delete(id)
    await node.close()
    for (const other of this.nodes.values()) other.lost(id)
    return node.volume
  }

  async stop(): Promise<void> {
    for (const id of [...this.nodes.keys()]) await this.kill(id)
  }

  send(from: number, to: number, api: Api, request: object): Promise<unknown> {
    const target = this.nodes.get(to)
    if (target === undefined || this.cut.has(to) || this.cut.has(from))
      return Promise.reject(new KafkaError('NETWORK_EXCEPTION', 'cut'))
    const [, max] = [api.request.versions.min, api.request.versions.max]
    const asked = api.request.read(api.request.toBytes(max, request as never), max)
    return target.serve(api.key, asked).then(answer => {
      if (this.cut.has(to) || this.cut.has(from)) throw new KafkaError('NETWORK_EXCEPTION', 'cut')
      return api.response.read(api.response.toBytes(max, answer as never), max)
    })
  }
}

export class OrdererNode {
  readonly id: number
  readonly volume: MemoryVolume
  readonly orderer: RaftOrderer
  readonly quorum: Quorum
  readonly failures: Error[] = []
  /** What the listener was given since it last had to forget everything. */
  readonly records: string[] = []
  epoch: number | null = null
  readonly #orderers: Orderers
  readonly #watchers: ((node: number) => void)[] = []

  constructor(orderers: Orderers, id: number, volume: MemoryVolume, host: string) {
    this.#orderers = orderers
    this.id = id
    this.volume = volume
    const voter = {
      id,
      directoryId: Buffer.from(dice(id).bytes(16)).toString('base64url'),
      endpoints: [{ name: 'PLAINTEXT', host, port: id }],
    }
    const world = { clock: nodeWorld.clock, timers: nodeWorld.timers, random: dice(id) }
    this.orderer = new RaftOrderer({
      volume,
      world,
      logger: silent,
      clusterId: 'cluster',
      voter,
      peers: this.#peers(),
      seeds: [{ host: 'node', port: 1 }],
      joins: id !== 1,
      settings,
      fetchBytes: 2000,
      requestTimeoutMs: 200,
      failed: error => this.failures.push(error),
    })
    this.quorum = new Quorum({
      orderer: this.orderer,
      clusterId: 'cluster',
      world,
      logger: silent,
      growth: { voters: 3, probationMs: 50, replaceAfterMs: orderers.replaceAfterMs },
      leaves: node => orderers.leaving.has(node),
      fetchTimeoutMs: settings.fetchTimeoutMs,
    })
    this.orderer.follow({
      load: snapshot => {
        this.records.length = 0
        this.#take(snapshot)
      },
      commit: records => this.#take(records),
      lead: epoch => {
        this.epoch = epoch
      },
    })
  }

  get leading(): boolean {
    return this.epoch !== null
  }

  append(...names: string[]): number {
    const records = names.map(name => ({
      type: 'ConfigRecord',
      resourceType: 2,
      resourceName: name,
      name: 'x',
      value: '1',
    }))
    return this.orderer.append(this.epoch ?? -1, records as MetadataRecord[], 1)
  }

  /** Replaces what is committed by a snapshot of it. */
  compact(): void {
    const records = this.records.map(name => {
      return { type: 'ConfigRecord', resourceType: 2, resourceName: name, name: 'x', value: '1' } as const
    })
    this.orderer.compact(this.orderer.describe().highWatermark, records as MetadataRecord[])
  }

  lost(node: number): void {
    for (const run of this.#watchers) run(node)
  }

  async close(): Promise<void> {
    this.quorum.stop()
    await this.orderer.close()
  }

  serve(key: number, request: unknown): Promise<unknown> {
    const { server, growth, changes } = this.quorum
    const asked = request as never
    switch (key) {
      case 1:
        return server.fetch(asked, () => {})
      case 52:
        return server.vote(asked)
      case 53:
        return server.begin(asked)
      case 54:
        return server.end(asked)
      case 59:
        return server.fetchSnapshot(asked)
      case 80: {
        const { voterId: id, voterDirectoryId: directoryId, listeners: endpoints } = asked as never
        const { error, message } = growth.applies({ id, directoryId, endpoints })
        return Promise.resolve({ errorCode: error === null ? 0 : ErrorCode[error], errorMessage: message })
      }
      default: {
        const { voterId: id, voterDirectoryId: directoryId, listeners: endpoints } = asked as never
        return changes.update({ id, directoryId, endpoints }, 1000).then(() => ({ errorCode: 0 }))
      }
    }
  }

  #take(records: Iterable<MetadataRecord>): void {
    for (const record of records) if (record.type === 'ConfigRecord') this.records.push(record.resourceName)
  }

  #peers(): Peers {
    const idOf = (to: PeerTarget): number => (typeof to === 'number' ? to : to.port)
    return {
      send: <A extends Api>(to: PeerTarget, api: A, request: RequestInput<A>): Promise<ResponseOutput<A>> =>
        this.#orderers.send(this.id, idOf(to), api, request) as Promise<ResponseOutput<A>>,
      onLost: run => {
        this.#watchers.push(run)
        return () => {}
      },
      probe: async (node): Promise<Liveness> => (this.#orderers.nodes.has(node) ? 'alive' : 'refused'),
      close: () => {},
    }
  }
}
