import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { dice } from '../../machine/testing.ts'
import type { ControllerSettings } from '../commands/context.ts'
import { planInput } from '../commands/plan-input.ts'
import { isMoving } from '../commands/reassign.ts'
import { balanced } from '../placement/balanced.ts'
import { ring } from '../placement/ring.ts'
import type { PartitionState } from '../state.ts'
import { TestController } from '../testing.ts'
import { plan } from './plan.ts'

/** A controller with its brokers, whose followers copy as fast as they are asked to. */
class Cluster extends TestController {
  /** Copies that were made, by `topic-partition`. */
  readonly copied: string[] = []

  constructor(more: Partial<ControllerSettings> = {}) {
    super({ placement: ring, balance: true, defaultReplicationFactor: -1, ...more })
  }

  brokers(...ids: number[]): this {
    for (const id of ids) this.broker(id, { rack: null })
    return this
  }

  set(broker: number, value: string | null): string | null {
    const configs = [{ name: 'balance.state', configOperation: value === null ? 1 : 0, value }]
    const resources = [{ resourceType: 4, resourceName: String(broker), configs }]
    return this.ask('incrementalAlterConfigs', { resources, validateOnly: false }).responses[0]!.errorMessage
  }

  /** Everything that is under way comes to its end, and what follows from it, until nothing is left. */
  settle(afterEach: () => void = () => {}): void {
    for (let round = 0; round < 10_000; round++) {
      if (this.timers.has('balance')) this.fire('balance')
      else if (!this.copyOne()) return
      afterEach()
    }
    assert.fail('it moves for ever')
  }

  /** Everybody lives, and whoever has a copy catches up, until nothing is left to be done. */
  heal(): void {
    for (let round = 0; round < 2000; round++) {
      for (const { id, epoch, fenced } of this.state.brokers.values()) if (fenced) this.beat(id, epoch)
      if (this.timers.has('balance')) this.fire('balance')
      else if (!this.copyOne() && !this.catchUpOne()) return
    }
    assert.fail('it moves for ever')
  }

  /** A replica that lives and is not in sync gets there. */
  catchUpOne(): boolean {
    for (const { id, partitions } of this.state.topics.values()) {
      for (const [partitionIndex, partition] of partitions.entries()) {
        const { replicas, isr, leader } = partition
        const late = replicas.find(broker => !isr.includes(broker) && !this.state.brokers.get(broker)!.fenced)
        if (late === undefined || leader === -1) continue
        this.join(id, partitionIndex, partition, late)
        return true
      }
    }
    return false
  }

  join(topicId: string, partitionIndex: number, partition: PartitionState, coming: number): void {
    const { isr, leader, leaderEpoch, partitionEpoch } = partition
    const epoch = (brokerId: number) => ({ brokerId, brokerEpoch: this.state.brokers.get(brokerId)!.epoch })
    const newIsrWithEpochs = [...isr, coming].map(epoch)
    const wanted = { partitionIndex, leaderEpoch, partitionEpoch, newIsrWithEpochs, leaderRecoveryState: 0 }
    this.ask('alterPartition', { ...epoch(leader), topics: [{ topicId, partitions: [wanted] }] })
  }

  /** The first partition whose new replica lives gets it in sync. */
  copyOne(): boolean {
    for (const { id, name, partitions } of this.state.topics.values()) {
      for (const [partitionIndex, partition] of partitions.entries()) {
        const { addingReplicas, isr, leader } = partition
        const coming = addingReplicas.find(id => !isr.includes(id) && !this.state.brokers.get(id)!.fenced)
        if (coming === undefined || leader === -1) continue
        this.copied.push(`${name}-${partitionIndex}`)
        this.join(id, partitionIndex, partition, coming)
        return true
      }
    }
    return false
  }

  /** Replicas, and preferred leaders, of each broker. */
  load(): Record<number, string> {
    const counts = new Map([...this.state.brokers.keys()].sort().map(id => [id, [0, 0] as [number, number]]))
    for (const { partitions } of this.state.topics.values()) {
      for (const { replicas } of partitions) {
        for (const id of replicas) counts.get(id)![0]++
        counts.get(replicas[0]!)![1]++
      }
    }
    return Object.fromEntries([...counts].map(([id, [replicas, leaders]]) => [id, `${replicas}/${leaders}`]))
  }

  get moving(): number {
    let count = 0
    for (const { partitions } of this.state.topics.values()) {
      count += partitions.filter(({ addingReplicas }) => addingReplicas.length > 0).length
    }
    return count
  }
}

const create = (cluster: Cluster, name: string, numPartitions: number, replicationFactor = 3) =>
  assert.equal(cluster.topic(name, { numPartitions, replicationFactor }), 'ok')

describe('a broker that joins', () => {
  it('gets its share, leaders included, and nothing else moves', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 12)
    assert.deepEqual(cluster.load(), { 1: '12/4', 2: '12/4', 3: '12/4' })
    cluster.brokers(4)
    assert.equal(cluster.state.configs(4, '4').get('balance.state'), 'joining')
    cluster.settle()
    assert.deepEqual(cluster.load(), { 1: '9/3', 2: '9/3', 3: '9/3', 4: '9/3' })
    assert.equal(cluster.copied.length, 9, 'a quarter of 36')
    assert.equal(cluster.state.configs(4, '4').size, 0)
    assert.equal(cluster.timers.has('balance'), false)
  })

  it('takes part in two moves at once at most, as all others', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 30)
    cluster.brokers(4)
    cluster.fire('balance')
    assert.equal(cluster.moving, 2)
    cluster.settle(() => {
      const busy = new Map<number, number>()
      for (const { addingReplicas, leader } of cluster.state.topics.get('foo')!.partitions) {
        if (addingReplicas.length === 0) continue
        for (const id of [...addingReplicas, leader]) busy.set(id, (busy.get(id) ?? 0) + 1)
      }
      for (const [id, count] of busy) assert.ok(count <= 2, `broker ${id} takes part in ${count}`)
    })
  })

  it('gets nothing where nothing moves by itself', () => {
    const cluster = new Cluster({ balance: false }).brokers(1, 2, 3)
    create(cluster, 'foo', 12)
    cluster.brokers(4)
    cluster.settle()
    assert.equal(cluster.load()[4], '0/0')
  })

  it('goes on to get it under a new controller', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 12)
    cluster.brokers(4)
    cluster.fire('balance')
    cluster.copyOne()
    const next = Object.setPrototypeOf(
      cluster.elected({ placement: ring, balance: true, defaultReplicationFactor: -1 }),
      Cluster.prototype,
    ) as Cluster
    Object.assign(next, { copied: [] })
    next.settle()
    assert.deepEqual(next.load(), { 1: '9/3', 2: '9/3', 3: '9/3', 4: '9/3' })
    assert.equal(next.copied.length, 8)
  })

  it('makes topics that did not say how many copies they want safer', () => {
    const cluster = new Cluster().brokers(1)
    cluster.topic('auto', { numPartitions: 2 })
    cluster.topic('one', { numPartitions: 2, replicationFactor: 1 })
    cluster.topic('__consumer_offsets', { numPartitions: 2, replicationFactor: 1 })
    cluster.brokers(2)
    cluster.settle()
    const factor = (topic: string) => cluster.partition(topic).replicas.length
    assert.deepEqual([factor('auto'), factor('one'), factor('__consumer_offsets')], [2, 1, 2])
    cluster.brokers(3)
    cluster.settle()
    assert.deepEqual([factor('auto'), factor('one'), factor('__consumer_offsets')], [3, 1, 3])
    cluster.brokers(4)
    cluster.settle()
    assert.deepEqual([factor('auto'), factor('one'), factor('__consumer_offsets')], [3, 1, 3])
    assert.equal(cluster.partition('auto', 1).isr.length, 3)
  })
})

describe('a broker that is drained', () => {
  it('keeps nothing and gets nothing, and may be let go', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    create(cluster, 'foo', 12)
    const held = Number(cluster.load()[4]!.split('/')[0])
    assert.equal(cluster.set(4, 'draining'), null)
    cluster.settle()
    assert.equal(cluster.load()[4], '0/0')
    assert.equal(cluster.copied.length, held, 'only what it held')
    create(cluster, 'bar', 6)
    assert.equal(cluster.load()[4], '0/0')
    for (const id of [1, 2, 3]) assert.equal(cluster.load()[id]!.split('/')[0], '18')
    cluster.fire('session:4')
    assert.equal(cluster.ask('unregisterBroker', { brokerId: 4 }).errorCode, 0)
    assert.equal(cluster.state.configs(4, '4').size, 0)
  })

  it('goes on being emptied when the topic is deleted whose copies are under way', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    create(cluster, 'temporary', 24)
    cluster.topicOn('foo', [1, 2, 4])
    cluster.set(4, 'draining')
    cluster.fire('balance')
    assert.ok(cluster.moving > 0 && !isMoving(cluster.partition('foo')))
    assert.equal(cluster.timers.has('balance'), false)
    const topics = [{ name: 'temporary', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }]
    assert.equal(cluster.ask('deleteTopics', { topics, timeoutMs: 1 }).responses[0]!.errorCode, 0)
    cluster.settle()
    assert.equal(cluster.load()[4], '0/0')
  })

  it('goes on when a partition has a leader again', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    cluster.topicOn('foo', [2, 4])
    cluster.fire('session:4')
    cluster.fire('session:2')
    cluster.beat(4, cluster.state.brokers.get(4)!.epoch)
    assert.equal(cluster.set(4, 'draining'), null)
    cluster.settle()
    assert.equal(cluster.load()[4]!.split('/')[0], '1', 'there is nobody to copy from')
    const topicPartitions = [{ topic: 'foo', partitions: [0] }]
    cluster.ask('electLeaders', { electionType: 1, topicPartitions, timeoutMs: 1 })
    cluster.settle()
    assert.equal(cluster.load()[4], '0/0')
  })

  it('is called back', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    create(cluster, 'foo', 12)
    cluster.set(4, 'draining')
    cluster.fire('balance')
    assert.equal(cluster.set(4, null), null)
    const under = cluster.moving
    cluster.settle()
    assert.equal(cluster.copied.length, under, 'what was under way, and no more')
  })

  it('is refused where copies would have no place, with their names', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 1)
    create(cluster, 'bar', 2, 2)
    assert.match(cluster.set(3, 'draining')!, /2 brokers for copies.*1 partition\(s\): foo-0 \(3 copies\)\./)
    assert.match(cluster.set(3, 'gone')!, /is running/)
    assert.match(cluster.set(3, 'nonsense')!, /must be one of/)
    assert.equal(cluster.state.configs(4, '3').size, 0)
  })
})

describe('brokers that are drained together', () => {
  it('are refused one by one where the copies would have no place', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 4, 2)
    const drain = (validateOnly: boolean) => {
      const configs = [{ name: 'balance.state', configOperation: 0, value: 'draining' }]
      const resources = [2, 3].map(id => ({ resourceType: 4, resourceName: String(id), configs }))
      const { responses } = cluster.ask('incrementalAlterConfigs', { resources, validateOnly })
      return responses.map(({ errorMessage }) => errorMessage)
    }
    for (const validateOnly of [true, false]) {
      const [first, second] = drain(validateOnly)
      assert.equal(first, null)
      assert.match(second!, /there are 1 brokers for copies/)
    }
    assert.equal(cluster.state.configs(4, '3').size, 0)
    cluster.settle()
    assert.equal(cluster.load()[2], '0/0')
  })
})

describe('racks', () => {
  it('keep their copies apart, whoever comes and goes', () => {
    for (const placement of [ring, balanced]) {
      const cluster = new Cluster({ placement })
      const rackOf = (id: number) => (id % 2 === 0 ? 'even' : 'odd')
      const join = (id: number) => cluster.broker(id, { rack: rackOf(id) })
      for (const id of [1, 2, 3, 4]) join(id)
      create(cluster, 'foo', 20, 2)
      const check = () => {
        cluster.settle()
        for (const { replicas } of cluster.state.topics.get('foo')!.partitions) {
          assert.equal(new Set(replicas.map(rackOf)).size, 2, `${replicas}`)
        }
      }
      check()
      join(5)
      check()
      // A share of a rack's brokers is not a share of all: odd ones hold 20 copies together.
      assert.ok(Number(cluster.load()[5]!.split('/')[0]) >= 5, JSON.stringify(cluster.load()))
      assert.equal(cluster.set(3, 'draining'), null)
      check()
      assert.equal(cluster.load()[3], '0/0')
      join(6)
      check()
    }
  })
})

describe('a broker that is gone for good', () => {
  it('is replaced by the others', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    create(cluster, 'foo', 12)
    cluster.fire('session:4')
    cluster.settle()
    assert.notEqual(cluster.load()[4], '0/0', 'it may come back')
    assert.equal(cluster.set(4, 'gone'), null)
    cluster.settle()
    assert.equal(cluster.load()[4], '0/0')
    for (const { isr } of cluster.state.topics.get('foo')!.partitions) assert.equal(isr.length, 3)
  })

  it('is replaced by the next one that joins, where there was no place', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 6)
    cluster.fire('session:3')
    cluster.set(3, 'gone')
    cluster.settle()
    assert.equal(
      plan(planInput(cluster.state, { nodeId: 1, placement: ring, topicValue: () => null })).blocked.length,
      6,
    )
    cluster.brokers(4)
    cluster.settle()
    assert.equal(cluster.load()[3], '0/0')
    assert.equal(cluster.load()[4]!.split('/')[0], '6')
    assert.equal(cluster.copied.length, 6)
  })

  it('is not when what it has nobody else has', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    cluster.topicOn('sole', [3])
    cluster.fire('session:3')
    cluster.set(3, 'gone')
    cluster.settle()
    assert.deepEqual(cluster.partition('sole').replicas, [3])
    assert.equal(cluster.shown('sole'), '-1@1 |3|')
  })

  it('is given another goal for what was on its way to it', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    create(cluster, 'foo', 12)
    cluster.brokers(4)
    cluster.fire('balance')
    cluster.fire('session:4')
    cluster.set(4, 'gone')
    cluster.settle()
    assert.deepEqual(cluster.load(), { 1: '12/4', 2: '12/4', 3: '12/4', 4: '0/0' })
    assert.equal(cluster.moving, 0)
  })
})

describe('min.insync.replicas', () => {
  it('is held all along', () => {
    const cluster = new Cluster().brokers(1, 2, 3, 4)
    const configs = [{ name: 'min.insync.replicas', value: '2' }]
    cluster.topic('foo', { numPartitions: 12, replicationFactor: 2, configs })
    cluster.set(4, 'draining')
    cluster.settle(() => {
      for (const { isr } of cluster.state.topics.get('foo')!.partitions) assert.ok(isr.length >= 2)
    })
    assert.equal(cluster.load()[4], '0/0')
  })

  it('of another size makes nobody eligible who was so by the former one', () => {
    const cluster = new Cluster().brokers(1, 2, 3)
    cluster.topicOn('foo', [1, 2], { 'min.insync.replicas': '2' })
    cluster.fire('session:2')
    assert.equal(cluster.shown('foo'), '1@0 1|2|')
    const configs = [{ name: 'min.insync.replicas', configOperation: 0, value: '1' }]
    cluster.ask('incrementalAlterConfigs', {
      resources: [{ resourceType: 2, resourceName: 'foo', configs }],
      validateOnly: false,
    })
    assert.equal(cluster.shown('foo'), '1@0 1||')
  })
})

/** What moves, beside what would have to: 1/n of all bytes when one joins, its own when one leaves. */
function churn(seed: number, more: Partial<ControllerSettings>) {
  const random = dice(seed)
  const cluster = new Cluster(more).brokers(1, 2, 3)
  const bytes = new Map<string, number>()
  for (let topic = 0; topic < 8; topic++) {
    create(cluster, `t${topic}`, 1 + random.int(24), 1 + random.int(3))
    for (const index of cluster.state.topics.get(`t${topic}`)!.partitions.keys()) {
      bytes.set(`t${topic}-${index}`, 1 + random.int(1000))
    }
  }
  const held = (of?: number) => {
    let sum = 0
    for (const { name, partitions } of cluster.state.topics.values()) {
      for (const [index, { replicas }] of partitions.entries()) {
        const size = bytes.get(`${name}-${index}`)!
        sum += size * (of === undefined ? replicas.length : Number(replicas.includes(of)))
      }
    }
    return sum
  }
  let moved = 0
  let ideal = 0
  let next = 4
  for (let change = 0; change < 6; change++) {
    cluster.copied.length = 0
    const ids = [...cluster.state.brokers.keys()].filter(id => id !== 1)
    if (ids.length < 3 || random.int(5) < 3) {
      cluster.broker(next++)
      ideal += held() / cluster.state.brokers.size
      cluster.settle()
    } else {
      const leaver = ids[random.int(ids.length)]!
      ideal += held(leaver)
      assert.equal(cluster.set(leaver, 'draining'), null)
      cluster.settle()
      assert.equal(held(leaver), 0)
      cluster.fire(`session:${leaver}`)
      assert.equal(cluster.ask('unregisterBroker', { brokerId: leaver }).errorCode, 0)
      cluster.settle()
    }
    for (const copy of cluster.copied) moved += bytes.get(copy)!
    const loads = Object.values(cluster.load()).map(load => Number(load.split('/')[0]))
    const spread = Math.max(...loads) - Math.min(...loads)
    const average = loads.reduce((sum, load) => sum + load, 0) / loads.length
    assert.ok(spread <= Math.max(3, average * 0.15), `seed ${seed}: ${JSON.stringify(cluster.load())}`)
  }
  return { moved, ideal }
}

for (const [name, placement] of [
  ['ring', ring],
  ['balanced', balanced],
] as const) {
  test(`${name}: over many joins and leaves hardly more moves than must`, () => {
    let moved = 0
    let ideal = 0
    for (let seed = 1; seed <= 12; seed++) {
      const one = churn(seed, { placement })
      moved += one.moved
      ideal += one.ideal
    }
    const ratio = moved / ideal
    assert.ok(ratio > 0.85 && ratio < 1.1, `${ratio} of the ideal`)
  })
}

test('whatever happens meanwhile, in the end everything is where it shall be', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = dice(seed)
    const placement = random.int(2) === 0 ? ring : balanced
    const cluster = new Cluster({ placement, preferredLeadersMs: 1000 }).brokers(1, 2, 3, 4)
    for (let topic = 0; topic < 4; topic++) {
      const configs = [
        { name: 'min.insync.replicas', value: String(1 + random.int(3)) },
        { name: 'replication.topology', value: random.int(2) === 0 ? 'isr' : 'chain' },
      ]
      const more = { numPartitions: 1 + random.int(6), replicationFactor: [1, 2, 3, -1][random.int(4)]!, configs }
      assert.equal(cluster.topic(`t${topic}`, more), 'ok')
    }
    let next = 5
    for (let step = 0; step < 120; step++) {
      const ids = [...cluster.state.brokers.keys()]
      const id = ids[random.int(ids.length)]!
      const { epoch, fenced } = cluster.state.brokers.get(id)!
      const due = [...cluster.timers.keys()].filter(key => !key.startsWith('session'))
      const roll = random.int(12)
      if (roll < 3 && due.length > 0) cluster.fire(due[random.int(due.length)]!)
      else if (roll < 5) cluster.copyOne()
      else if (roll < 7) cluster.catchUpOne()
      else if (roll === 7 && cluster.timers.has(`session:${id}`)) cluster.fire(`session:${id}`)
      else if (roll < 10 && fenced) cluster.beat(id, epoch)
      else if (roll === 10 && id !== 1) cluster.set(id, ['draining', 'gone', null][random.int(3)]!)
      else if (roll === 11 && next < 8) cluster.broker(next++)
    }
    // Nowhere is no place: three have to be left.
    const kept = [...cluster.state.brokers.keys()].filter(id => cluster.state.configs(4, String(id)).size === 0)
    if (kept.length < 3) for (const id of cluster.state.brokers.keys()) cluster.set(id, null)
    cluster.heal()
    const context = `seed ${seed}: ${JSON.stringify(cluster.load())}`
    const { left, blocked } = plan(planInput(cluster.state, { nodeId: 1, placement, topicValue: () => null }))
    assert.deepEqual([cluster.moving, left, blocked.length], [0, 0, 0], context)
    for (const { name, partitions } of cluster.state.topics.values()) {
      for (const { replicas, isr } of partitions) {
        assert.deepEqual([...isr].sort(), [...replicas].sort(), context)
        for (const id of replicas) {
          const state = cluster.state.configs(4, String(id)).get('balance.state')
          assert.ok(state !== 'draining' && state !== 'gone', `${context}: ${name} is on ${id} still`)
        }
      }
    }
    for (const id of cluster.state.brokers.keys()) {
      assert.notEqual(cluster.state.configs(4, String(id)).get('balance.state'), 'joining', context)
    }
  }
})
