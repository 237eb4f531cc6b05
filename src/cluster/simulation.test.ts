import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../config/schema.ts'
import { dice } from '../machine/testing.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { Command } from './commands/command.ts'
import { lonelySettings } from './commands/context.ts'
import { Controller } from './controller.ts'
import { bootstrapRecords, supportedFeatures } from './features.ts'
import { ring } from './placement/ring.ts'
import { decodeRecord, encodeRecord, type MetadataRecord } from './records/records.ts'
import { ClusterState } from './state.ts'

const settings = {
  clusterId: 'cluster',
  schema: configSchema,
  placement: ring,
  ...lonelySettings,
  numPartitions: 1,
  defaultReplicationFactor: 1,
  deleteTopicEnable: true,
  supportedFeatures,
  describeTopic: () => [],
}

type Dice = ReturnType<typeof dice>

/** Some command, sensible or not. */
function draw(random: Dice, state: ClusterState): Command {
  const topic = () => `t${random.int(12)}`
  const broker = () => 1 + random.int(4)
  switch (random.int(8)) {
    case 0:
    case 1: {
      const topics = Array.from({ length: 1 + random.int(3) }, () => ({
        name: topic(),
        numPartitions: random.int(5) - 1,
        replicationFactor: random.int(4) - 1,
        assignments: [],
        configs: random.int(3) === 0 ? [{ name: 'retention.ms', value: String(random.int(1000)) }] : [],
      }))
      return { do: 'createTopics', request: { topics, validateOnly: random.int(10) === 0 } }
    }
    case 2:
      return { do: 'deleteTopics', request: { topics: [{ name: topic(), topicId: ZERO_UUID }], timeoutMs: 1 } }
    case 3: {
      const topics = [{ name: topic(), count: random.int(9), assignments: null }]
      return { do: 'createPartitions', request: { topics, timeoutMs: 1, validateOnly: false } }
    }
    case 4: {
      const configs = [
        { name: 'cleanup.policy', configOperation: random.int(4), value: random.int(2) ? 'compact' : 'delete' },
      ]
      const resources = [{ resourceType: 2, resourceName: topic(), configs }]
      return { do: 'incrementalAlterConfigs', request: { resources, validateOnly: false } }
    }
    case 5: {
      const incarnationId = Buffer.from(random.bytes(16)).toString('base64url')
      const request = {
        brokerId: broker(),
        clusterId: 'cluster',
        incarnationId,
        listeners: [],
        features: [],
        rack: null,
        logDirs: [],
      }
      return { do: 'registerBroker', request }
    }
    case 6: {
      const brokerId = broker()
      return { do: 'allocateProducerIds', request: { brokerId, brokerEpoch: state.brokers.get(brokerId)?.epoch ?? 0 } }
    }
    default:
      return { do: 'electLeaders', request: { electionType: random.int(2), topicPartitions: null, timeoutMs: 1 } }
  }
}

/** What no record may break, whoever made it. */
function check(state: ClusterState, context: string): void {
  let partitions = 0
  assert.equal(state.topics.size, state.topicsById.size, context)
  for (const topic of state.topics.values()) {
    assert.equal(state.topicsById.get(topic.id), topic, context)
    assert.ok(topic.partitions.length > 0, `${context}: ${topic.name} has no partitions`)
    partitions += topic.partitions.length
    for (const { replicas, isr, leader, eligibleLeaderReplicas, directories } of topic.partitions) {
      assert.equal(new Set(replicas).size, replicas.length, context)
      assert.equal(directories.length, replicas.length, context)
      for (const id of [...isr, ...eligibleLeaderReplicas]) assert.ok(replicas.includes(id), context)
      for (const id of eligibleLeaderReplicas) assert.ok(!isr.includes(id), context)
      assert.ok(leader === -1 || isr.includes(leader), `${context}: leader ${leader}, isr ${isr}`)
      if (leader !== -1) assert.ok(!state.brokers.get(leader)!.fenced, context)
    }
  }
  assert.equal(state.partitionCount, partitions, context)
  for (const name of state.configured(2))
    assert.ok(state.topics.has(name), `${context}: settings of ${name}, which is gone`)
}

/** All of a state, byte by byte. */
const bytesOf = (state: ClusterState) => [...state.records()].map(record => encodeRecord(record, 30).toString('hex'))

test('any commands: a sound state, which others reach by records and by snapshots', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = dice(seed)
    const controller = new Controller(settings, bootstrapRecords())
    const { state } = controller
    let follower = new ClusterState()
    const leaderEpochs = new Map<string, number>()
    let brokerEpoch = -1
    let offset = 0
    const append = (records: readonly MetadataRecord[]) => {
      for (const record of records) {
        controller.apply(record, 0, offset)
        follower.apply(decodeRecord(encodeRecord(record, 30)), offset)
        offset++
      }
    }
    append(controller.lead({ ms: 0, random }).records)
    for (let step = 0; step < 150; step++) {
      const command = draw(random, state)
      const context = `seed ${seed}, step ${step}, ${command.do}`
      const before = bytesOf(state).join()
      const { records, effects } = controller.decide(command, { ms: step, random })
      assert.equal(bytesOf(state).join(), before, `${context}: decide has changed something`)
      assert.equal(effects.filter(effect => effect.do === 'answer').length, 1, context)
      for (const record of records) {
        if (record.type !== 'RegisterBrokerRecord') continue
        assert.ok(record.brokerEpoch > brokerEpoch, `${context}: broker epochs grow`)
        brokerEpoch = record.brokerEpoch
      }
      append(records)
      if (random.int(20) === 0) offset += 3 // what Raft itself puts into the log
      check(state, context)
      for (const topic of state.topics.values()) {
        for (const [index, { leaderEpoch }] of topic.partitions.entries()) {
          const key = `${topic.id}-${index}`
          assert.ok(leaderEpoch >= (leaderEpochs.get(key) ?? 0), `${context}: leader epochs grow`)
          leaderEpochs.set(key, leaderEpoch)
        }
      }
      if (random.int(10) > 0) continue
      assert.deepEqual(bytesOf(follower), bytesOf(state), context)
      const fresh = new ClusterState()
      for (const record of follower.records()) fresh.apply(record, offset)
      assert.deepEqual(bytesOf(fresh), bytesOf(state), `${context}: snapshot`)
      follower = fresh
    }
  }
})
