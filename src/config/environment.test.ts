import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEnvironment } from './environment.ts'

const settings = (env: Record<string, string>) =>
  Object.fromEntries(readEnvironment(env).settings.map(({ name, value }) => [name, value]))

test('three spellings of the same setting, ours first', () => {
  assert.deepEqual(settings({ KAFKA_LOG_RETENTION_MS: '1' }), { 'log.retention.ms': '1' })
  assert.deepEqual(settings({ KAFKA_LOG_RETENTION_MS: '1', KAFKA_CFG_LOG_RETENTION_MS: '2' }), {
    'log.retention.ms': '2',
  })
  assert.deepEqual(
    settings({ KAFKA_LOG_RETENTION_MS: '1', KAFKA_CFG_LOG_RETENTION_MS: '2', OTTLA_LOG_RETENTION_MS: '3' }),
    { 'log.retention.ms': '3' },
  )
})

test('ids of a cluster as the images spell them', () => {
  assert.deepEqual(settings({ CLUSTER_ID: 'abc' }), { 'cluster.id': 'abc' })
  assert.deepEqual(settings({ KAFKA_KRAFT_CLUSTER_ID: 'abc' }), { 'cluster.id': 'abc' })
})

test('a usual compose file means what it means to Kafka', () => {
  const reading = readEnvironment({
    PATH: '/bin',
    CLUSTER_ID: 'MkU3OEVBNTcwNTJENDM2Qk',
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://localhost:9092',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    KAFKA_LOG4J_LOGGERS: 'kafka=INFO',
  })
  assert.deepEqual([reading.warnings, reading.errors], [[], []])
  assert.equal(reading.settings.length, 9)
})

test('a stray variable is said and passed over', () => {
  assert.deepEqual(readEnvironment({ KAFKA_URL: 'kafka://x:9092', KAFKA_HOST: 'x' }), {
    settings: [],
    warnings: [
      'KAFKA_HOST is not a setting of a broker: passed over',
      'KAFKA_URL is not a setting of a broker: passed over',
    ],
    errors: [],
  })
  assert.deepEqual(readEnvironment({ KAFKA_NUM_PARTITION: '3' }).warnings, [
    'KAFKA_NUM_PARTITION is not a setting of a broker: passed over (did you mean KAFKA_NUM_PARTITIONS?)',
  ])
})

test('a service that is called ottla or kafka does not configure one', () => {
  const link = {
    OTTLA_PORT: 'tcp://10.0.0.1:9092',
    OTTLA_SERVICE_HOST: '10.0.0.1',
    OTTLA_SERVICE_PORT: '9092',
    OTTLA_SERVICE_PORT_KAFKA: '9092',
    OTTLA_PORT_9092_TCP: 'tcp://10.0.0.1:9092',
    OTTLA_PORT_9092_TCP_ADDR: '10.0.0.1',
    KAFKA_PORT: 'tcp://10.0.0.1:9092',
    KAFKA_HEADLESS_SERVICE_HOST: 'None',
  }
  assert.deepEqual(readEnvironment(link), { settings: [], warnings: [], errors: [] })
})

test('an unknown variable of our own prefix is an error', () => {
  assert.deepEqual(readEnvironment({ OTTLA_PROT: '1' }).errors, [
    'Unknown setting OTTLA_PROT (did you mean OTTLA_PORT?)',
  ])
})

test('settings of one listener are recognised', () => {
  const reading = readEnvironment({ KAFKA_LISTENER_NAME_INTERNAL_SSL_KEYSTORE_LOCATION: '/x' })
  assert.deepEqual(reading.warnings, [])
  assert.deepEqual(
    reading.settings.map(each => each.name),
    ['listener.name.internal.ssl.keystore.location'],
  )
})
