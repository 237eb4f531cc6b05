import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigResourceType, configSchema } from './schema.ts'

const { TOPIC, BROKER, GROUP } = ConfigResourceType

test('topic settings', () => {
  const check = configSchema.validateTopicConfig
  assert.equal(check('retention.ms', '1000'), null)
  assert.equal(check('retention.mss', '1'), 'Unknown topic config name: retention.mss (did you mean retention.ms?)')
  assert.match(check('segment.bytes', '100')!, /at least 1048576/)
  assert.match(check('remote.storage.enable', 'true')!, /tiered/)
  assert.equal(check('remote.storage.enable', 'false'), null)
  assert.match(check('__proto__', 'x')!, /Unknown/)
  assert.equal(check('leader.replication.throttled.replicas', '*'), null)
  assert.equal(check('leader.replication.throttled.replicas', '0:1,1:2'), null)
  assert.match(check('leader.replication.throttled.replicas', '0-1')!, /partition:broker/)
})

test('topic settings taken together', () => {
  const check = (most: string) =>
    configSchema.validateTopicConfigs(
      new Map([
        ['min.compaction.lag.ms', '9'],
        ['max.compaction.lag.ms', most],
      ]),
    )
  assert.equal(check('9'), null)
  assert.match(check('8')!, /conflict/)
})

test('broker settings at run time', () => {
  const check = configSchema.validateBrokerConfig
  assert.equal(check('log.retention.ms', '1000'), null)
  assert.equal(check('num.partitions', '2'), 'Cannot update these configs dynamically: num.partitions')
  assert.match(check('message.max.bytes', '-1')!, /at least 0/)
  assert.match(check('mesage.max.bytes', '1')!, /did you mean message.max.bytes/)
  assert.equal(check('ssl.keystore.location', '/x'), null)
  assert.match(check('ssl.keystore.location', '/x', true)!, /per-broker/)
  assert.equal(check('listener.name.internal.ssl.keystore.location', '/x'), null)
})

test('groups and client metrics', () => {
  assert.equal(configSchema.validateGroupConfig('share.auto.offset.reset', 'by_duration:PT1H'), null)
  assert.match(configSchema.validateGroupConfig('share.auto.offset.reset', 'never')!, /latest, earliest/)
  assert.equal(configSchema.validateClientMetricsConfig('interval.ms', '1000'), null)
  assert.match(configSchema.validateClientMetricsConfig('interval', '1')!, /Unknown client metrics config name/)
})

test('lists, defaults, secrets', () => {
  assert.equal(configSchema.isList(TOPIC, 'cleanup.policy'), true)
  assert.equal(configSchema.isList(TOPIC, 'retention.ms'), false)
  assert.equal(configSchema.isList(GROUP, 'streams.rack.aware.assignment.tags'), true)
  assert.equal(configSchema.defaultValue(TOPIC, 'cleanup.policy'), 'delete')
  assert.equal(configSchema.isSensitive(BROKER, 'ssl.key.password'), true)
  assert.equal(configSchema.isSensitive(BROKER, 'listener.name.x.ssl.key.password'), true)
  assert.equal(configSchema.isSensitive(BROKER, 'num.partitions'), false)
  assert.equal(configSchema.isSensitive(BROKER, 'my.own.thing'), true)
})
