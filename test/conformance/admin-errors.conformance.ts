// The same requests of administration, sensible and odd, to Apache Kafka and to us, in the same order: the same errors and
// messages come back.
import assert from 'node:assert/strict'
import test from 'node:test'
import { startBroker } from '../../src/index.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { AlterConfigs } from '../../src/protocol/messages/alter-configs.ts'
import { CreatePartitions } from '../../src/protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { ZERO_UUID } from '../../src/protocol/uuid.ts'
import { startKafka } from './brokers.ts'
import { missing } from './kafka-jars.ts'
import { RawClient } from './raw-client.ts'

const skip = missing() ?? false
const peerPort = Number(process.env.OTTLA_PEER_PORT ?? 29798)

/** Where we answer differently on purpose, and why. */
const deliberate = new Map<string, string>([
  ['alter by a strange operation', 'INVALID_REQUEST, not UNKNOWN_SERVER_ERROR: the exact code exists'],
  [
    'alter of another broker',
    "BROKER_ID_NOT_REGISTERED, the controller's answer, not that of the broker that was asked",
  ],
  ['alter of a broker that stands', 'the same code, other words'],
  ['alter of one broker for all', 'listeners never change at run time'],
])

type NewTopic = Parameters<typeof CreateTopics.request.toBytes>[1]['topics'][number]
type Line = { readonly errorCode: number; readonly errorMessage: string | null }

const topic = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})
const assigned = (name: string, ...assignments: [number, number[]][]): NewTopic =>
  topic(name, {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: assignments.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
  })
const configured = (name: string, ...configs: [string, string | null][]): NewTopic =>
  topic(name, { configs: configs.map(([name, value]) => ({ name, value })) })

async function conversation(client: RawClient): Promise<string[]> {
  const lines: string[] = []
  const note = (what: string, results: readonly (Line & { readonly what: string })[]) => {
    const sorted = results.map(
      ({ what, errorCode, errorMessage }) => `${what}: ${errorName(errorCode)}, ${errorMessage}`,
    )
    for (const line of sorted.sort()) lines.push(`${what} | ${line}`)
    if (results.length === 0) lines.push(`${what} | nothing`)
  }
  const ids = new Map<string, string>()
  const create = async (what: string, topics: NewTopic[], validateOnly = false, version = 7) => {
    const answer = await client.send(CreateTopics, version, { topics, timeoutMs: 5000, validateOnly })
    for (const { name, topicId, errorCode } of answer!.topics) if (errorCode === 0) ids.set(name, topicId)
    note(
      `create ${what}`,
      answer!.topics.map(result => ({
        ...result,
        what: `${result.name.slice(0, 30)} ${result.numPartitions}x${result.replicationFactor} ${result.configs === null ? 'no configs' : 'configs'}`,
      })),
    )
  }
  const remove = async (what: string, topics: { name: string | null; topicId: string }[]) => {
    const answer = await client.send(DeleteTopics, 6, { topics, timeoutMs: 5000 })
    note(
      `delete ${what}`,
      answer!.responses.map(result => ({ ...result, what: String(result.name) })),
    )
  }
  const grow = async (
    what: string,
    topics: { name: string; count: number; assignments: { brokerIds: number[] }[] | null }[],
  ) => {
    const answer = await client.send(CreatePartitions, 3, { topics, timeoutMs: 5000, validateOnly: false })
    note(
      `grow ${what}`,
      answer!.results.map(result => ({ ...result, what: result.name })),
    )
  }
  const alter = async (
    what: string,
    resourceType: number,
    resourceName: string,
    ...configs: [string, number, string | null][]
  ) => {
    const resource = {
      resourceType,
      resourceName,
      configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
    }
    const answer = await client.send(IncrementalAlterConfigs, 1, { resources: [resource], validateOnly: false })
    note(
      `alter ${what}`,
      answer!.responses.map(result => ({ ...result, what: `${result.resourceType} ${result.resourceName}` })),
    )
  }
  const replace = async (
    what: string,
    resourceType: number,
    resourceName: string,
    ...configs: [string, string | null][]
  ) => {
    const resource = { resourceType, resourceName, configs: configs.map(([name, value]) => ({ name, value })) }
    const answer = await client.send(AlterConfigs, 2, { resources: [resource], validateOnly: false })
    note(
      `replace ${what}`,
      answer!.responses.map(result => ({ ...result, what: `${result.resourceType} ${result.resourceName}` })),
    )
  }
  const id = (name: string) => ids.get(name) ?? ZERO_UUID

  await create('one', [topic('one')])
  await create('it again', [topic('one')])
  await create('by default', [topic('default', { numPartitions: -1, replicationFactor: -1 })])
  await create('only to validate', [topic('validated', { numPartitions: 4 })], true)
  for (const name of [
    '',
    '.',
    '..',
    'a b',
    'ä',
    'a/b',
    'x'.repeat(249),
    'x'.repeat(250),
    '__cluster_metadata',
    '-',
    '_',
  ]) {
    await create(`the name ${name.slice(0, 20)}`, [topic(name)])
  }
  await create('a.b', [topic('a.b')])
  await create('a_b', [topic('a_b')])
  await create('colliding ones', [topic('c.d'), topic('c_d')])
  await create('twice the same', [topic('twice'), topic('twice'), topic('other')])
  for (const numPartitions of [0, -2, 10_001])
    await create(`${numPartitions} partitions`, [topic('p', { numPartitions })])
  for (const replicationFactor of [0, -2, 2, 3000])
    await create(`factor ${replicationFactor}`, [topic('f', { replicationFactor })])
  await create('assigned', [assigned('assigned', [0, [1]], [1, [1]])])
  await create('assigned with a gap', [assigned('g', [0, [1]], [2, [1]])])
  await create('assigned from 1', [assigned('g', [1, [1]])])
  await create('assigned twice', [assigned('g', [0, [1]], [0, [1]])])
  await create('assigned to a stranger', [assigned('g', [0, [7]])])
  await create('assigned to the same', [assigned('g', [0, [1, 1]])])
  await create('assigned to nobody', [assigned('g', [0, []])])
  await create('assigned, with a count', [{ ...assigned('g', [0, [1]]), numPartitions: 1 }])
  await create('assigned, with a factor', [{ ...assigned('g', [0, [1]]), replicationFactor: 1 }])
  await create('configured', [configured('configured', ['retention.ms', '1000'], ['cleanup.policy', 'compact,delete'])])
  await create('with an unknown setting', [configured('u', ['nonsense', '1'])])
  await create('with a null', [configured('u', ['retention.ms', null])])
  await create('with a wrong value', [configured('u', ['retention.ms', 'x'])])
  await create('with a value too small', [configured('u', ['retention.ms', '-2'])])
  await create('with a wrong word', [configured('u', ['cleanup.policy', 'keep'])])
  await create('with a setting twice', [configured('u2', ['retention.ms', '1'], ['retention.ms', '2'])])
  await create('nothing', [])

  await grow('one', [{ name: 'one', count: 3, assignments: null }])
  await grow('to the same', [{ name: 'one', count: 3, assignments: null }])
  await grow('to less', [{ name: 'one', count: 1, assignments: null }])
  await grow('to zero', [{ name: 'one', count: 0, assignments: null }])
  await grow('to a negative count', [{ name: 'one', count: -1, assignments: null }])
  await grow('a stranger', [{ name: 'nobody', count: 3, assignments: null }])
  await grow('twice', [
    { name: 'one', count: 4, assignments: null },
    { name: 'one', count: 5, assignments: null },
  ])
  await grow('assigned', [{ name: 'one', count: 4, assignments: [{ brokerIds: [1] }] }])
  await grow('assigned too few', [{ name: 'one', count: 6, assignments: [{ brokerIds: [1] }] }])
  await grow('assigned to a stranger', [{ name: 'one', count: 5, assignments: [{ brokerIds: [9] }] }])
  await grow('assigned to two', [{ name: 'one', count: 5, assignments: [{ brokerIds: [1, 2] }] }])
  await grow('assigned to nobody', [{ name: 'one', count: 5, assignments: [{ brokerIds: [] }] }])

  await alter('a setting', 2, 'one', ['retention.ms', 0, '5000'])
  await alter('a list', 2, 'one', ['cleanup.policy', 2, 'compact'])
  await alter('a list back', 2, 'one', ['cleanup.policy', 3, 'compact'])
  await alter('away', 2, 'one', ['retention.ms', 1, null])
  await alter('away what is not there', 2, 'one', ['segment.ms', 1, null])
  await alter('away what does not exist', 2, 'one', ['nonsense', 1, null])
  await alter('what does not exist', 2, 'one', ['nonsense', 0, '1'])
  await alter('to null', 2, 'one', ['retention.ms', 0, null])
  await alter('to nonsense', 2, 'one', ['retention.ms', 0, 'x'])
  await alter('by appending to a number', 2, 'one', ['retention.ms', 2, '1'])
  await alter('by subtracting from a number', 2, 'one', ['retention.ms', 3, '1'])
  await alter('by a strange operation', 2, 'one', ['retention.ms', 9, '1'])
  await alter('twice', 2, 'one', ['retention.ms', 0, '1'], ['retention.ms', 0, '2'])
  await alter('of a stranger', 2, 'nobody', ['retention.ms', 0, '1'])
  await alter('of an impossible topic', 2, 'a b', ['retention.ms', 0, '1'])
  await alter('of all brokers', 4, '', ['log.retention.ms', 0, '5000'])
  await alter('of a broker', 4, '1', ['log.cleaner.threads', 0, '2'])
  await alter('of another broker', 4, '7', ['log.cleaner.threads', 0, '2'])
  await alter('of a broker without number', 4, 'x', ['log.cleaner.threads', 0, '2'])
  await alter('of a broker that stands', 4, '', ['log.dirs', 0, '/tmp'])
  await alter('of one broker for all', 4, '', ['listeners', 0, 'PLAINTEXT://localhost:1'])
  await alter('of a group', 32, 'group', ['consumer.session.timeout.ms', 0, '50000'])
  await alter('of no group', 32, '', ['consumer.session.timeout.ms', 0, '50000'])
  await alter('of a metrics subscription', 16, 'sub', ['interval.ms', 0, '10000'])
  await alter('of no metrics subscription', 16, '', ['interval.ms', 0, '10000'])
  await alter('of something unknown', 99, 'x', ['a', 0, 'b'])
  await replace('all', 2, 'one', ['segment.ms', '600000'])
  await replace('by null', 2, 'one', ['segment.ms', null])
  await replace('twice', 2, 'one', ['segment.ms', '600000'], ['segment.ms', '600001'])
  await replace('nonsense', 2, 'one', ['nonsense', '1'])
  await replace('of a stranger', 2, 'nobody', ['segment.ms', '600000'])

  await remove('by name', [{ name: 'default', topicId: ZERO_UUID }])
  await remove('by id', [{ name: null, topicId: id('configured') }])
  await remove('a stranger', [{ name: 'nobody', topicId: ZERO_UUID }])
  await remove('a strange id', [{ name: null, topicId: 'BBBBBBBBBBBBBBBBBBBBBA' }])
  await remove('nothing', [{ name: null, topicId: ZERO_UUID }])
  await remove('both ways', [{ name: 'one', topicId: id('one') }])
  await remove('twice', [
    { name: 'one', topicId: ZERO_UUID },
    { name: 'one', topicId: ZERO_UUID },
  ])
  await remove('twice by id', [
    { name: null, topicId: id('one') },
    { name: null, topicId: id('one') },
  ])
  await remove('by name and by id', [
    { name: 'one', topicId: ZERO_UUID },
    { name: null, topicId: id('one') },
  ])
  await remove('an empty name', [{ name: '', topicId: ZERO_UUID }])
  await remove('none', [])
  return lines
}

async function converse(host: string, port: number): Promise<string[]> {
  const client = new RawClient(host, port)
  try {
    return await conversation(client)
  } finally {
    client.close()
  }
}

async function converseWithUs(): Promise<string[]> {
  const broker = await startBroker()
  // A broker that stops in an otherwise idle process does not keep it alive.
  const alive = setInterval(() => {}, 1000)
  try {
    return await converse(broker.host, broker.port)
  } finally {
    await broker.stop()
    clearInterval(alive)
  }
}

test('administration is answered as Kafka does', { skip, timeout: 120_000 }, async () => {
  const ours = await converseWithUs()
  const kafka = startKafka(peerPort)
  let kafkas: string[]
  try {
    kafkas = await converse(kafka.host, kafka.port)
  } finally {
    kafka.stop()
  }
  const differences = new Map<string, string>()
  for (let at = 0; at < Math.max(ours.length, kafkas.length); at++) {
    if (ours[at] === kafkas[at]) continue
    const what = (ours[at] ?? kafkas[at]!).split(' | ')[0]!
    if (!deliberate.has(what)) differences.set(what, `\n    ours:   ${ours[at]}\n    Kafka's: ${kafkas[at]}`)
  }
  assert.equal(differences.size, 0, [...differences].map(([what, how]) => `\n  ${what}:${how}`).join(''))
})
