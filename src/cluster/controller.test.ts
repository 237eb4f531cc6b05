import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { CommandRequest } from './commands/command.ts'
import type { ControllerSettings } from './commands/context.ts'
import { supportedFeatures } from './features.ts'
import { decodeRecord, encodeRecord, type MetadataRecord } from './records/records.ts'
import { ClusterState } from './state.ts'
import { TestController, uuid } from './testing.ts'

function withBroker(more: Partial<ControllerSettings> = {}): TestController {
  const setup = new TestController(more)
  setup.broker(1)
  return setup
}

describe('CreateTopics', () => {
  it('makes a topic of records as Kafka writes them', () => {
    const setup = withBroker()
    const response = setup.ask('createTopics', {
      topics: [
        {
          name: 'foo',
          numPartitions: 1,
          replicationFactor: 1,
          assignments: [],
          configs: [{ name: 'retention.ms', value: '1000' }],
        },
      ],
      validateOnly: false,
    })
    const { topicId, ...result } = response.topics[0]!
    assert.deepEqual(result, {
      name: 'foo',
      errorCode: 0,
      errorMessage: null,
      numPartitions: 1,
      replicationFactor: 1,
      configs: [{ name: 'retention.ms', value: '1000', readOnly: false, configSource: 1, isSensitive: false }],
    })
    assert.deepEqual(setup.records, [
      { type: 'TopicRecord', name: 'foo', topicId },
      { type: 'ConfigRecord', resourceType: 2, resourceName: 'foo', name: 'retention.ms', value: '1000' },
      {
        type: 'PartitionRecord',
        partitionId: 0,
        topicId,
        replicas: [1],
        isr: [1],
        eligibleLeaderReplicas: null,
        lastKnownElr: null,
        addingReplicas: [],
        removingReplicas: [],
        directories: [uuid('1d')],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
        leaderRecoveryState: 0,
      },
    ])
    assert.equal(setup.state.topics.get('foo')?.id, topicId)
    assert.equal(setup.state.topicsById.get(topicId!)?.partitions.length, 1)
    assert.deepEqual([...setup.state.configs(2, 'foo')], [['retention.ms', '1000']])
  })

  it('only validates when asked to', () => {
    const setup = withBroker()
    const topic = { name: 'foo', numPartitions: 3, replicationFactor: -1, assignments: [], configs: [] }
    const response = setup.ask('createTopics', { topics: [topic], validateOnly: true })
    assert.equal(response.topics[0]!.numPartitions, 3)
    assert.deepEqual(setup.records, [])
  })

  it('takes the defaults of the broker', () => {
    const setup = withBroker()
    assert.equal(setup.topic('foo'), 'ok')
    assert.equal(setup.state.topics.get('foo')!.partitions.length, 2)
  })

  const long = 'x'.repeat(250)
  for (const [name, expected] of [
    ['', 'INVALID_TOPIC_EXCEPTION: Topic name is invalid: the empty string is not allowed'],
    ['.', "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '.' is not allowed"],
    ['..', "INVALID_TOPIC_EXCEPTION: Topic name is invalid: '..' is not allowed"],
    [
      'a/b',
      "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'a/b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [
      'ä',
      "INVALID_TOPIC_EXCEPTION: Topic name is invalid: 'ä' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ],
    [
      long,
      `INVALID_TOPIC_EXCEPTION: Topic name is invalid: the length of '${long}' is longer than the max allowed length 249`,
    ],
    ['x'.repeat(249), 'ok'],
    ['taken', "TOPIC_ALREADY_EXISTS: Topic 'taken' already exists."],
    ['with_both', "INVALID_TOPIC_EXCEPTION: Topic 'with_both' collides with existing topic: with.both"],
    ['__cluster_metadata', 'INVALID_REQUEST: Creation of internal topic __cluster_metadata is prohibited.'],
    ['__consumer_offsets', 'ok'],
  ] as const) {
    it(`answers the name ${name.slice(0, 20)} as Kafka does`, () => {
      const setup = withBroker()
      setup.topic('taken')
      setup.topic('with.both')
      assert.equal(setup.topic(name), expected)
    })
  }

  const assignment = (...replicas: number[][]) =>
    replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds }))
  for (const [what, more, expected] of [
    ['no partitions', { numPartitions: 0 }, /^INVALID_PARTITIONS/],
    ['negative partitions', { numPartitions: -5 }, /^INVALID_PARTITIONS/],
    ['too many partitions', { numPartitions: 10_001 }, /^POLICY_VIOLATION/],
    ['no replicas', { replicationFactor: 0 }, /^INVALID_REPLICATION_FACTOR/],
    ['more replicas than brokers', { replicationFactor: 2 }, /^INVALID_REPLICATION_FACTOR.*only 1 broker/],
    ['an unknown setting', { configs: [{ name: 'retention', value: '1' }] }, /^INVALID_CONFIG/],
    ['a bad value', { configs: [{ name: 'retention.ms', value: 'x' }] }, /^INVALID_CONFIG/],
    ['a null value', { configs: [{ name: 'retention.ms', value: null }] }, /^INVALID_CONFIG: Null value/],
    ['an assignment', { assignments: assignment([1], [1], [1]) }, /^ok$/],
    ['an assignment and a count', { assignments: assignment([1]), numPartitions: 1 }, /^INVALID_REQUEST/],
    ['an assignment and a factor', { assignments: assignment([1]), replicationFactor: 1 }, /^INVALID_REQUEST/],
    ['an unknown broker', { assignments: assignment([2]) }, /^INVALID_REPLICA_ASSIGNMENT.*includes broker 2/],
    ['a broker twice', { assignments: assignment([1, 1]) }, /^INVALID_REPLICA_ASSIGNMENT.*more than once/],
    ['an empty list', { assignments: assignment([]) }, /^INVALID_REPLICA_ASSIGNMENT.*empty/],
    ['a gap', { assignments: [{ partitionIndex: 1, brokerIds: [1] }] }, /^INVALID_REPLICA_ASSIGNMENT.*consecutive/],
    [
      'a partition twice',
      { assignments: [...assignment([1]), ...assignment([1])] },
      /^INVALID_REPLICA_ASSIGNMENT.*multiple/,
    ],
  ] as const) {
    it(`judges ${what}`, () => assert.match(withBroker().topic('foo', more), expected))
  }

  it('answers each name once, whatever the others say', () => {
    const setup = withBroker()
    const topic = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const names = ['a', 'twice', 'twice', '!', 'b.c', 'b_c']
    const response = setup.ask('createTopics', { topics: names.map(name => ({ name, ...topic })), validateOnly: false })
    assert.deepEqual(
      response.topics.map(({ name, errorCode }) => [name, errorName(errorCode)]),
      [
        ['a', 'NONE'],
        ['twice', 'INVALID_REQUEST'],
        ['!', 'INVALID_TOPIC_EXCEPTION'],
        ['b.c', 'NONE'],
        ['b_c', 'NONE'],
      ],
    )
    assert.deepEqual([...setup.state.topics.keys()], ['a', 'b.c', 'b_c'])
  })

  it('spreads leaders over brokers', () => {
    const setup = withBroker()
    for (const id of [2, 3]) setup.broker(id)
    setup.topic('foo', { numPartitions: 6, replicationFactor: 2 })
    const { partitions } = setup.state.topics.get('foo')!
    for (const id of [1, 2, 3]) assert.equal(partitions.filter(({ leader }) => leader === id).length, 2)
    for (const { replicas, directories } of partitions) {
      assert.equal(new Set(replicas).size, 2)
      assert.deepEqual(
        directories,
        replicas.map(id => uuid(`${id}d`)),
      )
    }
  })
})

describe('DeleteTopics', () => {
  const remove = (setup: TestController, topics: CommandRequest<'deleteTopics'>['topics']) =>
    setup
      .ask('deleteTopics', { topics, timeoutMs: 1000 })
      .responses.map(({ name, errorCode }) => `${name} ${errorName(errorCode)}`)

  it('deletes by name and by id, settings and all', () => {
    const setup = withBroker()
    setup.topic('a', { configs: [{ name: 'retention.ms', value: '5' }] })
    setup.topic('b')
    const { id } = setup.state.topics.get('b')!
    assert.deepEqual(
      remove(setup, [
        { name: 'a', topicId: ZERO_UUID },
        { name: null, topicId: id },
      ]),
      ['a NONE', 'b NONE'],
    )
    assert.equal(setup.state.topics.size, 0)
    assert.equal(setup.state.partitionCount, 0)
    assert.equal(setup.state.configs(2, 'a').size, 0)
    assert.deepEqual(
      setup.records.map(({ type }) => type),
      ['RemoveTopicRecord', 'RemoveTopicRecord'],
    )
  })

  it('takes the names of older versions', () => {
    const setup = withBroker()
    setup.topic('a')
    const response = setup.ask('deleteTopics', { topicNames: ['a', 'b'], timeoutMs: 1000 })
    assert.deepEqual(
      response.responses.map(({ errorCode }) => errorName(errorCode)),
      ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
    )
  })

  it('refuses what is unclear', () => {
    const setup = withBroker()
    setup.topic('a')
    const { id } = setup.state.topics.get('a')!
    const other = uuid('B')
    assert.deepEqual(remove(setup, [{ name: 'a', topicId: id }]), ['a INVALID_REQUEST'])
    assert.deepEqual(remove(setup, [{ name: null, topicId: ZERO_UUID }]), ['null INVALID_REQUEST'])
    assert.deepEqual(remove(setup, [{ name: null, topicId: other }]), ['null UNKNOWN_TOPIC_ID'])
    assert.deepEqual(
      remove(setup, [
        { name: 'a', topicId: ZERO_UUID },
        { name: 'a', topicId: ZERO_UUID },
      ]),
      ['a INVALID_REQUEST'],
    )
    assert.deepEqual(
      remove(setup, [
        { name: 'a', topicId: ZERO_UUID },
        { name: null, topicId: id },
      ]),
      ['a INVALID_REQUEST'],
    )
    assert.equal(setup.state.topics.size, 1)
    assert.deepEqual(remove(withBroker({ deleteTopicEnable: false }), [{ name: 'a', topicId: ZERO_UUID }]), [
      'a TOPIC_DELETION_DISABLED',
    ])
  })
})

describe('CreatePartitions', () => {
  const grow = (setup: TestController, count: number, assignments: { brokerIds: number[] }[] | null = null) => {
    const topics = [{ name: 'foo', count, assignments }]
    const [result] = setup.ask('createPartitions', { topics, timeoutMs: 1000, validateOnly: false }).results
    return `${errorName(result!.errorCode)} ${result!.errorMessage}`
  }

  it('adds partitions', () => {
    const setup = withBroker()
    assert.match(grow(setup, 3), /^UNKNOWN_TOPIC_OR_PARTITION/)
    setup.topic('foo')
    assert.equal(grow(setup, 5), 'NONE null')
    assert.equal(setup.records.length, 3)
    assert.equal(setup.state.topics.get('foo')!.partitions.length, 5)
    assert.equal(setup.state.partitionCount, 5)
    assert.equal(grow(setup, 6, [{ brokerIds: [1] }]), 'NONE null')
  })

  it('refuses to shrink and to guess', () => {
    const setup = withBroker()
    setup.topic('foo')
    assert.equal(grow(setup, 2), 'INVALID_PARTITIONS Topic already has 2 partition(s).')
    assert.match(grow(setup, 1), /^INVALID_PARTITIONS .*would not be an increase/)
    assert.match(grow(setup, 4, [{ brokerIds: [1] }]), /^INVALID_REPLICA_ASSIGNMENT .*only 1/)
    assert.match(grow(setup, 3, [{ brokerIds: [9] }]), /^INVALID_REPLICA_ASSIGNMENT .*broker 9/)
    assert.match(grow(setup, 3, [{ brokerIds: [1, 1] }]), /^INVALID_REPLICA_ASSIGNMENT/)
    assert.match(grow(setup, 2_000_000_000), /^POLICY_VIOLATION/)
  })
})

describe('configurations', () => {
  const alter = (
    setup: TestController,
    resourceType: number,
    resourceName: string,
    ...configs: [name: string, operation: number, value: string | null][]
  ) => {
    const resource = {
      resourceType,
      resourceName,
      configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
    }
    const [result] = setup.ask('incrementalAlterConfigs', { resources: [resource], validateOnly: false }).responses
    return result!.errorCode === 0 ? 'ok' : `${errorName(result!.errorCode)}: ${result!.errorMessage}`
  }

  it('are set, taken away, and lists grown and shrunk', () => {
    const setup = withBroker()
    setup.topic('foo')
    assert.equal(alter(setup, 2, 'foo', ['retention.ms', 0, '5'], ['cleanup.policy', 2, 'compact']), 'ok')
    assert.deepEqual(Object.fromEntries(setup.state.configs(2, 'foo')), {
      'retention.ms': '5',
      'cleanup.policy': 'delete,compact',
    })
    assert.equal(alter(setup, 2, 'foo', ['retention.ms', 1, null], ['cleanup.policy', 3, 'delete']), 'ok')
    assert.deepEqual(Object.fromEntries(setup.state.configs(2, 'foo')), { 'cleanup.policy': 'compact' })
    assert.equal(alter(setup, 2, 'foo', ['cleanup.policy', 0, 'compact']), 'ok')
    assert.deepEqual(setup.records, [], 'the same again is no fact')
  })

  it('of brokers, of all brokers, of groups and of client metrics', () => {
    const setup = withBroker()
    assert.equal(alter(setup, 4, '', ['log.retention.ms', 0, '5']), 'ok')
    assert.equal(alter(setup, 4, '1', ['log.cleaner.threads', 0, '2']), 'ok')
    assert.equal(alter(setup, 4, '1', ['log.cleaner.threads', 0, '2']), 'ok')
    assert.equal(setup.records.length, 1, 'a broker reloads what is written again')
    assert.equal(alter(setup, 32, 'group', ['consumer.session.timeout.ms', 0, '50000']), 'ok')
    assert.deepEqual([...setup.state.configured(32)], ['group'])
    assert.deepEqual([...setup.state.configured(4)].sort(), ['', '1'])
  })

  it('are refused where they make no sense', () => {
    const setup = withBroker()
    setup.topic('foo')
    assert.match(alter(setup, 2, 'bar', ['retention.ms', 0, '5']), /^UNKNOWN_TOPIC_OR_PARTITION/)
    assert.match(alter(setup, 2, 'foo', ['retention.ms', 0, 'x']), /^INVALID_CONFIG/)
    assert.match(alter(setup, 2, 'foo', ['nonsense', 0, 'x']), /^INVALID_CONFIG/)
    assert.match(alter(setup, 2, 'foo', ['retention.ms', 0, null]), /^INVALID_REQUEST: Null value/)
    assert.match(alter(setup, 2, 'foo', ['retention.ms', 2, '5']), /^INVALID_CONFIG: Can't APPEND/)
    assert.match(alter(setup, 2, 'foo', ['retention.ms', 9, '5']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 2, 'foo', ['retention.ms', 0, '5'], ['retention.ms', 0, '6']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 4, '2', ['log.retention.ms', 0, '5']), /^BROKER_ID_NOT_REGISTERED/)
    assert.match(alter(setup, 4, 'x', ['log.retention.ms', 0, '5']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 4, '', ['log.dirs', 0, '5']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 32, '', ['consumer.session.timeout.ms', 0, '5']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 8, '1', ['a', 0, 'b']), /^INVALID_REQUEST/)
    assert.match(alter(setup, 2, '__proto__', ['retention.ms', 0, '5']), /^UNKNOWN_TOPIC_OR_PARTITION/)
  })

  it('are replaced as a whole by the old API', () => {
    const setup = withBroker()
    setup.topic('foo', { configs: [{ name: 'retention.ms', value: '5' }] })
    const resource = { resourceType: 2, resourceName: 'foo', configs: [{ name: 'segment.ms', value: '600000' }] }
    const response = setup.ask('alterConfigs', { resources: [resource], validateOnly: false })
    assert.equal(response.responses[0]!.errorCode, 0)
    assert.deepEqual([...setup.state.configs(2, 'foo')], [['segment.ms', '600000']])
  })

  it('are only checked when asked to', () => {
    const setup = withBroker()
    setup.topic('foo')
    const resource = { resourceType: 2, resourceName: 'foo', configs: [{ name: 'segment.ms', value: '600000' }] }
    setup.ask('alterConfigs', { resources: [resource], validateOnly: true })
    assert.deepEqual(setup.records, [])
    const twice = setup.ask('alterConfigs', { resources: [resource, resource], validateOnly: false })
    assert.deepEqual(
      twice.responses.map(({ errorCode }) => errorName(errorCode)),
      ['INVALID_REQUEST'],
    )
  })
})

describe('brokers', () => {
  it('get an epoch that grows, and keep it as long as they live', () => {
    const setup = new TestController()
    const first = setup.broker(1)
    assert.ok(first > 0)
    assert.equal(setup.broker(1), first)
    assert.deepEqual(setup.records, [])
    assert.ok(setup.broker(1, { incarnationId: uuid('j') }) > first)
  })

  it('lead in a new epoch when they come back', () => {
    const setup = withBroker()
    setup.topic('foo', { numPartitions: 3 })
    setup.broker(1, { incarnationId: uuid('j') })
    const { id, partitions } = setup.state.topics.get('foo')!
    assert.deepEqual(
      setup.records.slice(1),
      [0, 1, 2].map(partitionId => ({ type: 'PartitionChangeRecord', partitionId, topicId: id, leader: 1 })),
    )
    for (const partition of partitions) {
      assert.equal(partition.leader, 1)
      assert.equal(partition.leaderEpoch, 1)
      assert.equal(partition.partitionEpoch, 1)
    }
  })

  it('take over what a clean stop of Kafka has left without a leader', () => {
    const setup = withBroker()
    setup.topic('foo', { numPartitions: 1 })
    const { id } = setup.state.topics.get('foo')!
    setup.controller.apply(
      {
        type: 'PartitionChangeRecord',
        partitionId: 0,
        topicId: id,
        leader: -1,
        isr: [],
        eligibleLeaderReplicas: [1],
        lastKnownElr: [1],
      },
      0,
      100,
    )
    setup.broker(1, { incarnationId: uuid('j') })
    const [partition] = setup.state.topics.get('foo')!.partitions
    assert.deepEqual(
      [
        partition!.leader,
        partition!.isr,
        partition!.eligibleLeaderReplicas,
        partition!.lastKnownElr,
        partition!.leaderEpoch,
      ],
      [1, [1], [], [], 2],
    )
  })

  it('of other clusters are refused', () => {
    assert.equal(new TestController().broker(1, { clusterId: 'other' }), -ErrorCode.INCONSISTENT_CLUSTER_ID)
  })

  it('that cannot work at the level of the cluster are refused', () => {
    const features = [{ name: 'metadata.version', minSupportedVersion: 1, maxSupportedVersion: 20 }]
    assert.equal(new TestController().broker(1, { features }), -ErrorCode.UNSUPPORTED_VERSION)
  })

  it('are taken out when they are gone', () => {
    const setup = withBroker()
    const code = (brokerId: number) => errorName(setup.ask('unregisterBroker', { brokerId }).errorCode)
    assert.equal(code(2), 'BROKER_ID_NOT_REGISTERED')
    assert.equal(code(1), 'INVALID_REQUEST')
    setup.controller.apply({ type: 'FenceBrokerRecord', id: 1, epoch: 1 }, 0, 50)
    assert.equal(code(1), 'NONE')
    assert.equal(setup.state.brokers.size, 0)
  })
})

describe('producer ids', () => {
  it('come in blocks that are given once', () => {
    const setup = new TestController()
    const brokerEpoch = setup.broker(1)
    const starts = [0, 1, 2].map(() => setup.ask('allocateProducerIds', { brokerId: 1, brokerEpoch }))
    assert.deepEqual(
      starts.map(({ producerIdStart, producerIdLen }) => [producerIdStart, producerIdLen]),
      [
        [0, 1000],
        [1000, 1000],
        [2000, 1000],
      ],
    )
    const stale = setup.ask('allocateProducerIds', { brokerId: 1, brokerEpoch: brokerEpoch - 1 })
    assert.equal(errorName(stale.errorCode), 'STALE_BROKER_EPOCH')
  })
})

describe('features', () => {
  const update = (setup: TestController, feature: string, maxVersionLevel: number, upgradeType = 1) =>
    errorName(
      setup.ask('updateFeatures', { featureUpdates: [{ feature, maxVersionLevel, upgradeType }], validateOnly: false })
        .errorCode,
    )

  it('begin at the level of the bootstrap', () => {
    assert.equal(new TestController().state.metadataVersion, 30)
  })

  it('move within what everybody supports', () => {
    const ranges = new Map([...supportedFeatures, ['transaction.version', { min: 0, max: 2 }] as const])
    const setup = new TestController({ supportedFeatures: ranges })
    assert.equal(update(setup, 'transaction.version', 2), 'NONE')
    assert.equal(setup.state.features.get('transaction.version'), 2)
    assert.equal(update(setup, 'transaction.version', 1), 'INVALID_UPDATE_VERSION')
    assert.equal(update(setup, 'transaction.version', 0, 2), 'NONE')
    assert.equal(setup.state.features.has('transaction.version'), false)
    assert.equal(update(setup, 'transaction.version', 3), 'INVALID_UPDATE_VERSION')
    assert.equal(update(setup, 'metadata.version', 31), 'INVALID_UPDATE_VERSION')
    assert.equal(update(setup, 'metadata.version', 20, 3), 'INVALID_UPDATE_VERSION')
    assert.equal(update(setup, 'nonsense', 1), 'INVALID_UPDATE_VERSION')
    setup.broker(1)
    assert.equal(
      update(setup, 'transaction.version', 1),
      'INVALID_UPDATE_VERSION',
      'the broker does not say that it can',
    )
  })
})

describe('ElectLeaders', () => {
  const elect = (setup: TestController, electionType: number, partitions: number[] | null) =>
    setup
      .ask('electLeaders', {
        electionType,
        topicPartitions: partitions === null ? null : [{ topic: 'foo', partitions }],
        timeoutMs: 1,
      })
      .replicaElectionResults.flatMap(({ partitionResult }) =>
        partitionResult.map(({ errorCode }) => errorName(errorCode)),
      )

  it('brings the preferred leader back', () => {
    const setup = withBroker()
    setup.broker(2)
    setup.topic('foo', { assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] })
    const { id } = setup.state.topics.get('foo')!
    assert.deepEqual(elect(setup, 0, [0, 5]), ['ELECTION_NOT_NEEDED', 'UNKNOWN_TOPIC_OR_PARTITION'])
    assert.deepEqual(elect(setup, 0, null), [])
    setup.controller.apply({ type: 'PartitionChangeRecord', partitionId: 0, topicId: id, leader: 2 }, 0, 90)
    assert.deepEqual(elect(setup, 0, null), ['NONE'])
    assert.equal(setup.state.topics.get('foo')!.partitions[0]!.leader, 1)
    assert.deepEqual(elect(setup, 1, [0]), ['ELECTION_NOT_NEEDED'])
  })
})

describe('the state', () => {
  it('is the same after a snapshot, through bytes', () => {
    const setup = withBroker()
    setup.topic('foo', { numPartitions: 4, configs: [{ name: 'retention.ms', value: '5' }] })
    setup.topic('bar.baz')
    setup.broker(1, { incarnationId: uuid('j'), rack: 'r' })
    setup.ask('allocateProducerIds', { brokerId: 1, brokerEpoch: setup.state.brokers.get(1)!.epoch })
    setup.ask('deleteTopics', { topics: [{ name: 'bar.baz', topicId: ZERO_UUID }], timeoutMs: 1 })
    const kept: MetadataRecord[] = [
      {
        type: 'UserScramCredentialRecord',
        name: 'u',
        mechanism: 1,
        salt: Buffer.from('s'),
        storedKey: Buffer.from('k'),
        serverKey: Buffer.from('v'),
        iterations: 4096,
      },
      {
        type: 'ClientQuotaRecord',
        entity: [{ entityType: 'user', entityName: null }],
        key: 'producer_byte_rate',
        value: 5.5,
        remove: false,
      },
      {
        type: 'AccessControlEntryRecord',
        id: uuid('a'),
        resourceType: 2,
        resourceName: 'x',
        patternType: 3,
        principal: 'User:u',
        host: '*',
        operation: 2,
        permissionType: 3,
      },
    ]
    for (const [index, record] of kept.entries()) setup.controller.apply(record, 0, 1000 + index)
    const written = [...setup.controller.snapshot()].map(record => encodeRecord(record, 30))
    const again = new ClusterState()
    for (const bytes of written) again.apply(decodeRecord(bytes), 2000)
    assert.deepEqual(
      [...again.records()].map(record => encodeRecord(record, 30)),
      written,
    )
    assert.deepEqual([...again.topics], [...setup.state.topics])
    assert.deepEqual([...again.brokers], [...setup.state.brokers])
    assert.equal(again.nextProducerId, 1000)
    assert.equal(written.length, 1 + 1 + 1 + 4 + 1 + 1 + 3)
  })

  it('forgets what was taken away again', () => {
    const state = new ClusterState()
    state.apply(
      {
        type: 'ClientQuotaRecord',
        entity: [{ entityType: 'user', entityName: 'u' }],
        key: 'k',
        value: 5,
        remove: false,
      },
      0,
    )
    state.apply(
      {
        type: 'ClientQuotaRecord',
        entity: [{ entityType: 'user', entityName: 'u' }],
        key: 'k',
        value: 0,
        remove: true,
      },
      1,
    )
    assert.deepEqual([...state.records()], [])
  })

  it('says when each part has changed', () => {
    const setup = withBroker()
    const { topics, configs } = setup.state.changedAt
    setup.topic('foo')
    assert.ok(setup.state.changedAt.topics > topics)
    assert.equal(setup.state.changedAt.configs, configs)
  })

  it('does not swallow a record about something that is not there', () => {
    assert.throws(
      () => new ClusterState().apply({ type: 'RemoveTopicRecord', topicId: ZERO_UUID }, 7),
      /not whole: record 7 changes topic/,
    )
  })
})
