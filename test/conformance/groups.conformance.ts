// The same conversations of group members with Apache Kafka and with us: the same answers to the same people.
//   OTTLA_BOOTSTRAP=host:port and OTTLA_PEER=host:port use brokers that run already (with the settings below, which keep
//   the waiting short); otherwise both are started here.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Conversation } from '../../src/groups/conversation.test.kit.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { type Broker, running, startKafka, startOurs } from './brokers.ts'
import { conversations } from './group-conversations.ts'
import { missing } from './kafka-jars.ts'
import { RawClient } from './raw-client.ts'
import { RemoteListener } from './remote-listener.ts'

const settings = {
  'group.min.session.timeout.ms': 500,
  'group.initial.rebalance.delay.ms': 0,
  'group.max.size': 4,
  'offsets.topic.num.partitions': 1,
}
const peerPort = 29692
const ourPort = 29696

/** Topics t and u, once the broker answers. */
async function createTopics({ host, port }: Broker): Promise<void> {
  const topics = ['t', 'u', 'v'].map(name => ({
    name,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  }))
  for (let tries = 0; tries < 200; tries++) {
    const client = new RawClient(host, port)
    const answer = await client.send(CreateTopics, 5, { topics, timeoutMs: 10_000 })
    client.close()
    if (answer !== null) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.fail(`nobody answers on port ${port}`)
}

/** All at once: they only wait. */
async function transcripts(broker: Broker): Promise<Record<string, string[]>> {
  await createTopics(broker)
  const warmUp = new RemoteListener(broker.host, broker.port, 'warm-up')
  await warmUp.ready()
  warmUp.close()
  const told = Object.entries(conversations).map(async ([name, script], i): Promise<[string, string[]]> => {
    const listener = new RemoteListener(broker.host, broker.port, `${Date.now()}-${i}`)
    const transcript = await new Conversation(listener).runSlowly(script, () => listener.settle())
    listener.close()
    return [name, transcript]
  })
  return Object.fromEntries(await Promise.all(told))
}

const { OTTLA_BOOTSTRAP, OTTLA_PEER } = process.env
const skip = OTTLA_PEER === undefined ? (missing() ?? false) : false

test("groups hear Kafka's answers", { skip, timeout: 240_000 }, async () => {
  const peer = OTTLA_PEER === undefined ? startKafka(peerPort, settings) : running(OTTLA_PEER)
  const ours = OTTLA_BOOTSTRAP === undefined ? await startOurs(ourPort, settings) : running(OTTLA_BOOTSTRAP)
  try {
    const expected = await transcripts(peer)
    assert.deepEqual(await transcripts(ours), expected)
  } finally {
    peer.stop()
    ours.stop()
  }
})
