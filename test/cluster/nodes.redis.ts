import assert from 'node:assert/strict'
import { after, describe, it, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Producer } from '../../src/client/producer.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { ottla, type RunningOttla, scratch, startOttla } from '../cli/processes.ts'
import { freePort } from '../free-port.ts'
import { RedisServer, redisBinary } from './redis-server.ts'
import { Relay } from './relay.ts'

const token = 'a-token-for-tests-that-is-long-enough'

/** Real nodes, each with a network of its own to a real Redis. */
class Nodes {
  redis: RedisServer
  /** For nodes that find another one at its address. */
  readonly #redisOf = new Map<number, RedisServer>()
  readonly relays = new Map<number, Relay>()
  readonly running = new Map<number, RunningOttla>()
  readonly ports = new Map<number, number>()
  readonly #folder = scratch()

  constructor(redis: RedisServer) {
    this.redis = redis
  }

  static async start(...redisOptions: string[]): Promise<Nodes> {
    const nodes = new Nodes(await RedisServer.start(...redisOptions))
    await Promise.all([1, 2, 3].map(id => nodes.start(id)))
    return nodes
  }

  async start(id: number): Promise<RunningOttla> {
    const relay = this.relays.get(id) ?? (await Relay.start(() => (this.#redisOf.get(id) ?? this.redis).port))
    this.relays.set(id, relay)
    const port = this.ports.get(id) ?? (await freePort())
    this.ports.set(id, port)
    const env = { OTTLA_TOKEN: token, BROKER_ID: `broker-${id}`, REDIS_HOST: '127.0.0.1', REDIS_PORT: `${relay.port}` }
    const args = ['start', '--orderer', 'redis', '--port', String(port), '--data', this.folder(id)]
    const node = await startOttla(args, { env })
    this.running.set(id, node)
    return node
  }

  move(id: number, redis: RedisServer): void {
    this.#redisOf.set(id, redis)
    this.relays.get(id)!.heal()
  }

  folder(id: number): string {
    return `${this.#folder.path}/${id}`
  }

  /** As one node answers. */
  async #ask<T>(id: number, run: (admin: Admin, cluster: Cluster) => Promise<T>, timeoutMs = 3000): Promise<T> {
    const bootstrap = [{ host: '127.0.0.1', port: this.ports.get(id)! }]
    const cluster = new Cluster(nodeWorld, {
      bootstrap,
      requestTimeoutMs: timeoutMs,
      apiTimeoutMs: timeoutMs,
      retryBackoffMs: 20,
    })
    try {
      return await run(new Admin(cluster), cluster)
    } finally {
      cluster.close()
    }
  }

  /** Who decides, as node `id` knows. */
  async leader(id: number): Promise<number> {
    return (await this.#ask(id, admin => admin.describeCluster())).controllerId
  }

  /** Through node `id`, until it is done. Returns ms. */
  async create(id: number, name: string, limitMs = 15_000): Promise<number> {
    const begun = Date.now()
    for (;;) {
      try {
        await this.#ask(id, admin => admin.createTopics([{ name, partitions: 1 }]))
        return Date.now() - begun
      } catch (error) {
        if (error instanceof KafkaError && error.errorName === 'TOPIC_ALREADY_EXISTS') return Date.now() - begun
        if (Date.now() - begun > limitMs) throw error
        await sleep(50)
      }
    }
  }

  /** Not idempotent: its numbers come from who leads the metadata. */
  produce(id: number, topic: string, value: string): Promise<unknown> {
    return this.#ask(id, (_, cluster) =>
      new Producer(cluster, { idempotent: false, deliveryTimeoutMs: 5000 }).send({ topic, value: Buffer.from(value) }),
    )
  }

  topics(id: number): Promise<string[]> {
    return this.#ask(id, async (_, cluster) =>
      [...(await cluster.metadata(null)).topics.map(({ name }) => name)].sort(),
    )
  }

  /** All nodes show these topics. */
  async agree(...names: string[]): Promise<void> {
    for (const id of this.running.keys()) {
      for (let i = 0; ; i++) {
        const topics = await this.topics(id)
        if (topics.join() === [...names].sort().join()) break
        if (i === 100) assert.deepEqual(topics, [...names].sort(), `node ${id}`)
        await sleep(50)
      }
    }
  }

  async until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
    for (const begun = Date.now(); !(await holds()); ) {
      if (Date.now() - begun > limitMs) assert.fail(`not in ${limitMs} ms: ${what}\n${this.story()}`)
      await sleep(50)
    }
  }

  log(id: number): string {
    return this.running.get(id)!.log()
  }

  story(): string {
    return [...this.running].map(([id, node]) => `--- node ${id}\n${node.log()}`).join('\n')
  }

  async kill(id: number): Promise<void> {
    await this.running.get(id)!.stop('SIGKILL')
    this.running.delete(id)
  }

  async stop(): Promise<void> {
    for (const node of this.running.values()) {
      node.child.kill('SIGCONT')
      await node.stop('SIGKILL')
    }
    for (const relay of this.relays.values()) await relay.stop()
    await this.redis.stop()
    this.#folder.remove()
  }
}

const halted = /changes of metadata are halted, Redis at [^ ]+ cannot be trusted/

function scenarios(): void {
  const running = new Set<Nodes>()
  after(async () => {
    for (const nodes of running) await nodes.stop()
  })
  const scenario = (what: string, run: (nodes: Nodes) => Promise<void>) =>
    it(what, async () => {
      const nodes = await Nodes.start()
      running.add(nodes)
      try {
        await run(nodes)
      } catch (error) {
        console.error(nodes.story())
        throw error
      } finally {
        running.delete(nodes)
        await nodes.stop()
      }
    })

  scenario('who leads is killed: another decides, and it comes back', async nodes => {
    await nodes.create(1, 'before')
    for (let round = 0; round < 3; round++) {
      const leader = await nodes.leader(1 + (round % 3))
      const other = (leader % 3) + 1
      await nodes.kill(leader)
      const tookMs = await nodes.create(other, `round${round}`)
      assert.ok(tookMs < 4000, `${tookMs} ms`)
      await nodes.start(leader)
    }
    await nodes.agree('before', 'round0', 'round1', 'round2')
  })

  scenario('who leads stands still (SIGSTOP): another decides, and the zombie changes nothing', async nodes => {
    await nodes.create(1, 'before')
    const zombie = await nodes.leader(1)
    const other = (zombie % 3) + 1
    const { child } = nodes.running.get(zombie)!
    child.kill('SIGSTOP')
    // A request that it finds when it wakes, believing that it still leads.
    const late = nodes.create(zombie, 'late', 30_000)
    await nodes.create(other, 'during')
    await sleep(500)
    child.kill('SIGCONT')
    await late
    await nodes.until('the zombie has noticed', () => /no longer leads the metadata/.test(nodes.log(zombie)))
    assert.notEqual(await nodes.leader(zombie), zombie)
    await nodes.create(zombie, 'after')
    await nodes.agree('before', 'during', 'late', 'after')
  })

  scenario('Redis is killed: nobody decides meanwhile, records flow, and all goes on by itself', async nodes => {
    await nodes.create(1, 'before')
    await nodes.redis.kill()
    await nodes.until('who led steps down', () => [1, 2, 3].some(id => /no longer leads/.test(nodes.log(id))))
    await assert.rejects(nodes.create(2, 'refused', 1000))
    await nodes.produce(2, 'before', 'still')
    await nodes.redis.start()
    await nodes.create(3, 'after')
    await nodes.until('all see it', async () => (await nodes.topics(1)).includes('after'))
    assert.ok(
      [1, 2, 3].every(id => (nodes.log(id).match(/waiting for Redis/g) ?? []).length <= 1),
      'said once',
    )
  })

  scenario('everything is killed, Redis too: all goes on', async nodes => {
    await nodes.create(1, 'before')
    await Promise.all([1, 2, 3].map(id => nodes.kill(id)))
    await nodes.redis.restart()
    await Promise.all([1, 2, 3].map(id => nodes.start(id)))
    await nodes.create(2, 'after')
    await nodes.agree('before', 'after')
  })

  scenario('Redis has forgotten what it acknowledged: changes are halted until it remembers', async nodes => {
    await nodes.create(1, 'before')
    const back = nodes.redis.save()
    await nodes.create(1, 'forgotten')
    const forth = nodes.redis.save()
    await back()
    await nodes.until('one says so', () => [1, 2, 3].some(id => halted.test(nodes.log(id))))
    await assert.rejects(nodes.create(2, 'refused', 3000))
    await nodes.produce(3, 'before', 'still')
    for (const id of [1, 2, 3]) assert.ok((nodes.log(id).match(new RegExp(halted, 'g')) ?? []).length <= 1, 'said once')
    await forth()
    await nodes.create(2, 'after')
    await nodes.agree('before', 'forgotten', 'after')
  })

  scenario('who leads is cut off from Redis: it steps down, another decides', async nodes => {
    await nodes.create(1, 'before')
    const leader = await nodes.leader(1)
    const other = (leader % 3) + 1
    nodes.relays.get(leader)!.cut()
    await nodes.until('it steps down', () => /no longer leads the metadata/.test(nodes.log(leader)))
    await nodes.create(other, 'during')
    nodes.relays.get(leader)!.heal()
    await nodes.agree('before', 'during')
    assert.notEqual(await nodes.leader(leader), leader)
  })

  scenario('a replica takes over: with all that there was all goes on, with less nothing does', async nodes => {
    const primary = nodes.redis
    const replica = await RedisServer.start()
    const line = await Relay.start(() => primary.port)
    try {
      await nodes.create(1, 'before')
      await replica.command('REPLICAOF', '127.0.0.1', String(line.port))
      const has = (name: string) => async () =>
        (await replica.command('XRANGE', '{ottla}:log', '-', '+')).includes(name)
      await nodes.until('it copies', has('before'))
      await nodes.create(1, 'copied')
      await nodes.until('it has copied', has('copied'))
      await primary.kill()
      await replica.command('REPLICAOF', 'NO', 'ONE')
      nodes.redis = replica
      await nodes.create(2, 'promoted')
      await nodes.agree('before', 'copied', 'promoted')

      // Back again, but what comes last is acknowledged and not copied.
      await primary.start()
      const line2 = await Relay.start(() => replica.port)
      await primary.command('REPLICAOF', '127.0.0.1', String(line2.port))
      await nodes.until('it copies', async () =>
        (await primary.command('XRANGE', '{ottla}:log', '-', '+')).includes('promoted'),
      )
      await nodes.create(2, 'copiedtoo')
      await sleep(200)
      line2.cut()
      await nodes.create(3, 'lost')
      await replica.kill()
      await primary.command('REPLICAOF', 'NO', 'ONE')
      nodes.redis = primary
      await nodes.until('they say so', () => [1, 2, 3].filter(id => halted.test(nodes.log(id))).length === 3)
      await assert.rejects(nodes.create(1, 'refused', 3000))
      assert.ok((await nodes.topics(1)).includes('lost'), 'what was acknowledged is not taken back')
      await line2.stop()
    } finally {
      nodes.redis = primary
      await line.stop()
      await replica.stop()
    }
  })

  scenario('a replica takes over for who leads, and Redis goes on for the others: one decides', async nodes => {
    const replica = await RedisServer.start()
    try {
      await nodes.create(1, 'before')
      await replica.command('REPLICAOF', '127.0.0.1', String(nodes.redis.port))
      const copies = async () => (await replica.command('XRANGE', '{ottla}:log', '-', '+')).includes('copied')
      await nodes.create(1, 'copied')
      await nodes.until('it copies', copies)
      const leader = await nodes.leader(1)
      const others = [1, 2, 3].filter(id => id !== leader)
      await replica.command('REPLICAOF', 'NO', 'ONE')
      // The first replica gave Redis a new replication id: who leads began anew.
      const times = () => (nodes.log(leader).match(/this node leads the metadata/g) ?? []).length
      const before = times()
      nodes.move(leader, replica)
      await nodes.create(others[0]!, 'theirs')
      await nodes.until('who led says why it does not', () => halted.test(nodes.log(leader)))
      assert.match(nodes.log(leader), new RegExp(`node ${others.join(', ')} has not said yet`))
      assert.equal(times(), before)
      nodes.move(leader, nodes.redis)
      await nodes.create(leader, 'after')
      await nodes.agree('before', 'copied', 'theirs', 'after')
    } finally {
      await replica.stop()
    }
  })

  scenario('a node of another cluster is refused, and a node waits for a Redis that is not there', async nodes => {
    await nodes.create(1, 'before')
    const [other, plain] = [scratch(), scratch()]
    const url = `redis://127.0.0.1:${nodes.redis.port}`
    const args = (place: { path: string }) => ['start', '--port', '0', '--data', place.path]
    await (await startOttla([...args(other), '--orderer', `${url}?prefix=other`])).stop()
    await (await startOttla(args(plain))).stop()
    for (const [more, expected] of [
      [[...args(other), '--orderer', url], /holds the metadata of cluster .*, and this node belongs to/],
      [[...args(plain), '--orderer', url], /its metadata is in its own log: start it without --orderer/],
      [args(other), /its metadata is in an orderer outside of the cluster: start it with --orderer/],
    ] as const) {
      const refused = await ottla(more)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr + refused.stdout, expected)
    }
    plain.remove()
    other.remove()

    await nodes.kill(3)
    await nodes.redis.kill()
    const late = nodes.start(3)
    await sleep(2500)
    assert.ok(!nodes.running.has(3))
    await nodes.redis.start()
    const three = await late
    assert.equal((three.log().match(/waiting for Redis/g) ?? []).length, 1)
    await nodes.create(3, 'after')
    await nodes.agree('before', 'after')
  })
}

if (redisBinary === null) {
  test('nodes with a Redis', test => test.skip('there is no redis-server: see test/peers/redis/install.sh'))
} else describe('nodes with a Redis', scenarios)
