import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../machine/testing.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { Command } from './commands/command.ts'
import { lonelySettings } from './commands/context.ts'
import { Controller } from './controller.ts'
import { bootstrapRecords, supportedFeatures } from './features.ts'
import { decodeRecord, encodeRecord, type MetadataRecord } from './records/records.ts'
import { ClusterState, type PartitionState } from './state.ts'
import { testSettings } from './testing.ts'

const settings = {
  ...testSettings,
  ...lonelySettings,
  nodeId: 1,
  supportedFeatures,
  defaultReplicationFactor: -1,
  balance: true,
  preferredLeadersMs: 1000,
  replaceAfterMs: 1000,
  topicValue: (name: string, own: ReadonlyMap<string, string>) =>
    own.get(name) ?? { flush: 'os', 'min.insync.replicas': '2' }[name] ?? null,
}

type Dice = ReturnType<typeof dice>

/** Some command, sensible or not. */
function draw(random: Dice, state: ClusterState, timers: ReadonlyMap<string, Command>): Command {
  const topic = () => `t${random.int(8)}`
  const broker = () => 1 + random.int(5)
  const epochOf = (brokerId: number) => state.brokers.get(brokerId)?.epoch ?? 0
  const life = (brokerId: number) => ({ brokerId, brokerEpoch: epochOf(brokerId) - (random.int(10) === 0 ? 1 : 0) })
  const someone = (): [name: string, id: string, partition: number, state: PartitionState] | null => {
    const all = [...state.topics.values()]
    const chosen = all[random.int(Math.max(1, all.length))]
    if (chosen === undefined) return null
    const partition = random.int(chosen.partitions.length)
    return [chosen.name, chosen.id, partition, chosen.partitions[partition]!]
  }
  switch (random.int(16)) {
    case 0: {
      const topics = Array.from({ length: 1 + random.int(2) }, () => ({
        name: topic(),
        numPartitions: random.int(5) - 1,
        replicationFactor: random.int(5) - 1,
        assignments: [],
        configs: [
          { name: 'min.insync.replicas', value: String(1 + random.int(3)) },
          ...(random.int(3) === 0 ? [{ name: 'replication.topology', value: 'chain' }] : []),
        ],
      }))
      return { do: 'createTopics', request: { topics, validateOnly: random.int(10) === 0 } }
    }
    case 1:
      return { do: 'deleteTopics', request: { topics: [{ name: topic(), topicId: ZERO_UUID }], timeoutMs: 1 } }
    case 2: {
      const topics = [{ name: topic(), count: random.int(6), assignments: null }]
      return { do: 'createPartitions', request: { topics, timeoutMs: 1, validateOnly: false } }
    }
    case 3: {
      const [name, value] = [
        ['cleanup.policy', random.int(2) ? 'compact' : 'delete'],
        ['min.insync.replicas', String(1 + random.int(3))],
        ['unclean.leader.election.enable', random.int(4) ? 'false' : 'true'],
      ][random.int(3)] as [string, string]
      const configs = [{ name, configOperation: random.int(2), value }]
      const resources = [{ resourceType: 2, resourceName: topic(), configs }]
      return { do: 'incrementalAlterConfigs', request: { resources, validateOnly: false } }
    }
    case 4: {
      const value = ['settled', 'joining', 'draining', 'gone'][random.int(4)]!
      const configs = [{ name: 'balance.state', configOperation: random.int(2), value }]
      const resources = [{ resourceType: 4, resourceName: String(broker()), configs }]
      return { do: 'incrementalAlterConfigs', request: { resources, validateOnly: false } }
    }
    case 5: {
      const brokerId = broker()
      const request = {
        brokerId,
        clusterId: 'cluster',
        incarnationId: Buffer.from(random.bytes(16)).toString('base64url'),
        listeners: [],
        features: [],
        rack: random.int(2) === 0 ? null : `r${brokerId % 2}`,
        logDirs: random.int(3) === 0 ? [] : [ZERO_UUID.replace('A', 'BCDEFG'[brokerId]!)],
        previousBrokerEpoch: random.int(2) === 0 ? epochOf(brokerId) : -1,
      }
      return { do: 'registerBroker', request }
    }
    case 6: {
      const brokerId = broker()
      return { do: 'allocateProducerIds', request: { brokerId, brokerEpoch: epochOf(brokerId) } }
    }
    case 7:
      return { do: 'electLeaders', request: { electionType: random.int(2), topicPartitions: null, timeoutMs: 1 } }
    case 8:
      return { do: 'brokerLost', request: life(broker()) }
    case 9:
    case 10: {
      const request = {
        ...life(broker()),
        currentMetadataOffset: state.offset - 1 - random.int(4),
        wantFence: random.int(20) === 0,
        wantShutDown: random.int(8) === 0,
      }
      return { do: 'brokerHeartbeat', request }
    }
    case 11:
    case 12: {
      const found = someone()
      if (found === null) return { do: 'electPreferred', request: {} }
      const [, topicId, partitionIndex, { leader, leaderEpoch, partitionEpoch, replicas }] = found
      const members = replicas.filter(id => id === leader || random.int(4) > 0)
      const wanted = {
        partitionIndex,
        leaderEpoch: leaderEpoch - (random.int(10) === 0 ? 1 : 0),
        partitionEpoch: partitionEpoch - (random.int(10) === 0 ? 1 : 0),
        newIsrWithEpochs: members.map(brokerId => ({ brokerId, brokerEpoch: epochOf(brokerId) })),
        leaderRecoveryState: 0,
      }
      return { do: 'alterPartition', request: { ...life(leader), topics: [{ topicId, partitions: [wanted] }] } }
    }
    case 13: {
      const found = someone()
      if (found === null) return { do: 'electOrphans', request: {} }
      const [name, , partitionIndex] = found
      const replicas = random.int(4) === 0 ? null : [...new Set([broker(), broker(), broker()])]
      const topics = [{ name, partitions: [{ partitionIndex, replicas }] }]
      return { do: 'alterPartitionReassignments', request: { timeoutMs: 1, topics } }
    }
    case 14:
      return { do: 'unregisterBroker', request: { brokerId: broker() } }
    default: {
      const due = [...timers.values()]
      return due[random.int(Math.max(1, due.length))] ?? { do: 'balance', request: {} }
    }
  }
}

/** What no record may break, whoever made it (I5: leader, ISR and ELR). */
function check(state: ClusterState, context: string): void {
  let partitions = 0
  assert.equal(state.topics.size, state.topicsById.size, context)
  for (const topic of state.topics.values()) {
    assert.equal(state.topicsById.get(topic.id), topic, context)
    assert.ok(topic.partitions.length > 0, `${context}: ${topic.name} has no partitions`)
    partitions += topic.partitions.length
    for (const partition of topic.partitions) checkPartition(state, partition, `${context}: ${topic.name}`)
  }
  assert.equal(state.partitionCount, partitions, context)
  for (const name of state.configured(2))
    assert.ok(state.topics.has(name), `${context}: settings of ${name}, which is gone`)
}

function checkPartition(state: ClusterState, partition: PartitionState, context: string): void {
  const { replicas, isr, leader, eligibleLeaderReplicas: elr, lastKnownElr, directories } = partition
  const { addingReplicas, removingReplicas } = partition
  for (const list of [replicas, isr, elr, lastKnownElr, addingReplicas, removingReplicas]) {
    assert.equal(new Set(list).size, list.length, `${context}: somebody is named twice in ${list}`)
    for (const id of list) assert.ok(replicas.includes(id), `${context}: ${id} is none of ${replicas}`)
  }
  assert.equal(directories.length, replicas.length, context)
  for (const id of elr) assert.ok(!isr.includes(id), `${context}: ${id} is in sync and eligible`)
  for (const id of lastKnownElr) assert.ok(!isr.includes(id) && !elr.includes(id), context)
  for (const id of addingReplicas) assert.ok(!removingReplicas.includes(id), context)
  assert.ok(replicas.length > removingReplicas.length, `${context}: all of ${replicas} are going`)
  if (leader === -1) assert.equal(isr.length, 0, `${context}: ${isr} in sync with nobody`)
  else assert.ok(isr.includes(leader), `${context}: leader ${leader}, isr ${isr}`)
  assert.ok(isr.length + elr.length > 0, `${context}: nobody is known to have everything`)
  for (const id of isr) {
    const broker = state.brokers.get(id)
    assert.ok(broker !== undefined && !broker.fenced && !broker.inControlledShutdown, `${context}: ${id} is in sync`)
  }
}

/** All of a state, byte by byte. */
const bytesOf = (state: ClusterState) => [...state.records()].map(record => encodeRecord(record, 30).toString('hex'))

test('any commands: a sound state, which others reach by records and by snapshots', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = dice(seed)
    let controller = new Controller(settings, bootstrapRecords())
    let follower = new ClusterState()
    const timers = new Map<string, Command>()
    const leaders = new Map<string, number>()
    const epochs = new Map<string, number>()
    let brokerEpoch = -1
    let offset = 0
    const append = (records: readonly MetadataRecord[]) => {
      for (const record of records) {
        controller.apply(record, 0, offset)
        follower.apply(decodeRecord(encodeRecord(record, 30)), offset)
        offset++
      }
    }
    const carryOut = ({ records, soft = [], effects }: ReturnType<Controller['decide']>) => {
      append(records)
      for (const fact of soft) controller.apply(fact, 0, offset)
      for (const effect of effects) {
        if (effect.do === 'timer') timers.set(effect.key, effect.then)
        if (effect.do === 'cancel') timers.delete(effect.key)
      }
      return effects.filter(effect => effect.do === 'answer').length
    }
    carryOut(controller.lead({ ms: 0, random }))
    for (let step = 0; step < 250; step++) {
      const command = draw(random, controller.state, timers)
      const context = `seed ${seed}, step ${step}, ${command.do}`
      const before = bytesOf(controller.state).join()
      const decision = controller.decide(command, { ms: step, random })
      assert.equal(bytesOf(controller.state).join(), before, `${context}: decide has changed something`)
      for (const record of decision.records) {
        if (record.type !== 'RegisterBrokerRecord') continue
        assert.ok(record.brokerEpoch > brokerEpoch, `${context}: broker epochs grow`)
        brokerEpoch = record.brokerEpoch
      }
      assert.equal(carryOut(decision), 1, context)
      if (random.int(20) === 0) offset += 3 // what Raft itself puts into the log
      check(controller.state, context)
      for (const topic of controller.state.topics.values()) {
        for (const [index, { leaderEpoch, leader }] of topic.partitions.entries()) {
          const key = `${topic.id}-${index}`
          assert.ok(leaderEpoch >= (epochs.get(key) ?? 0), `${context}: leader epochs grow`)
          epochs.set(key, leaderEpoch)
          // I1
          const led = `${key}@${leaderEpoch}`
          assert.equal(leaders.get(led) ?? leader, leader, `${context}: two leaders in ${led}`)
          leaders.set(led, leader)
        }
      }
      if (random.int(10) > 0) continue
      // I8
      assert.deepEqual(bytesOf(follower), bytesOf(controller.state), context)
      const fresh = new ClusterState()
      for (const record of follower.records()) fresh.apply(record, offset)
      assert.deepEqual(bytesOf(fresh), bytesOf(controller.state), `${context}: snapshot`)
      follower = fresh
      if (random.int(3) > 0) continue
      // Another controller, from a snapshot: what was soft is forgotten.
      const next = new Controller({ ...settings, nodeId: 1 + random.int(5) }, bootstrapRecords())
      for (const record of controller.state.records()) next.apply(record, 0, offset - 1)
      controller = next
      timers.clear()
      carryOut(controller.lead({ ms: step, random }))
    }
  }
})
