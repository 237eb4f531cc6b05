import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dice } from '../../../machine/testing.ts'
import { MemoryVolume } from '../../../store/memory.ts'
import type { Volume } from '../../../store/store.ts'
import type { Logger } from '../../../world/logger.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { type ClusterUnderTest, Nodes, ordererContract } from '../contract.ts'
import { VirtualProcesses } from '../processes.test.kit.ts'
import type { FencedLog } from './fenced-log.ts'
import { FencedOrderer } from './fenced-orderer.ts'
import type { FencedOrdererOptions } from './orderer-options.ts'
import { TestStore } from './testing.ts'

const clusterId = 'AAAAAAAAAAAAAAAAAAAACQ'
const leaseMs = 2000

class TestCluster extends VirtualProcesses implements ClusterUnderTest {
  readonly failoverMs = leaseMs + 500
  readonly said: string[] = []
  readonly storeUnderTest: TestStore
  readonly store: NonNullable<ClusterUnderTest['store']>
  readonly options: Partial<FencedOrdererOptions> = {}
  /** No disk has room. */
  full = false
  readonly #random
  readonly #volumes = new Map<number, Volume>()
  /** Where a node finds the store, when not at the usual place. */
  readonly #moved = new Map<number, TestStore>()
  readonly #watches = new Map<number, () => void>()

  constructor(seed: number) {
    super()
    this.#random = dice(seed)
    const store = new TestStore({ clock: this.time, timers: this.time, random: dice(seed + 1) })
    this.storeUnderTest = store
    this.store = {
      restart: async () => store.restart(),
      save: async () => {
        const saved = store.state
        return async () => store.restart(saved)
      },
      loseReply: () => {
        store.loseReplies = 1
      },
    }
  }

  /** The address of the store leads these nodes to another one from now on. */
  move(store: TestStore, ...ids: number[]): void {
    for (const id of ids) {
      this.#moved.set(id, store)
      this.#watches.get(id)?.()
    }
  }

  open(id: number): FencedOrderer {
    const process = this.born(id)
    const volume = this.#volumes.get(id) ?? new MemoryVolume(this.time)
    this.#volumes.set(id, volume)
    const clients = new Map<TestStore, FencedLog>()
    const client = (): FencedLog => {
      const store = this.#moved.get(id) ?? this.storeUnderTest
      const known = clients.get(store) ?? store.client(() => process.dead || this.isCut(id))
      clients.set(store, known)
      return known
    }
    const log = new Proxy(client(), {
      get: (_, name) => {
        const value = Reflect.get(client(), name, client())
        if (name === 'watch') {
          return (changed: (() => void) | null) => {
            const told = () => {
              for (const each of clients.values()) each.watch(null)
              client().watch(changed)
              changed?.()
            }
            this.#watches.set(id, told)
            client().watch(changed)
          }
        }
        return typeof value === 'function' ? value.bind(client()) : value
      },
    })
    const say = (message: string) => void this.said.push(`${id}: ${message}`)
    const logger: Logger = { debug() {}, info: say, warn: say, error: say }
    return new FencedOrderer({
      log: process.log(log),
      volume: {
        get: name => volume.get(name),
        put: async (name, bytes) => {
          if (this.full) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
          return process.dead ? new Promise(() => {}) : volume.put(name, bytes)
        },
      },
      world: { clock: this.time, timers: process.timers(this.time), random: this.#random },
      logger,
      clusterId,
      voter: { id, directoryId: 'AauM3WNygOvKsnjDZCnatA', endpoints: [{ name: 'P', host: 'h', port: 9090 + id }] },
      leaseMs,
      renewMs: 500,
      failed: error => assert.fail(error),
      ...this.options,
    })
  }
}

for (const seed of [1, 2, 3]) ordererContract(`a fenced log (seed ${seed})`, async () => new TestCluster(seed))

async function setUp() {
  const cluster = new TestCluster(7)
  return { cluster, nodes: new Nodes(cluster), store: cluster.storeUnderTest }
}

describe('a fenced log', () => {
  it('is waited for, which is said once', async () => {
    const { cluster, nodes, store } = await setUp()
    store.down = true
    nodes.start(1)
    await cluster.pass(5000)
    assert.deepEqual(cluster.said, ['1: waiting for the test store: it does not answer'])
    assert.equal(nodes.lives.get(1)!.started, false)
    store.down = false
    await nodes.until('it has started', () => nodes.lives.get(1)!.started)
    assert.deepEqual(cluster.said.slice(1).sort(), ['1: the test store is back', '1: this node leads the metadata'])
  })

  it('of another cluster is refused', async () => {
    const { cluster, nodes } = await setUp()
    nodes.start(1)
    await nodes.commit()
    Object.assign(cluster.options, { clusterId: 'BBBBBBBBBBBBBBBBBBBBBQ' })
    nodes.start(2)
    await nodes.until('it is refused', () => nodes.lives.get(2)!.startError !== null)
    assert.match(nodes.lives.get(2)!.startError!.message, /holds the metadata of cluster AAA.*belongs to BBB/)
  })

  it('is not begun by a node that joins', async () => {
    const { cluster, nodes, store } = await setUp()
    Object.assign(cluster.options, { create: false })
    nodes.start(2)
    await cluster.pass(3000)
    assert.equal(store.state, null)
    Object.assign(cluster.options, { create: true })
    nodes.start(1)
    await nodes.commit()
    await nodes.agree()
  })

  it('that is gone stops everything, in one clear line', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    await nodes.commit()
    cluster.said.length = 0
    store.restart(null)
    await cluster.pass(10_000)
    assert.deepEqual(cluster.said, [
      '1: this node no longer leads the metadata: another node has taken over',
      '1: changes of metadata are halted, the test store cannot be trusted: the log of this cluster is not there any more',
    ])
  })

  it('that another has written over stops who knew better', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1, 2)
    await nodes.commit()
    const rollBack = await cluster.store.save()
    await nodes.commit()
    await nodes.commit()
    await nodes.agree()
    cluster.kill(1)
    cluster.kill(2)
    await rollBack()
    // Node 3 knows nothing of what was lost, and a person says that it may.
    nodes.lives.clear()
    Object.assign(cluster.options, { accept: store.head(store.state!).source })
    nodes.start(3)
    await nodes.until('node 3 leads', () => nodes.lives.get(3)!.epoch !== null)
    const three = nodes.lives.get(3)!
    for (let i = 0; i < 4; i++) nodes.append(three)
    await cluster.pass(100)
    Object.assign(cluster.options, { accept: null })
    nodes.lives.clear()
    nodes.start(1, 2)
    cluster.said.length = 0
    await cluster.pass(3000)
    assert.equal(cluster.said.filter(line => /cannot be trusted: the log differs below offset/.test(line)).length, 2)
    assert.deepEqual(nodes.lives.get(1)!.names, [], 'nothing of it was shown to anybody')
  })

  it('that moved is not led before who led last has seen it, or a person', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    await nodes.commit()
    nodes.start(2)
    await nodes.agree()
    cluster.kill(1)
    store.restart()
    nodes.lives.delete(1)
    await cluster.pass(10_000)
    const { source } = store.head(store.state!)
    const told = cluster.said.filter(line => line.includes('halted'))
    assert.equal(told.length, 1)
    assert.match(told[0]!, new RegExp(`node 1 has not said yet.*by \\?accept=${source}$`))
    nodes.start(1)
    await nodes.commit()
    await nodes.agree()
  })

  it('gives no epoch twice, also when it was moved', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    for (let i = 0; i < 3; i++) {
      await nodes.commit()
      store.restart()
      await cluster.pass(1000)
    }
    await nodes.commit()
    await nodes.agree()
    assert.ok(nodes.leads.at(-1)!.epoch > 3000)
  })

  it('is led at once by who comes back, before its old lease is over', async () => {
    const { cluster, nodes } = await setUp()
    nodes.start(1)
    await nodes.commit()
    cluster.kill(1)
    nodes.lives.clear()
    nodes.start(1)
    await nodes.until('it leads', () => nodes.lives.get(1)!.epoch !== null, 200)
  })

  it('is led by another at once when the process of the leader is known to be gone', async () => {
    const { cluster, nodes } = await setUp()
    nodes.start(1)
    await nodes.commit()
    nodes.start(2, 3)
    await nodes.agree()
    cluster.kill(1)
    nodes.lives.delete(1)
    for (const id of [2, 3]) (nodes.lives.get(id)!.orderer as FencedOrderer).leaderGone({ id: 1, epoch: 1 })
    await nodes.until('another leads', () => nodes.leads.length === 2, 200)
    // It was not so, or is said late: who leads now stays.
    for (const id of [2, 3]) (nodes.lives.get(id)!.orderer as FencedOrderer).leaderGone({ id: 1, epoch: 1 })
    await cluster.pass(3000)
    await nodes.commit()
    await nodes.agree()
    assert.equal(nodes.leads.length, 2)
  })

  describe('in a store that was replaced by a copy of it', () => {
    const broker = (brokerId: number): MetadataRecord => ({
      type: 'RegisterBrokerRecord',
      brokerId,
      incarnationId: 'AauM3WNygOvKsnjDZCnatA',
      brokerEpoch: 1,
      endPoints: [],
      features: [],
      rack: null,
    })

    /** Node 1 leads three brokers; a copy of their store is promoted. */
    async function promoted() {
      const { cluster, nodes, store } = await setUp()
      store.single = false
      nodes.start(1)
      const one = await nodes.commit()
      nodes.start(2, 3)
      await nodes.agree()
      const end = one.orderer.append(one.epoch!, [1, 2, 3].map(broker), 1000)
      await nodes.until('all know all', () => [...nodes.lives.values()].every(life => life.upTo === end))
      const copy = store.promoted()
      const leads = () => nodes.leads.slice(1).map(({ node, epoch }) => `${node} in ${epoch}`)
      return { cluster, nodes, store, copy, leads, life: (id: number) => nodes.lives.get(id)! }
    }

    it('is not led in both by who led last, who cannot know of the other', async () => {
      const { cluster, nodes, store, copy, leads, life } = await promoted()
      cluster.move(copy, 1)
      await nodes.until('another leads', () => life(2).epoch !== null || life(3).epoch !== null)
      await cluster.pass(10_000)
      assert.equal(life(1).epoch, null)
      assert.equal(copy.head(copy.state!).moved, true)
      assert.ok(cluster.said.some(line => /^1: .*halted.*node 2, 3 has not said yet/.test(line)))
      assert.equal(leads().length, 1)
      // The net is whole again.
      cluster.move(store, 1)
      await nodes.until('all follow', () =>
        [1, 2, 3].every(id => life(id).orderer.leader()?.id === nodes.leads[1]!.node),
      )
      assert.equal(store.state!.token.epoch, 2)
    })

    it('is led there by itself when all nodes have come, and nowhere else afterwards', async () => {
      const { cluster, nodes, store, copy, leads, life } = await promoted()
      cluster.move(copy, 1, 2, 3)
      await nodes.until('one leads', () => leads().length === 1, leaseMs)
      await nodes.until('all follow', () => [1, 2, 3].every(id => life(id).orderer.leader() !== null))
      assert.deepEqual(
        cluster.said.filter(line => /halted/.test(line)),
        [],
      )
      const [{ epoch }] = [nodes.leads[1]!]
      assert.ok(epoch > 1000)
      const follower = [2, 3, 1].find(id => life(id).epoch === null)!
      cluster.move(store, follower)
      await cluster.pass(3 * leaseMs)
      assert.equal(life(follower).epoch, null)
      assert.ok(cluster.said.some(line => new RegExp(`^${follower}: .*halted.*this node has seen`).test(line)))
    })

    it('is told nothing that is not on the disk', async () => {
      const { cluster, nodes, copy, leads } = await promoted()
      cluster.full = true
      cluster.move(copy, 1, 2, 3)
      await cluster.pass(5 * leaseMs)
      const { moved, vouched } = copy.head(copy.state!)
      assert.deepEqual([moved, vouched], [true, []])
      cluster.full = false
      await nodes.until('one leads', () => leads().length === 1)
    })

    it('binds who has agreed to go on there, also when it starts anew elsewhere', async () => {
      const { cluster, nodes, store, copy, leads, life } = await promoted()
      cluster.move(copy, 1, 2)
      cluster.cut(3)
      await cluster.pass(2 * leaseMs)
      assert.deepEqual(copy.head(copy.state!).vouched.slice().sort(), [1, 2])
      cluster.kill(2)
      cluster.move(store, 2)
      nodes.lives.delete(2)
      nodes.start(2)
      cluster.said.length = 0
      await cluster.pass(3 * leaseMs)
      assert.ok(cluster.said.some(line => /^2: .*halted.*agreed to lead with no other server/.test(line)))
      assert.deepEqual(leads(), [])
      assert.equal(store.state!.token.epoch, 1)
      // Nor does it agree to more than one at a time.
      cluster.move(copy, 2, 3)
      cluster.heal(3)
      await nodes.until('one leads', () => leads().length === 1)
      assert.ok([1, 2, 3].includes(nodes.leads[1]!.node) && life(nodes.leads[1]!.node).epoch! > 1000)
    })
  })

  it('that has lost something is taken as it is when a person says so, once', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1, 2)
    await nodes.commit()
    const rollBack = await cluster.store.save()
    const before = nodes.committed.length
    await nodes.commit()
    await nodes.commit()
    await nodes.agree()
    await rollBack()
    await cluster.pass(2 * leaseMs)
    const { source } = store.head(store.state!)
    const way = new RegExp(`halted.*seen it up to offset 4; .*\\?accept=${source} on each node`)
    assert.equal(cluster.said.filter(line => way.test(line)).length, 2)
    nodes.committed.splice(before)
    Object.assign(cluster.options, { accept: source })
    for (const id of [1, 2]) cluster.kill(id)
    nodes.lives.clear()
    nodes.start(1, 2)
    await nodes.commit()
    await nodes.agree()
    // The words are still behind its address, and do not count any more.
    const lost = await cluster.store.save()
    await nodes.commit()
    await nodes.agree()
    await lost()
    await cluster.pass(2 * leaseMs)
    assert.ok([1, 2].every(id => nodes.lives.get(id)!.epoch === null))
  })

  it('goes on from a copy that lacks what never counted, of which nobody was told', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    const one = await nodes.commit()
    nodes.start(2, 3)
    await nodes.agree()
    const rollBack = await cluster.store.save()
    store.uncopied = true
    const lost = nodes.append(one)
    await nodes.until('it is written', () => store.state!.endOffset > store.state!.safeOffset)
    // Who led re-reads what it could not finish, and others take epochs that they cannot begin.
    cluster.cut(1)
    await nodes.until('it steps down', () => one.epoch === null)
    cluster.heal(1)
    await cluster.pass(2 * leaseMs)
    assert.ok(store.state!.token.epoch > 1)
    assert.equal(store.state!.endOffset, store.state!.safeOffset + 1)
    for (const { names } of nodes.lives.values()) assert.ok(!names.includes(lost[0]!))
    store.uncopied = false
    await rollBack()
    await nodes.commit()
    await nodes.agree()
    assert.deepEqual(
      cluster.said.filter(line => /halted.*seen/.test(line)),
      [],
    )
    assert.ok(![...nodes.lives.values()].some(({ names }) => names.includes(lost[0]!)))
  })

  it('shows what did not count to all when the next leader has it', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    const one = await nodes.commit()
    nodes.start(2)
    await nodes.agree()
    store.uncopied = true
    const late = nodes.append(one)
    await nodes.until('it is written', () => store.state!.endOffset > store.state!.safeOffset)
    cluster.kill(1)
    nodes.lives.delete(1)
    store.uncopied = false
    nodes.committed.push(...late)
    await nodes.commit()
    await nodes.agree()
  })

  it('is left to others by who resigns just as it gets the lead', async () => {
    const { cluster, nodes, store } = await setUp()
    nodes.start(1)
    await nodes.commit()
    cluster.kill(1)
    nodes.lives.delete(1)
    nodes.start(2)
    for (let ms = 0; store.state!.token.epoch === 1; ms++) {
      assert.ok(ms < 2 * leaseMs)
      await cluster.pass(1)
    }
    nodes.start(3)
    void nodes.lives.get(2)!.orderer.resign()
    await nodes.until('another leads', () => nodes.lives.get(3)!.epoch !== null, leaseMs / 2)
    assert.equal(nodes.leads.length, 2)
  })

  it('refuses a leader that was thought to be gone and was not', async () => {
    const { cluster, nodes } = await setUp()
    nodes.start(1)
    const old = await nodes.commit()
    nodes.start(2)
    await nodes.agree()
    const two = nodes.lives.get(2)!
    ;(two.orderer as FencedOrderer).leaderGone({ id: 1, epoch: 1 })
    await nodes.until('both lead, as they think', () => two.epoch !== null && old.epoch === 1)
    const lost = nodes.append(old)
    await nodes.until('it is fenced', () => old.epoch === null)
    await nodes.commit()
    await nodes.agree()
    assert.ok(!two.names.includes(lost[0]!))
    await cluster.pass(10)
  })

  it('whose entries do not follow on one another is trusted by nobody', async () => {
    for (const [what, spoil] of [
      ['changed', (bytes: Uint8Array) => bytes.map((byte, index) => (index === bytes.length - 3 ? byte ^ 1 : byte))],
      ['exchanged', null],
    ] as const) {
      const { cluster, nodes, store } = await setUp()
      nodes.start(1)
      for (let i = 0; i < 3; i++) await nodes.commit()
      const state = store.state!
      const entries = [...state.entries]
      const [one, two] = [entries[1]!, entries[2]!]
      entries[1] = { ...one, bytes: spoil === null ? two.bytes : spoil(one.bytes) }
      store.restart({ ...state, entries })
      nodes.start(2)
      await cluster.pass(6000)
      const said = cluster.said.filter(line => /cannot be trusted: the batch .*(unreadable|out of order)/.test(line))
      assert.equal(said.length, 2, `${what}: ${cluster.said.join('; ')}`)
      entries[1] = { ...one, previous: 'f'.repeat(32) }
      store.restart({ ...state, entries })
      await cluster.pass(6000)
      assert.ok(
        cluster.said.some(line => /the batch behind offset 1 follows on another one/.test(line)),
        what,
      )
      assert.equal(nodes.leads.length, 1)
    }
  })

  it('is not led by a node that cannot note what it did, nor raced for by one that cannot lead', async () => {
    const { cluster, nodes } = await setUp()
    nodes.start(1)
    const one = await nodes.commit()
    cluster.full = true
    const lost = nodes.append(one)
    await nodes.until('it steps down', () => one.epoch === null)
    await cluster.pass(5000)
    assert.equal(nodes.leads.length, 1)
    cluster.full = false
    await nodes.commit()
    assert.ok(one.names.includes(lost[0]!), 'it was in the log')

    cluster.kill(1)
    nodes.lives.clear()
    const two = cluster.open(2)
    two.follow({
      load() {},
      commit() {},
      lead() {
        throw new Error('a bug')
      },
    })
    void two.start()
    cluster.said.length = 0
    await cluster.pass(6000)
    const tries = cluster.said.filter(line => /no longer leads the metadata: a bug/.test(line)).length
    assert.ok(tries > 1 && tries < 15, `${tries} tries`)
  })
})
