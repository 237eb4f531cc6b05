import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import type { ControllerSettings } from './commands/context.ts'
import { TestController, uuid } from './testing.ts'

/** The controller's own broker 1, and 2 and 3. */
function three(more: Partial<ControllerSettings> = {}) {
  const test = new TestController(more)
  const epochs = [0, test.broker(1), test.broker(2), test.broker(3)]
  return { test, epoch: (id: number) => epochs[id]! }
}

const os = { topicValue: (name: string) => ({ flush: 'os', 'min.insync.replicas': '1' })[name] ?? null }
const usable = (test: TestController) =>
  [...test.state.brokers.values()].filter(({ fenced, inControlledShutdown }) => !fenced && !inControlledShutdown).length

describe('registration', () => {
  it('leaves a broker fenced until it has applied its own registration', () => {
    const test = new TestController()
    test.broker(1)
    const epoch = test.register(2)
    assert.equal(test.state.brokers.get(2)!.fenced, true)
    const early = test.beat(2, epoch, { currentMetadataOffset: epoch - 1 })
    assert.deepEqual([early.isCaughtUp, early.isFenced], [false, true])
    const { isCaughtUp, isFenced, errorCode } = test.beat(2, epoch, { currentMetadataOffset: epoch })
    assert.deepEqual([isCaughtUp, isFenced, errorCode], [true, false, 0])
    assert.deepEqual(test.records, [
      { type: 'BrokerRegistrationChangeRecord', brokerId: 2, brokerEpoch: epoch, fenced: -1 },
    ])
  })

  it('needs no heartbeat where a broker is alone with its controller', () => {
    const test = new TestController()
    test.register(1)
    assert.equal(test.state.brokers.get(1)!.fenced, false)
    assert.equal(test.timers.has('session:1'), false, 'as long as somebody decides, it lives')
  })

  it('does not take the first broker of another process for its own', () => {
    const test = new TestController({ nodeId: 1, incarnationId: uuid('1i') })
    test.register(2)
    assert.equal(test.state.brokers.get(2)!.fenced, true)
  })

  it('refuses who says that it is the broker of the controller, and is another process', () => {
    const test = new TestController({ nodeId: 1, incarnationId: uuid('1i') })
    const stranger = { incarnationId: uuid('stranger') }
    assert.equal(test.register(1, stranger), -ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    assert.ok(test.register(1) > 0)
    assert.equal(test.register(1, stranger), -ErrorCode.DUPLICATE_BROKER_REGISTRATION)
  })

  it('refuses a second process with the number of one that lives', () => {
    const { test, epoch } = three()
    const other = { incarnationId: uuid('other'), logDirs: [uuid('other')] }
    assert.equal(test.register(2, other), -ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    assert.equal(test.register(2), epoch(2), 'the same one again')
    test.fire('session:2')
    assert.ok(test.register(2, other) > epoch(2))
  })

  it('takes who holds the directory of one that lives for its successor', () => {
    const { test, epoch } = three()
    assert.ok(test.register(2, { incarnationId: uuid('next') }) > epoch(2))
    assert.equal(test.beat(2, epoch(2)).errorCode, ErrorCode.STALE_BROKER_EPOCH)
  })

  it('gives a number that was free when it was chosen to one broker only, also when that is not heard', () => {
    const { test, epoch } = three()
    const before = epoch(2)
    test.fire('session:2')
    const other = { incarnationId: uuid('other'), logDirs: [uuid('its folder')], choseNumber: true }
    assert.equal(test.register(2, other), -ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    assert.equal(epoch(2), before)
    assert.ok(test.register(4, other) > before)
    // An operator who gives a number to a new disk means that one.
    assert.ok(test.register(2, { ...other, incarnationId: uuid('third'), choseNumber: false }) > before)
  })

  it('writes new addresses of the same process down', () => {
    const { test, epoch } = three()
    const listeners = [{ name: 'PLAINTEXT', host: 'elsewhere', port: 9093, securityProtocol: 0 }]
    assert.equal(test.register(2, { listeners }), epoch(2))
    assert.deepEqual(test.state.brokers.get(2)!.endPoints, listeners)
    assert.equal(test.state.brokers.get(2)!.fenced, false)
  })

  it('ends all that the former process led, and keeps it out of the ISR until it has caught up', () => {
    const { test } = three()
    test.topicOn('foo', [2, 3, 1])
    test.topicOn('sole', [2])
    const epoch = test.register(2, { incarnationId: uuid('next') })
    assert.equal(test.shown('foo'), '3@1 3,1||')
    assert.equal(test.shown('sole'), '-1@1 |2|')
    test.beat(2, epoch)
    assert.equal(test.shown('foo'), '3@1 3,1||')
    assert.equal(test.shown('sole'), '2@2 2||')
  })

  it('of several brokers pins min.insync.replicas, on which eligibility depends', () => {
    const { test } = three()
    assert.equal(test.state.configs(4, '').get('min.insync.replicas'), '1')
  })

  it('pins how copies reach the replicas, too, whichever way that is', () => {
    const settings: Record<string, string> = { 'min.insync.replicas': '1', 'replication.topology': 'isr', flush: 'ack' }
    const { test } = three({ topicValue: name => settings[name] ?? null })
    assert.equal(test.state.configs(4, '').get('replication.topology'), 'isr')
  })

  it('pins before it says what follows from that', () => {
    const test = new TestController()
    test.broker(1)
    // As in a log that Kafka wrote: nothing is pinned there.
    const known = {
      type: 'RegisterBrokerRecord' as const,
      brokerId: 2,
      isMigratingZkBroker: false,
      incarnationId: uuid('2i'),
      brokerEpoch: 1,
      endPoints: [],
      features: [],
      rack: null,
      fenced: false,
      logDirs: [uuid('2d')],
    }
    const own = { type: 'ConfigRecord' as const, resourceType: 4, resourceName: '2', name: 'min.insync.replicas' }
    test.append(known, { ...own, value: '3' })
    test.topicOn('foo', [2])
    test.register(2, { incarnationId: uuid('next') })
    assert.equal(test.state.configs(4, '2').size, 0, 'nor has one of them a value of its own')
    const types = test.records.map(({ type }) => type)
    assert.deepEqual(types, ['RegisterBrokerRecord', 'ConfigRecord', 'ConfigRecord', 'PartitionChangeRecord'])
  })
})

describe('an unclean end', () => {
  const min2 = { configs: [{ name: 'min.insync.replicas', value: '2' }] }
  const partition = { ...min2, assignments: [{ partitionIndex: 0, brokerIds: [1, 2, 3] }] }
  const lose = (test: TestController, epoch: (id: number) => number, ...ids: number[]) => {
    for (const id of ids) test.ask('brokerLost', { brokerId: id, brokerEpoch: epoch(id) })
  }

  it('keeps a broker eligible that had synced what it acknowledged', () => {
    const { test, epoch } = three()
    test.topic('foo', partition)
    lose(test, epoch, 3, 2)
    assert.equal(test.shown('foo'), '1@0 1|2|')
    test.register(2, { incarnationId: uuid('next') })
    assert.equal(test.shown('foo'), '1@0 1|2|')
  })

  const osMin2 = {
    topicValue: (name: string, own: ReadonlyMap<string, string>) => own.get(name) ?? os.topicValue(name),
  }
  it('takes from a broker that had not what made it eligible', () => {
    const { test, epoch } = three(osMin2)
    test.topic('foo', partition)
    lose(test, epoch, 3, 2)
    assert.equal(test.shown('foo'), '1@0 1|2|')
    test.register(2, { incarnationId: uuid('next') })
    assert.equal(test.shown('foo'), '1@0 1||2')
  })

  it('goes by what the broker says of itself, where the topic does not say it', () => {
    const { test, epoch } = three()
    test.topic('foo', partition)
    test.topic('synced', { ...partition, configs: [...min2.configs, { name: 'flush.messages', value: '1' }] })
    lose(test, epoch, 3, 2)
    test.register(2, { incarnationId: uuid('next'), acknowledgesUnsynced: true })
    assert.equal(test.shown('foo'), '1@0 1||2')
    assert.equal(test.shown('synced'), '1@0 1|2|')
  })

  it('does not where the end was clean after all', () => {
    const { test, epoch } = three(osMin2)
    test.topic('foo', partition)
    lose(test, epoch, 3, 2)
    test.register(2, { incarnationId: uuid('next'), previousBrokerEpoch: epoch(2) })
    assert.equal(test.shown('foo'), '1@0 1|2|')
  })

  it('of all leaves the last one that had everything', () => {
    const { test, epoch } = three(os)
    test.topicOn('foo', [2, 3])
    lose(test, epoch, 2)
    assert.equal(test.shown('foo'), '3@1 3||')
    const again = test.register(3, { incarnationId: uuid('next') })
    assert.equal(test.shown('foo'), '-1@2 |3|')
    test.beat(2, epoch(2))
    assert.equal(test.shown('foo'), '-1@2 |3|', 'the other one may lack something')
    test.beat(3, again)
    assert.equal(test.shown('foo'), '3@3 3||')
  })
})

describe('a disk that is gone', () => {
  const min2 = { configs: [{ name: 'min.insync.replicas', value: '2' }] }
  const partition = { ...min2, assignments: [{ partitionIndex: 0, brokerIds: [1, 2, 3] }] }
  const fresh = { incarnationId: uuid('next'), logDirs: [uuid('new')] }
  const lose = (test: TestController, epoch: (id: number) => number, ...ids: number[]) => {
    for (const id of ids) test.ask('brokerLost', { brokerId: id, brokerEpoch: epoch(id) })
  }

  it('makes nobody eligible, though everything was synced', () => {
    const { test, epoch } = three()
    test.topic('foo', partition)
    lose(test, epoch, 3, 2)
    assert.equal(test.shown('foo'), '1@0 1|2|')
    test.register(2, fresh)
    assert.equal(test.shown('foo'), '1@0 1||')
  })

  it('may be the last one that had everything: the others wait until somebody decides, and do not follow an empty copy', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [2, 3])
    test.topicOn('sole', [2])
    lose(test, epoch, 3, 2)
    assert.equal(test.shown('foo'), '-1@1 |2|')
    const again = test.register(2, fresh)
    test.beat(2, again)
    assert.equal(test.shown('foo'), '-1@1 ||')
    test.beat(3, test.register(3, { incarnationId: uuid('next3') }))
    assert.equal(test.shown('foo'), '-1@1 ||')
    assert.equal(test.shown('sole'), '2@2 2||', 'there is no other copy to wait for')
  })

  it('belongs to a number that may be given to another one', () => {
    const { test, epoch } = three()
    test.topic('foo', partition)
    lose(test, epoch, 3, 2)
    assert.equal(test.ask('unregisterBroker', { brokerId: 2 }).errorCode, ErrorCode.NONE)
    assert.equal(test.shown('foo'), '1@0 1||')
  })
})

describe('sessions', () => {
  it('begin anew with each heartbeat, and fence when they end', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [2, 3])
    test.beat(2, epoch(2))
    assert.equal(test.timers.get('session:2')!.afterMs, 3000)
    test.fire('session:2')
    assert.equal(test.state.brokers.get(2)!.fenced, true)
    assert.equal(test.shown('foo'), '3@1 3||')
    test.beat(2, epoch(2))
    assert.equal(test.state.brokers.get(2)!.fenced, false, 'it lives after all')
    assert.equal(test.shown('foo'), '3@1 3||', 'in sync it is when its leader says so')
  })

  it('are full ones under a new controller', () => {
    const { test, epoch } = three()
    test.fire('session:2')
    const next = test.elected()
    assert.deepEqual(
      [...next.timers].filter(([key]) => key.startsWith('session')).map(([key, { afterMs }]) => [key, afterMs]),
      [['session:3', 3000]],
    )
    assert.equal(next.register(3, { incarnationId: uuid('x'), logDirs: [] }), -ErrorCode.DUPLICATE_BROKER_REGISTRATION)
    next.beat(3, epoch(3))
    assert.equal(usable(next), 2)
  })

  it('of a former life fence nobody', () => {
    const { test, epoch } = three()
    test.broker(2, { incarnationId: uuid('next') })
    test.ask('expireSession', { brokerId: 2, brokerEpoch: epoch(2) })
    test.ask('brokerLost', { brokerId: 2, brokerEpoch: epoch(2) })
    assert.equal(usable(test), 3)
  })

  it('need not be waited for when the process is gone', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [2, 3])
    test.ask('brokerLost', { brokerId: 2, brokerEpoch: epoch(2) })
    assert.equal(test.shown('foo'), '3@1 3||')
    assert.equal(test.timers.has('session:2'), false)
  })

  it('never end for the broker of the controller', () => {
    const { test, epoch } = three()
    test.ask('brokerLost', { brokerId: 1, brokerEpoch: epoch(1) })
    assert.equal(usable(test), 3)
  })

  it('are not for strangers', () => {
    const { test, epoch } = three()
    assert.equal(errorName(test.beat(9, 1).errorCode), 'BROKER_ID_NOT_REGISTERED')
    assert.equal(errorName(test.beat(2, epoch(2) - 1).errorCode), 'STALE_BROKER_EPOCH')
  })

  it('end by wish', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [2, 3])
    assert.equal(test.beat(2, epoch(2), { wantFence: true }).isFenced, true)
    assert.equal(test.shown('foo'), '3@1 3||')
    assert.equal(test.beat(2, epoch(2), { wantFence: true }).isFenced, true)
    assert.equal(test.beat(2, epoch(2)).isFenced, false)
  })
})

describe('a controlled shutdown', () => {
  it('moves leaders first, and lets go when all others know', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [2, 3])
    const before = test.state.offset - 1
    const stop = () => test.beat(2, epoch(2), { wantShutDown: true }).shouldShutDown
    assert.equal(stop(), false)
    assert.equal(test.shown('foo'), '3@1 3||')
    assert.equal(test.state.brokers.get(2)!.inControlledShutdown, true)
    assert.equal(stop(), false)
    test.beat(3, epoch(3), { currentMetadataOffset: before })
    assert.equal(stop(), false, 'broker 3 does not know that it leads')
    test.beat(3, epoch(3))
    assert.equal(stop(), true)
    assert.equal(test.state.brokers.get(2)!.fenced, true)
    assert.equal(stop(), true, 'the answer was lost')
  })

  it('goes on under a new controller', () => {
    const { test, epoch } = three()
    test.beat(2, epoch(2), { wantShutDown: true })
    const next = test.elected()
    const stop = () => next.beat(2, epoch(2), { wantShutDown: true }).shouldShutDown
    assert.equal(stop(), false)
    assert.equal(stop(), false)
    next.beat(3, epoch(3))
    assert.equal(stop(), true)
  })

  it('of the controller itself waits for the others, too', () => {
    const { test, epoch } = three()
    test.topicOn('foo', [1, 3])
    const stop = () => test.beat(1, epoch(1), { wantShutDown: true }).shouldShutDown
    assert.equal(stop(), false)
    assert.equal(test.shown('foo'), '3@1 3||')
    assert.equal(stop(), false)
    for (const id of [2, 3]) test.beat(id, epoch(id))
    assert.equal(stop(), true)
  })

  it('does not wait for who is gone', () => {
    const { test, epoch } = three()
    test.beat(2, epoch(2), { wantShutDown: true })
    test.fire('session:3')
    assert.equal(test.beat(2, epoch(2), { wantShutDown: true }).shouldShutDown, true)
  })

  it('of the only one is over at once, and changes nothing', () => {
    const test = new TestController()
    const epoch = test.broker(1)
    test.topicOn('foo', [1])
    assert.equal(test.beat(1, epoch, { wantShutDown: true }).shouldShutDown, true)
    assert.deepEqual(test.records, [])
    assert.equal(test.shown('foo'), '1@0 1||')
  })

  it('keeps the broker out of new topics, unless they need it, and out of the ISR', () => {
    const { test, epoch } = three()
    test.beat(2, epoch(2), { wantShutDown: true })
    assert.equal(test.topic('foo', { replicationFactor: 2 }), 'ok')
    assert.deepEqual([...test.partition('foo').replicas].sort(), [1, 3])
    assert.equal(test.topic('bar', { replicationFactor: 3 }), 'ok')
    assert.equal(test.partition('bar').replicas[2], 2, 'it leads nothing')
    assert.deepEqual([...test.partition('bar').isr].sort(), [1, 3])
    test.fire('session:2')
    assert.equal(test.topic('baz', { replicationFactor: 3 }), 'ok', 'who is away comes back')
    assert.match(test.topic('many', { replicationFactor: 4 }), /^INVALID_REPLICATION_FACTOR.*only 3 broker/)
  })
})

it('who registers and is never seen holds nothing', () => {
  const { test } = three({ balance: true, defaultReplicationFactor: -1 })
  test.topicOn('foo', [1])
  test.register(4)
  test.fire('session:3')
  assert.equal(test.topic('bar'), 'ok')
  assert.deepEqual([...test.partition('bar').replicas].sort(), [1, 2, 3])
  assert.match(test.topic('baz', { replicationFactor: 4 }), /^INVALID_REPLICATION_FACTOR.*only 3 broker/)
})

describe('taking out', () => {
  it('refuses who runs, and who alone has something', () => {
    const { test } = three()
    test.topicOn('foo', [2])
    const out = () => test.ask('unregisterBroker', { brokerId: 2 })
    assert.match(out().errorMessage!, /is running/)
    test.fire('session:2')
    assert.match(out().errorMessage!, /only whole copy of 1 partition\(s\): foo-0/)
    test.ask('deleteTopics', { topics: [{ name: 'foo', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }], timeoutMs: 1 })
    assert.equal(out().errorCode, 0)
    assert.equal(test.state.brokers.size, 2)
  })

  it('comes by itself for who stays away, where that is configured', () => {
    const { test } = three({ replaceAfterMs: 60_000 })
    test.fire('session:2')
    assert.equal(test.timers.get('replace:2')!.afterMs, 60_000)
    test.fire('replace:2')
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'gone')
    test.broker(2, { incarnationId: uuid('next') })
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'joining', 'back again')
  })

  it('comes for who registers again and again and never gets so far as to be let in', () => {
    const { test } = three({ replaceAfterMs: 60_000 })
    test.register(2, { incarnationId: uuid('first') })
    assert.equal(test.timers.get('replace:2')!.afterMs, 60_000, 'also where it was never fenced')
    const due = test.timers.get('replace:2')
    test.register(2, { incarnationId: uuid('second') })
    test.fire('session:2')
    test.register(2, { incarnationId: uuid('third') })
    assert.equal(test.timers.get('replace:2'), due, 'nothing of that puts it off')
    test.fire('replace:2')
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'gone')
    const epoch = test.register(2, { incarnationId: uuid('fourth') })
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'gone', 'it may fail again')
    test.beat(2, epoch)
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'joining')
  })

  it('is taken back when the same process is heard again', () => {
    const { test, epoch } = three({ replaceAfterMs: 60_000 })
    test.fire('session:2')
    test.fire('replace:2')
    test.beat(2, epoch(2))
    assert.equal(test.state.configs(4, '2').get('balance.state'), 'joining')
  })

  it('does not come for who was away and is back', () => {
    const { test, epoch } = three({ replaceAfterMs: 60_000 })
    test.fire('session:2')
    test.beat(2, epoch(2))
    test.fire('replace:2')
    assert.equal(test.state.configs(4, '2').size, 0)
  })
})

describe('min.insync.replicas of all brokers', () => {
  it('is one value for all, once there is one: for a single broker nobody can set it, nor take it away', () => {
    const { test } = three()
    for (const [name, value] of Object.entries({ 'min.insync.replicas': '1', 'replication.topology': 'chain' })) {
      assert.match(setForBrokers(test, { [name]: value }, '2'), /^INVALID_CONFIG: Broker-level/)
      assert.match(setForBrokers(test, { [name]: null }), /^INVALID_CONFIG: Cluster-level/)
      assert.equal(setForBrokers(test, { [name]: null }, '2'), 'ok', 'what an older release let in can go')
      assert.equal(setForBrokers(test, { [name]: value }), 'ok')
    }
    const configs = [{ name: 'log.retention.ms', value: '5' }]
    const resources = [{ resourceType: 4, resourceName: '', configs }]
    const legacy = () => test.ask('alterConfigs', { resources, validateOnly: false }).responses[0]!
    assert.match(legacy().errorMessage!, /min\.insync\.replicas cannot be removed/)
    configs.push({ name: 'min.insync.replicas', value: '2' })
    assert.equal(legacy().errorCode, 0)
    const pinned = ['min.insync.replicas', 'replication.topology'].map(name => test.state.configs(4, '').get(name))
    assert.deepEqual(pinned, ['2', 'chain'])
  })

  it('counts as soon as it is decided, whatever this node has read of it', () => {
    const { test } = three()
    setForBrokers(test, { 'min.insync.replicas': '2' })
    test.topicOn('foo', [2, 3])
    setForBrokers(test, { 'min.insync.replicas': '1' })
    test.fire('session:2')
    assert.equal(test.shown('foo'), '3@1 3||', 'with 1 the leader goes on alone: nobody else has everything')
    setForBrokers(test, { 'min.insync.replicas': '2' })
    test.topicOn('bar', [3, 1])
    const next = test.elected()
    next.fire('session:3')
    assert.equal(next.shown('bar'), '1@1 1|3|', 'whoever decides next, before it has read its own settings')
  })
})

describe('unclean elections', () => {
  it('come with the setting, also for those who wait already', () => {
    const { test } = three({
      topicValue: (name, own) =>
        own.get(name) ?? ({ 'min.insync.replicas': '1' } as Record<string, string>)[name] ?? null,
    })
    test.topicOn('foo', [2, 3])
    test.fire('session:3')
    test.fire('session:2')
    assert.equal(test.shown('foo'), '-1@1 |2|')
    test.beat(3, test.state.brokers.get(3)!.epoch)
    assert.equal(test.shown('foo'), '-1@1 |2|')
    const configs = [{ name: 'unclean.leader.election.enable', configOperation: 0, value: 'true' }]
    const resources = [{ resourceType: 2, resourceName: 'foo', configs }]
    test.ask('incrementalAlterConfigs', { resources, validateOnly: false })
    test.fire('electOrphans')
    assert.equal(test.shown('foo'), '3@2 3|| recovering')
  })

  it('come with the setting of all brokers, before this one has read it from the log', () => {
    for (const resourceName of ['', '1']) {
      const { test } = three()
      test.topicOn('foo', [2, 3])
      test.fire('session:3')
      test.fire('session:2')
      test.beat(3, test.state.brokers.get(3)!.epoch)
      setForBrokers(test, { 'unclean.leader.election.enable': 'true' }, resourceName)
      test.fire('electOrphans')
      assert.equal(test.shown('foo'), '3@2 3|| recovering')
    }
  })

  it('come by command', () => {
    const { test } = three()
    test.topicOn('foo', [2, 3])
    test.fire('session:3')
    test.fire('session:2')
    test.beat(3, test.state.brokers.get(3)!.epoch)
    const topicPartitions = [{ topic: 'foo', partitions: [0] }]
    test.ask('electLeaders', { electionType: 1, topicPartitions, timeoutMs: 1 })
    assert.equal(test.shown('foo'), '3@2 3|| recovering')
  })
})

describe('preferred leaders', () => {
  it('return by themselves, as often as the setting says', () => {
    const { test, epoch } = three({ preferredLeadersMs: 30_000 })
    test.topicOn('foo', [2, 3])
    test.fire('session:2')
    test.beat(2, epoch(2))
    test.fire('electPreferred')
    assert.equal(test.shown('foo'), '3@1 3||', 'not in sync')
    const { topicId, partitions } = join(test, 'foo', [3, 2])
    const request = { brokerId: 3, brokerEpoch: epoch(3), topics: [{ topicId, partitions }] }
    assert.equal(test.ask('alterPartition', request).topics[0]!.partitions[0]!.errorCode, 0)
    test.fire('electPreferred')
    assert.equal(test.shown('foo'), '2@2 3,2||')
    assert.equal(test.timers.get('electPreferred')!.afterMs, 30_000)
  })

  it('do so although a broker is restarted again and again', () => {
    const { test } = three({ preferredLeadersMs: 30_000 })
    const due = test.timers.get('electPreferred')
    assert.ok(due)
    test.broker(2, { incarnationId: uuid('next') })
    test.broker(4)
    assert.equal(test.timers.get('electPreferred'), due)
    assert.ok(test.elected({ preferredLeadersMs: 30_000 }).timers.has('electPreferred'))
  })
})

/** An operator sets what holds for all brokers; what the node itself knows of settings (`topicValue`) stays behind. */
function setForBrokers(test: TestController, values: Record<string, string | null>, resourceName = ''): string {
  const configs = Object.entries(values).map(([name, value]) => ({
    name,
    configOperation: value === null ? 1 : 0,
    value,
  }))
  const resources = [{ resourceType: 4, resourceName, configs }]
  const { responses } = test.ask('incrementalAlterConfigs', { resources, validateOnly: false })
  const { errorCode, errorMessage } = responses[0]!
  return errorCode === 0 ? 'ok' : `${errorName(errorCode)}: ${errorMessage}`
}

function join(test: TestController, topic: string, ids: readonly number[]) {
  const { leaderEpoch, partitionEpoch } = test.partition(topic)
  const newIsrWithEpochs = ids.map(brokerId => ({ brokerId, brokerEpoch: test.state.brokers.get(brokerId)!.epoch }))
  return {
    topicId: test.state.topics.get(topic)!.id,
    partitions: [{ partitionIndex: 0, leaderEpoch, partitionEpoch, newIsrWithEpochs, leaderRecoveryState: 0 }],
  }
}
