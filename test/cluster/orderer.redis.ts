import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ClusterUnderTest, ordererContract } from '../../src/cluster/orderer/contract.ts'
import { FencedOrderer } from '../../src/cluster/orderer/fenced/fenced-orderer.ts'
import { TestProcesses } from '../../src/cluster/orderer/processes.test.kit.ts'
import { RedisLog } from '../../src/cluster/orderer/redis/redis-log.ts'
import { parseRedisUrl } from '../../src/cluster/orderer/redis/url.ts'
import { MemoryVolume } from '../../src/store/memory.ts'
import { silent } from '../../src/world/logger.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { RedisServer, redisBinary } from './redis-server.ts'
import { Relay } from './relay.ts'

const leaseMs = 500

/** Orderers in this process, each with a network of its own to a real Redis. */
class RedisCluster extends TestProcesses implements ClusterUnderTest {
  readonly failoverMs = leaseMs + 300
  readonly store: NonNullable<ClusterUnderTest['store']>
  readonly #server: RedisServer
  readonly #relays: readonly Relay[]
  readonly #volumes = [0, 1, 2, 3].map(() => new MemoryVolume(nodeWorld.timers))

  static async start(): Promise<RedisCluster> {
    const server = await RedisServer.start()
    const relays = await Promise.all([0, 1, 2, 3].map(() => Relay.start(() => server.port)))
    return new RedisCluster(server, relays)
  }

  constructor(server: RedisServer, relays: readonly Relay[]) {
    super()
    this.#server = server
    this.#relays = relays
    this.store = {
      restart: () => server.restart(),
      save: async () => server.save(),
      loseReply: () => {
        for (const relay of relays) relay.lose = /XADD/
      },
    }
  }

  open(id: number): FencedOrderer {
    const process = this.born(id)
    const volume = this.#volumes[id]!
    const log = new RedisLog({
      target: parseRedisUrl(`redis://127.0.0.1:${this.#relays[id]!.port}`),
      world: nodeWorld,
      timeoutMs: leaseMs / 2,
      warn: message => assert.fail(message),
    })
    return new FencedOrderer({
      log: process.log(log),
      volume: {
        get: name => volume.get(name),
        put: async (name, bytes) => (process.dead ? new Promise(() => {}) : volume.put(name, bytes)),
      },
      world: { ...nodeWorld, timers: process.timers(nodeWorld.timers) },
      logger: silent,
      clusterId: 'AAAAAAAAAAAAAAAAAAAACQ',
      voter: { id, directoryId: 'AauM3WNygOvKsnjDZCnatA', endpoints: [{ name: 'P', host: 'h', port: 9090 + id }] },
      leaseMs,
      renewMs: leaseMs / 4,
      retryMs: 50,
      failed: error => assert.fail(error),
    })
  }

  override cut(id: number): void {
    this.#relays[id]!.cut()
  }

  override heal(id: number): void {
    this.#relays[id]!.heal()
  }

  pass(ms: number): Promise<void> {
    return sleep(ms)
  }

  override async close(): Promise<void> {
    await super.close()
    for (const relay of this.#relays) await relay.stop()
    await this.#server.stop()
  }
}

if (redisBinary === null) {
  test('the orderer in Redis', test => test.skip('there is no redis-server: see test/peers/redis/install.sh'))
} else ordererContract('Redis', () => RedisCluster.start())
