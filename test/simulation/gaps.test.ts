import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Producer } from '../../src/client/producer.ts'
import type { World } from '../../src/world/world.ts'
import { Dice } from './dice.ts'
import { Events } from './events.ts'
import { Machine } from './machine.ts'
import { Network } from './network.ts'
import { preload } from './preload.ts'
import { Server } from './server.ts'
import { settled } from './setup.ts'
import { Story } from './story.ts'

await preload()

// How long writers wait when a node is stopped in order, killed, slow, or comes back, in virtual time: what the protocol waits
// for, without the CPU.

const topic = { name: 'gaps', partitions: 3, configs: { 'min.insync.replicas': '2' } }
/** ms between two records of a partition. */
const every = 5
/** ms: of which the network and the disks take most. */
const most = 60

interface Gap {
  /** ms: the longest wait of a partition that the stopped node led, and of one that it did not. */
  readonly led: number
  readonly other: number
  /** ms from SIGTERM to the end of the process. */
  readonly stopMs: number
}

class Room {
  readonly events: Events
  readonly servers: Server[]
  readonly #dice: Dice
  readonly #client: Machine
  /** ms, by partition. */
  readonly longest = [0, 0, 0]

  constructor(seed: number, topology: string) {
    this.#dice = new Dice(seed)
    let crash: unknown = null
    this.events = new Events(
      () => {
        if (crash !== null) throw crash
      },
      error => {
        crash = error
      },
    )
    const story = new Story(false, () => this.events.now)
    const network = new Network(this.events, this.#dice.fork('network'), story)
    const machine = (name: string, host: string) =>
      new Machine(name, host, this.events, network, story, this.#dice.fork(name))
    const settings = {
      token: 'simulated-'.repeat(4),
      'replication.topology': topology,
      'quorum.voter.probation.ms': '100',
      'offsets.topic.num.partitions': '1',
    }
    this.servers = [1, 2, 3].map(i => {
      const join = [1, 2, 3].filter(other => other !== i).map(other => `10.0.0.${other}:9092`)
      return new Server(
        machine(`server${i}`, `10.0.0.${i}`),
        i === 1 ? settings : { ...settings, join: join.join() },
        null,
      )
    })
    this.#client = machine('client', '10.0.1.1')
  }

  until(ms: number, done: () => boolean): Promise<void> {
    return this.events.run(this.events.now + ms, done)
  }

  async begin(): Promise<void> {
    for (const server of this.servers) server.start()
    await this.until(30_000, () => this.servers.every(({ node }) => node !== null))
    const complete = () => this.servers.every(({ inside }) => inside?.orderer.describe().voters.length === 3)
    await this.until(30_000, complete)
    assert.equal(complete(), true)
    const process = this.#client.spawn()
    const bootstrap = this.servers.map(({ address }) => address)
    let ready: Promise<void> = Promise.reject(new Error('not begun'))
    ready.catch(() => {})
    this.events.in(0, process, () => {
      ready = this.#produce(process.world, new Cluster(process.world, { bootstrap }))
    })
    await this.until(1, () => false)
    await this.until(10_000, settled(ready))
    await ready
    await this.until(200, () => false)
  }

  async #produce(world: World, cluster: Cluster): Promise<void> {
    await new Admin(cluster).createTopics([topic])
    const producer = new Producer(cluster, { lingerMs: 0 })
    for (const partition of this.longest.keys()) {
      let last = this.events.now
      const send = () => {
        world.timers.after(every, send)
        void producer.send({ topic: topic.name, partition, value: Buffer.from('v') }).then(() => {
          this.longest[partition] = Math.max(this.longest[partition]!, this.events.now - last)
          last = this.events.now
        })
      }
      send()
    }
  }

  leaders(): number[] {
    const state = this.servers.find(({ node }) => node !== null)!.inside!.metadata.state
    return state.topics.get(topic.name)!.partitions.map(({ leader }) => leader)
  }

  controller(): number {
    return this.servers[0]!.inside!.orderer.leader()!.id
  }

  server(id: number): Server {
    return this.servers.find(({ inside, lastNodeId }) => (inside?.nodeId ?? lastNodeId) === id)!
  }

  async stop(victim: number): Promise<Gap> {
    const leaders = this.leaders()
    const server = this.server(victim)
    this.longest.fill(0)
    const begun = this.events.now
    server.stop()
    await this.until(20_000, () => server.process === null)
    const stopMs = this.events.now - begun
    await this.until(500, () => false)
    const worst = (of: boolean) => Math.max(...this.longest.filter((_, i) => (leaders[i] === victim) === of))
    return { led: worst(true), other: worst(false), stopMs }
  }

  /** The longest wait of any partition while `ms` pass after `act`, ms. */
  async longestAfter(act: () => void, ms: number): Promise<number> {
    this.longest.fill(0)
    act()
    await this.until(ms, () => false)
    return Math.max(...this.longest)
  }
}

for (const role of ['leader', 'controller'] as const) {
  for (const topology of ['isr', 'chain']) {
    test(`a ${role} is stopped in order, ${topology}: nobody waits long`, async () => {
      const room = new Room(4, topology)
      await room.begin()
      const controller = room.controller()
      const victim = role === 'controller' ? controller : room.leaders().find(id => id !== controller)!
      const { led, other, stopMs } = await room.stop(victim)
      const figures = `${led}, ${other}, ${stopMs} ms`
      assert.ok(led >= every && led < most && other >= every && other < most && stopMs < most, figures)
    })
  }
}

for (const topology of ['isr', 'chain']) {
  test(`a node is killed, comes back, has a slow disk, ${topology}: how long the writers wait`, async () => {
    const room = new Room(7, topology)
    await room.begin()
    const victim = room.server([1, 2, 3].find(id => id !== room.controller())!)
    const killed = await room.longestAfter(() => victim.kill(), 1500)
    const back = await room.longestAfter(() => victim.start(), 4000)
    const slow = await room.longestAfter(() => {
      victim.machine.manners.least = victim.machine.manners.most = 200
    }, 8000)
    // A sync of the leader, and one of a follower.
    assert.ok(killed < 300 && back < most && slow < 500, `${killed}, ${back}, ${slow} ms`)
  })
}
