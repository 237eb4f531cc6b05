// Streams of events on a cluster: any node serves any topic, leaders come and go, groups span nodes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { GroupAdmin } from '../../src/client/group-admin.ts'
import { Producer } from '../../src/client/producer.ts'
import { type ClusterNode, type RunningCluster, startCluster } from '../../src/index.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Subscriber } from './event-source.ts'
import { ask, sleep } from './kit.ts'

let nodes: RunningCluster
let kafka: Cluster
let producer: Producer

before(async () => {
  nodes = await startCluster({ config: { 'broker.session.timeout.ms': 3000 } })
  kafka = new Cluster(nodeWorld, { bootstrap: nodes.nodes, retryBackoffMs: 20 })
  producer = new Producer(kafka)
})

after(async () => {
  await producer.close()
  kafka.close()
  await nodes.stop()
})

async function newTopic(name: string, partitions: number): Promise<string> {
  await new Admin(kafka).createTopics([{ name, partitions, replicationFactor: 3 }])
  return name
}

const subscribe = (node: ClusterNode, topic: string, query = '', lastEventId: string | null = null) =>
  Subscriber.open(`http://127.0.0.1:${node.port}/topics/${topic}/events${query}`, lastEventId)

const offsets = (subscribers: readonly Subscriber[]) =>
  subscribers
    .flatMap(({ records }) => records.map(({ partition, offset }) => `${partition}-${offset}`))
    .sort((a, b) => (a < b ? -1 : 1))

/** What partitions hold that were written in turn. */
const written = (count: number, partitions: number) =>
  Array.from({ length: count }, (_, i) => `${i % partitions}-${Math.floor(i / partitions)}`).sort((a, b) =>
    a < b ? -1 : 1,
  )

test('streams outlive the leaders of their partitions, and go on at another node when theirs stops', async () => {
  const topic = await newTopic('moving', 3)
  const [first, second, third] = nodes.nodes as [ClusterNode, ClusterNode, ClusterNode]
  const staying = await subscribe(first, topic)
  const leaving = await subscribe(second, topic)
  let sent = 0
  let stop = false
  const sending = (async () => {
    for (; !stop; sent++) await producer.send({ topic, partition: sent % 3, value: Buffer.from(String(sent)) })
  })()
  await staying.got(30)
  await second.stop()
  await leaving.until(() => leaving.ended)
  const resumed = await subscribe(third, topic, '', leaving.lastEventId)
  const before = sent
  await staying.until(() => sent > before + 30, 20_000)
  stop = true
  await sending
  await staying.got(sent, 20_000)
  await resumed.got(sent - leaving.records.length, 20_000)
  assert.deepEqual(offsets([staying]), written(sent, 3))
  assert.deepEqual(offsets([leaving, resumed]), written(sent, 3))
  for (const subscriber of [staying, resumed]) subscriber.close()
  await second.start()
})

test('a group shares a topic over nodes; any of them takes an acknowledgement', async () => {
  const topic = await newTopic('shared', 4)
  for (let i = 0; i < 40; i++) await producer.send({ topic, partition: i % 4, value: Buffer.from(String(i)) })
  const [first, second, third] = nodes.nodes as [ClusterNode, ClusterNode, ClusterNode]
  const members = [await subscribe(first, topic, '?group=g'), await subscribe(third, topic, '?group=g')]
  const last = (member: Subscriber) =>
    JSON.parse(member.notices.at(-1)?.slice('assigned '.length) ?? '{"partitions":[]}')
  const both = () => members.every(member => last(member).partitions.length === 2)
  await members[0]!.until(both, 15_000)
  const since = (member: Subscriber) =>
    member.events.slice(member.events.findLastIndex(({ type }) => type === 'assigned'))
  await members[0]!.until(() => members.every(member => since(member).length === 21), 15_000)
  for (const member of members) {
    const url = `http://127.0.0.1:${second.port}/topics/${topic}/events/ack?group=g`
    const { status, text } = await ask(url, { body: { id: member.lastEventId } })
    assert.equal(status, 200, text)
  }
  const committed = await new GroupAdmin(kafka).offsets('g')
  assert.deepEqual(
    committed.map(({ offset }) => offset),
    [10, 10, 10, 10],
  )
  for (const member of members) member.close()
  await sleep(50)
})

test('a partition without a leader holds up those who want it, and nobody else', async () => {
  const [first, , third] = nodes.nodes as [ClusterNode, ClusterNode, ClusterNode]
  const well = await newTopic('well', 1)
  await new Admin(kafka).createTopics([{ name: 'lost', assignments: [[third.id]] }])
  const count = 50
  for (let i = 0; i < count; i++) {
    await producer.send({ topic: 'lost', value: Buffer.from(String(i)) })
    await producer.send({ topic: well, value: Buffer.from(String(i)) })
  }
  const all = await subscribe(first, 'lost', '?from=earliest')
  await all.got(count)
  await third.stop()
  const waiting = await Promise.all(
    all.events.slice(0, -1).map(({ lastEventId }) => subscribe(first, 'lost', '', lastEventId)),
  )
  await sleep(500)
  const served = await subscribe(first, well, '?from=earliest')
  await served.got(count)
  await third.start()
  // It has forgotten everything: that is a gap for all of them.
  for (const subscriber of waiting)
    await subscriber.until(() => subscriber.notices.some(text => text.startsWith('gap')), 20_000)
  for (const subscriber of [all, served, ...waiting]) {
    assert.equal(subscriber.ended, false)
    subscriber.close()
  }
})
