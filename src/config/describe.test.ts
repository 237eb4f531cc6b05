import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConfigSource,
  describeBroker,
  describeClientMetrics,
  describeClusterWide,
  describeGroup,
  describeTopic,
} from './describe.ts'
import { resolveConfig } from './sources.ts'
import { resolveTopicConfigs } from './topic-values.ts'

const broker = (text = '') => resolveConfig({ file: { path: 'f', text } }).config
const map = (values: Record<string, string>) => new Map(Object.entries(values))
const short = (entries: ReturnType<typeof describeTopic>) =>
  entries.map(({ value, configSource, synonyms }) => [
    value,
    configSource,
    synonyms.map(synonym => `${synonym.source}:${synonym.name}=${synonym.value}`).join(' '),
  ])

test('a topic setting falls back from unit to unit of the broker', () => {
  const retention = (text: string, own: Record<string, string> = {}) =>
    short(describeTopic(map(own), broker(text), ['retention.ms']))[0]
  assert.deepEqual(retention(''), ['604800000', 5, '5:log.retention.hours=168'])
  assert.deepEqual(retention('log.retention.hours=1'), [
    '3600000',
    4,
    '4:log.retention.hours=1 5:log.retention.hours=168',
  ])
  assert.equal(retention('log.retention.hours=1\nlog.retention.minutes=3')![0], '180000')
  assert.equal(retention('log.retention.hours=1\nlog.retention.ms=3')![0], '3')
  assert.equal(retention('log.retention.hours=-1')![0], '-1')
  assert.deepEqual(retention('log.retention.ms=3', { 'retention.ms': '9' }), [
    '9',
    1,
    '1:retention.ms=9 4:log.retention.ms=3 5:log.retention.hours=168',
  ])
})

test('what was changed at run time beats what the broker was started with', () => {
  const config = broker('log.retention.ms=3\nnum.partitions=3')
  config.update(map({ 'log.retention.ms': '5', 'message.max.bytes': '77' }), map({ 'log.retention.ms': '6' }))
  assert.equal(config.get('log.retention.ms'), 6)
  assert.equal(config.get('message.max.bytes'), 77)
  assert.deepEqual(short(describeTopic(map({}), config, ['retention.ms', 'max.message.bytes'])), [
    ['6', 2, '2:log.retention.ms=6 3:log.retention.ms=5 4:log.retention.ms=3 5:log.retention.hours=168'],
    ['77', 3, '3:message.max.bytes=77 5:message.max.bytes=1048588'],
  ])
  assert.deepEqual(short(describeClusterWide(config)), [
    ['5', 3, '3:log.retention.ms=5'],
    ['77', 3, '3:message.max.bytes=77'],
  ])
  config.update(map({}), map({}))
  assert.equal(config.get('log.retention.ms'), 3)
})

test('a change at run time in ms beats hours from the start', () => {
  const config = broker('log.roll.ms=7')
  assert.equal(config.inForce('log.roll.hours'), 'log.roll.ms')
  config.update(map({ 'num.partitions': '9', 'log.segment.bytes': 'nonsense', unknown: '1' }), map({}))
  assert.equal(config.get('num.partitions'), 1, 'not a setting that changes at run time')
  assert.equal(config.get('log.segment.bytes'), 1_073_741_824, 'what cannot be read is passed over')
})

test('all of a topic: every documented setting, none sensitive or read-only', () => {
  const entries = describeTopic(map({}), broker())
  assert.equal(entries.length, 38)
  assert.ok(entries.every(entry => !entry.isSensitive && !entry.readOnly && entry.documentation !== ''))
  assert.ok(!entries.some(entry => entry.name === 'internal.segment.bytes'))
  assert.deepEqual(
    describeTopic(map({ 'internal.segment.bytes': '99' }), broker(), ['internal.segment.bytes', 'x']).length,
    1,
  )
})

test('a broker: source, read-only, passwords hidden', () => {
  const config = broker('ssl.key.password=hunter2\nnum.partitions=3\nlog.retention.hours=2')
  const [password, partitions, hours, ms] = describeBroker(config, [
    'ssl.key.password',
    'num.partitions',
    'log.retention.hours',
    'log.retention.ms',
  ])
  assert.deepEqual(
    { value: password!.value, isSensitive: password!.isSensitive, synonyms: password!.synonyms },
    { value: null, isSensitive: true, synonyms: [{ name: 'ssl.key.password', value: null, source: 4 }] },
  )
  assert.deepEqual([partitions!.value, partitions!.readOnly, partitions!.configSource], ['3', true, 4])
  assert.deepEqual([hours!.value, hours!.readOnly, hours!.configSource], ['2', true, 4])
  assert.deepEqual([ms!.value, ms!.readOnly, ms!.configSource], [null, false, ConfigSource.DEFAULT_CONFIG])
  assert.ok(!JSON.stringify(describeBroker(config)).includes('hunter2'))
})

test('groups and client metrics', () => {
  assert.deepEqual(short(describeGroup(map({}), broker(), ['consumer.session.timeout.ms'])), [
    ['45000', 5, '5:group.consumer.session.timeout.ms=45000'],
  ])
  assert.deepEqual(
    short(describeGroup(map({ 'share.isolation.level': 'read_committed' }), broker(), ['share.isolation.level'])),
    [['read_committed', 8, '8:share.isolation.level=read_committed']],
  )
  assert.deepEqual(short(describeClientMetrics(map({ 'interval.ms': '100' }), ['interval.ms'])), [
    ['100', 7, '7:interval.ms=100 5:interval.ms=300000'],
  ])
})

test('what a log is made of', () => {
  const of = (own: Record<string, string>, text = '') => Object.fromEntries(resolveTopicConfigs(map(own), broker(text)))
  assert.equal(of({})['retention.ms'], '604800000')
  assert.equal(of({}, 'log.roll.hours=1')['segment.ms'], '3600000')
  assert.equal(of({ 'internal.segment.bytes': '500' })['segment.bytes'], '500')
  assert.equal(of({}).flush, 'ack')
  assert.equal(of({}, 'flush=os').flush, 'os')
  assert.equal(of({}, 'flush=os\nlog.flush.interval.messages=1').flush, 'ack')
  assert.equal(of({ 'flush.messages': '1' }, 'flush=os').flush, 'ack')
  assert.equal(of({ 'flush.messages': '1000' }).flush, 'os')
  assert.equal(of({ 'flush.ms': '1000' }).flush, 'os')
})
