import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { brokerSettings } from '../../../src/config/broker-configs.ts'
import { clientMetricsSettings } from '../../../src/config/client-metrics-configs.ts'
import type { Settings } from '../../../src/config/definition.ts'
import { groupSettings } from '../../../src/config/group-configs.ts'
import { topicSettings } from '../../../src/config/topic-configs.ts'
import { readValue } from '../../../src/config/values.ts'

// kafka-4.4.tsv is what DumpConfigs.java prints with the jars of kafka_2.13 4.4.0 on its class path.
const lines = readFileSync('test/conformance/configs/kafka-4.4.tsv', 'utf8').trimEnd().split('\n')
const facts = lines.map(line => {
  const [kind, name, type, value, valid, update, internal] = line.split('\t') as [string, ...string[]]
  return { kind, name: name!, type: type!, value: value!, valid: valid!, update: update!, internal: internal! }
})
const ours: { [kind: string]: Settings } = {
  broker: brokerSettings,
  topic: topicSettings,
  group: groupSettings,
  'client-metrics': clientMetricsSettings,
}

/** Where we differ on purpose. */
const DEFAULTS: { [name: string]: string } = {
  'node.id': '1',
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'log.dir': 'null',
  // Recovery after a crash costs what was written since.
  'log.flush.offset.checkpoint.interval.ms': '5000',
  // The others are not served yet.
  'group.coordinator.rebalance.protocols': 'classic',
  // Kafka's own sample file sets it to 0, too: three seconds of waiting at the first join help nobody on one machine.
  'group.initial.rebalance.delay.ms': '0',
  // A node that is gone is noticed by its connections at once, one that hangs within this time.
  'broker.heartbeat.interval.ms': '500',
  // Voters come by themselves.
  'controller.quorum.auto.join.enable': 'true',
  'controller.quorum.election.timeout.ms': '500',
  'controller.quorum.fetch.timeout.ms': '1500',
  'broker.session.timeout.ms': '3000',
  'replica.lag.time.max.ms': '5000',
  'replica.socket.timeout.ms': '3000',
  // A restarted broker leads again what it should soon after it has caught up.
  'leader.imbalance.check.interval.seconds': '30',
  // It keeps a start short; a snapshot of 5,000 partitions is half a megabyte.
  'metadata.log.max.record.bytes.between.snapshots': '4194304',
  // As many as there are brokers, three at most.
  'default.replication.factor': '-1',
}
/** Kafka can move its listeners while it runs. */
const NEVER = ['listeners', 'listener.security.protocol.map']
const OWN: { [kind: string]: readonly string[] } = {
  broker: [
    'advertise',
    'balance.enable',
    'balance.state',
    'broker.replace.after.ms',
    'cluster.id',
    'data',
    'door.delivery.timeout.ms',
    'door.max.waiting',
    'door.push.buffer.bytes',
    'door.read.buffer.bytes',
    'doors',
    'flush',
    'gateway.nodes',
    'grpc.max.calls',
    'grpc.max.message.bytes',
    'grpc.port',
    'host',
    'http.allowed.hosts',
    'http.allowed.origins',
    'http.answer.unsent.max.bytes',
    'http.body.held.max.bytes',
    'http.event.heartbeat.ms',
    'http.event.kept.bytes',
    'http.event.stall.ms',
    'http.event.unsent.max.bytes',
    'http.max.event.streams',
    'http.port',
    'http.request.max.bytes',
    'join',
    'logging.format',
    'logging.level',
    'metrics.max.groups',
    'metrics.max.topics',
    'orderer',
    'orderer.lease.ms',
    'orderer.password',
    'orderer.renew.ms',
    'placement',
    'port',
    'quorum.voter.probation.ms',
    'quorum.voter.replace.after.ms',
    'quorum.voters',
    'replica.slow.after.ms',
    'replica.slow.probation.ms',
    'replication.move.rate',
    'replication.topology',
    'roles',
    'share.dead.letter.topic',
    'share.redelivery.backoff.max.ms',
    'share.redelivery.backoff.ms',
    'tail.cache.bytes',
    'token',
  ],
  topic: ['replication.topology'],
}

for (const kind of Object.keys(ours)) {
  test(`${kind} settings are Kafka's, by name, type, default, update mode`, () => {
    for (const fact of facts.filter(fact => fact.kind === kind)) {
      const setting = ours[kind]![fact.name]
      assert.ok(setting, `${fact.name} is missing`)
      assert.deepEqual(
        {
          type: setting.type,
          value: String(setting.default),
          update: setting.update,
          internal: String(setting.internal),
        },
        {
          type: fact.type,
          value: DEFAULTS[fact.name] ?? fact.value,
          update: NEVER.includes(fact.name) ? 'never' : fact.update,
          internal: fact.internal,
        },
        fact.name,
      )
    }
  })

  test(`${kind} settings take and refuse the same values`, () => {
    for (const { name, valid, type } of facts.filter(fact => fact.kind === kind)) {
      const setting = ours[kind]![name]!
      for (const [text, fine] of examples(valid, type)) {
        assert.equal('value' in readValue(name, setting, text), fine, `${name}=${text} (${valid})`)
      }
    }
  })

  test(`no ${kind} setting is invented`, () => {
    const known = new Set(facts.filter(fact => fact.kind === kind).map(fact => fact.name))
    const more = Object.keys(ours[kind]!).filter(name => !known.has(name))
    assert.deepEqual(more.sort(), OWN[kind] ?? [])
  })
}

test('every setting says what it does or why it does nothing', () => {
  for (const settings of Object.values(ours)) {
    for (const [name, setting] of Object.entries(settings)) assert.match(setting.doc, /^.{10,240}[.`)]$/, name)
  }
})

/** Values at both sides of each bound that Kafka's own description of a range names. */
function examples(valid: string, type: string): [string, boolean][] {
  if (type === 'boolean')
    return [
      ['TRUE', true],
      [' false ', true],
      ['yes', false],
      ['1', false],
    ]
  const range = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]/.exec(valid)
  const step = type === 'double' ? 0.01 : 1
  const found: [string, boolean][] = []
  if (range !== null) {
    found.push([range[1]!, true])
    if (valid !== '[1,...,9] or -1') found.push([String(Number(range[1]) - step), false])
    if (range[2] !== undefined) found.push([range[2], true], [String(Number(range[2]) + step), false])
  }
  if (valid === '[1,...,9] or -1') found.push(['-1', true], ['0', false], ['-2', false])
  if (range === null && (type === 'int' || type === 'long' || type === 'short')) {
    const bits = { short: 15n, int: 31n, long: 63n }[type]
    found.push([String(2n ** bits - 1n), true], [String(2n ** bits), false], [String(-(2n ** bits) - 1n), false])
    found.push(['', false], ['1.5', false], ['0x10', false], ['1_000', false])
  }
  const words = /^\(?(case insensitive\) )?\[([\w, ]+)\]$/.exec(valid)
  if (words !== null && !valid.includes('...')) {
    for (const word of words[2]!.split(', ')) {
      found.push([word, true], [word.toLowerCase(), words[1] !== undefined || word === word.toLowerCase()])
      if (type === 'list') found.push([`${word},${word}`, false])
    }
    found.push(['nonsense', false])
  }
  if (valid === 'non-empty string') found.push(['', false], ['x', true])
  return found
}
