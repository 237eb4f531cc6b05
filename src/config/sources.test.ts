import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigSources, resolveConfig } from './sources.ts'

const file = (text: string): ConfigSources => ({ file: { path: 'server.properties', text } })
const flag = (name: string, value: string) => ({ name, value, origin: `--${name}` })
const listening = (sources: ConfigSources) =>
  resolveConfig(sources).endpoints.map(({ name, host, port }) => `${name}://${host}:${port}`)

test('nothing given: loopback, a visible folder, every default', () => {
  const { config, endpoints, advertised, dataDirectory, warnings } = resolveConfig({})
  assert.deepEqual(endpoints, [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }])
  assert.deepEqual([dataDirectory, advertised.size, warnings], ['./ottla-data', 0, []])
  assert.equal(config.get('num.partitions'), 1)
  assert.equal(config.get('flush'), 'ack')
  assert.equal(config.get('log.flush.interval.messages'), Number.MAX_SAFE_INTEGER)
  assert.equal(config.get('advertised.listeners'), null)
  assert.equal(config.given('num.partitions'), null)
})

test('file < environment < flags, and each value knows where it came from', () => {
  const { config } = resolveConfig({
    ...file('num.partitions=2\nlog.segment.bytes=2000000\ndelete.topic.enable=false'),
    env: { KAFKA_NUM_PARTITIONS: '3', OTTLA_LOG_SEGMENT_BYTES: '3000000' },
    flags: [flag('num.partitions', '4')],
  })
  assert.equal(config.get('num.partitions'), 4)
  assert.equal(config.get('log.segment.bytes'), 3_000_000)
  assert.equal(config.get('delete.topic.enable'), false)
  const origin = (name: 'num.partitions' | 'log.segment.bytes' | 'delete.topic.enable') => config.given(name)?.origin
  assert.equal(origin('num.partitions'), '--num.partitions')
  assert.equal(origin('log.segment.bytes'), 'OTTLA_LOG_SEGMENT_BYTES')
  assert.equal(origin('delete.topic.enable'), 'server.properties:3')
})

test('every mistake is told at once, where it stands', () => {
  assert.throws(
    () => resolveConfig({ ...file('num.partition=2\nlog.segment.bytes=big'), env: { OTTLA_FLUSH: 'never' } }),
    {
      name: 'ConfigError',
      message: [
        'server.properties:1: unknown setting num.partition (did you mean num.partitions?)',
        'server.properties:2: Invalid value big for configuration log.segment.bytes: Not a number of type INT',
        'OTTLA_FLUSH: Invalid value never for configuration flush: String must be one of: ack, os',
      ].join('\n'),
    },
  )
})

test('listeners and host/port: the higher layer wins', () => {
  assert.deepEqual(listening(file('listeners=PLAINTEXT://:9999,CONTROLLER://:9093')), ['PLAINTEXT://:9999'])
  const both = file('listeners=PLAINTEXT://:9999')
  assert.deepEqual(listening({ ...both, flags: [flag('port', '7000')] }), ['PLAINTEXT://localhost:7000'])
  assert.deepEqual(listening(file('listeners=PLAINTEXT://:9999\nport=7000')), ['PLAINTEXT://:9999'])
  const hosts = resolveConfig({ flags: [flag('host', '127.0.0.1,::1'), flag('port', '0')] })
  assert.equal(hosts.config.text('listeners'), 'PLAINTEXT://127.0.0.1:0,PLAINTEXT://[::1]:0')
})

test('a listener that cannot be served safely stops the start', () => {
  assert.throws(() => resolveConfig(file('listeners=SSL://:9093')), /only PLAINTEXT is served/)
  assert.throws(() => resolveConfig(file('listeners=INTERNAL://:9093')), /no entry in listener.security.protocol.map/)
  assert.throws(() => resolveConfig(file('listeners=PLAINTEXT:9093')), /NAME:\/\/host:port/)
  assert.throws(() => resolveConfig(file('authorizer.class.name=a.B')), /no ACLs yet/)
  assert.throws(() => resolveConfig(file('remote.log.storage.system.enable=true')), /tiered/)
})

test('what clients are told', () => {
  const told = (text: string) => Object.fromEntries(resolveConfig(file(text)).advertised)
  assert.deepEqual(told('advertise=auto'), {})
  assert.deepEqual(told('advertise=broker.example'), { PLAINTEXT: { host: 'broker.example', port: 9092 } })
  assert.deepEqual(told('advertise=[fe80::1]:7'), { PLAINTEXT: { host: 'fe80::1', port: 7 } })
  const two =
    'listeners=IN://:1,OUT://:2\nadvertised.listeners=IN://a:1,OUT://b:2\nlistener.security.protocol.map=IN:PLAINTEXT,OUT:PLAINTEXT'
  assert.deepEqual(told(two), { IN: { host: 'a', port: 1 }, OUT: { host: 'b', port: 2 } })
  assert.throws(() => told('advertise=a b'), /advertise must be auto/)
})

test('data, log.dirs and log.dir are one', () => {
  const folder = (text: string) => resolveConfig(file(text)).dataDirectory
  assert.equal(folder('log.dir=/a'), '/a')
  assert.equal(folder('log.dir=/a\nlog.dirs=/b'), '/b')
  assert.equal(folder('data=/c'), '/c')
  assert.equal(folder('data=memory'), null)
  assert.equal(resolveConfig(file('log.dirs=/b')).config.text('data'), '/b')
  assert.equal(resolveConfig({ ...file('log.dirs=/b'), flags: [flag('data', '/c')] }).config.text('log.dirs'), '/c')
  assert.throws(() => folder('log.dirs=/a,/b'), /one folder/)
})

test('broker.id stands in for node.id', () => {
  assert.equal(resolveConfig(file('broker.id=7')).config.get('node.id'), 7)
  assert.equal(resolveConfig(file('broker.id=7\nnode.id=8')).config.get('broker.id'), 8)
})

test('a read-only value that was asked for is said', () => {
  assert.deepEqual(resolveConfig(file('transaction.max.timeout.ms=5')).warnings, [
    'server.properties:1: transaction.max.timeout.ms=5 has no effect. Transactions are not served yet.',
  ])
})

test('security settings of one listener are taken', () => {
  resolveConfig(
    file('listener.name.internal.ssl.keystore.location=/x\nlistener.name.a.scram-sha-256.sasl.jaas.config=y'),
  )
})
