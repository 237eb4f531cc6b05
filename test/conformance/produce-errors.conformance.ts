// The same odd produce requests to Apache Kafka and to us, byte by byte: the same errors, offsets and timestamps come back.
//   OTTLA_BOOTSTRAP=host:port and OTTLA_PEER=host:port use brokers that run already; otherwise both are started here.
import assert from 'node:assert/strict'
import test from 'node:test'
import { errorName } from '../../src/protocol/errors.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { type Broker, running, startKafka, startOurs } from './brokers.ts'
import { missing } from './kafka-jars.ts'
import { produceCases, type Send, type TopicCases } from './produce-cases.ts'
import { RawClient } from './raw-client.ts'

/** Where we answer differently on purpose: ours, then Kafka's, and why. */
const deliberate = new Map<string, [ours: string, kafkas: string, why: string]>([
  ['framing 12: a length above all', ['INVALID_RECORD', 'UNKNOWN_SERVER_ERROR', 'it is cut off like the others']],
  ['framing 21: codec 5', ['UNSUPPORTED_COMPRESSION_TYPE', 'UNKNOWN_SERVER_ERROR', 'the exact code exists']],
  ['framing 22: codec 7', ['UNSUPPORTED_COMPRESSION_TYPE', 'UNKNOWN_SERVER_ERROR', 'the exact code exists']],
  ['numbers 13: no producer epoch', ['INVALID_RECORD', 'at 3', 'no such producer was ever given out']],
  ['numbers 15: damaged gzip with a good CRC', ['at 6', 'UNKNOWN_SERVER_ERROR', 'records stay unread']],
  ['numbers 14: a sequence without a producer', ['at 3', 'at 6', 'follows from the one before']],
  ['times 7: the end of time', ['INVALID_TIMESTAMP', 'at 4', 'we do not correct headers']],
  ['times 9: LogAppendTime by the producer', ['at 4', 'at 7', 'follows from the one before']],
  ['defaults 5: a max timestamp too high', ['INVALID_TIMESTAMP', 'at 6', 'we do not correct headers']],
])

const peerPort = 29592
const ourPort = 29596

/** One line for each request: what it was, and what came back. */
async function answers(broker: Broker, cases: readonly TopicCases[], suffix: string): Promise<Map<string, string>> {
  const lines = new Map<string, string>()
  for (const { topic, config, sends } of cases) {
    await create(broker, `${topic}-${suffix}`, config)
    for (const [index, send] of sends.entries())
      lines.set(`${topic} ${index}: ${send.what}`, await produce(broker, `${topic}-${suffix}`, send))
  }
  return lines
}

async function create(broker: Broker, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const client = new RawClient(broker.host, broker.port)
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }]
  const answer = await client.send(CreateTopics, 5, { topics })
  client.close()
  assert.equal(errorName(answer?.topics[0]?.errorCode ?? -1), 'NONE', answer?.topics[0]?.errorMessage ?? name)
}

async function produce(broker: Broker, name: string, { bytes, version = 9, acks = -1 }: Send): Promise<string> {
  for (;;) {
    // A connection for each: some brokers close it.
    const client = new RawClient(broker.host, broker.port)
    const topicData = [{ name, partitionData: [{ index: 0, records: Buffer.from(bytes) }] }]
    const answer = await client.send(Produce, version, { acks, timeoutMs: 10_000, topicData })
    client.close()
    const partition = answer?.responses[0]?.partitionResponses[0]
    if (partition === undefined) return 'closed'
    const error = errorName(partition.errorCode)
    if (error === 'NOT_LEADER_OR_FOLLOWER' || error === 'UNKNOWN_TOPIC_OR_PARTITION') {
      await new Promise(resolve => setTimeout(resolve, 50))
      continue
    }
    // For duplicates Kafka gives the timestamp of the batch as append time, whatever the topic's type.
    const appendTime = name.startsWith('append-time') && partition.logAppendTimeMs >= 0 ? ', append time' : ''
    return error === 'NONE' ? `at ${partition.baseOffset}${appendTime}` : error
  }
}

const { OTTLA_BOOTSTRAP, OTTLA_PEER } = process.env
const skip = OTTLA_PEER === undefined ? (missing() ?? false) : false

test("odd produce requests get Kafka's answers", { skip, timeout: 180_000 }, async () => {
  const peer = OTTLA_PEER === undefined ? startKafka(peerPort) : running(OTTLA_PEER)
  const ours = OTTLA_BOOTSTRAP === undefined ? await startOurs(ourPort) : running(OTTLA_BOOTSTRAP)
  try {
    const now = Date.now()
    const cases = produceCases(now)
    const expected = await answers(peer, cases, String(now))
    for (const [what, [, kafkas]] of deliberate) assert.equal(expected.get(what), kafkas, `Kafka has changed: ${what}`)
    for (const [what, [ours]] of deliberate) expected.set(what, ours)
    assert.deepEqual(Object.fromEntries(await answers(ours, cases, String(now))), Object.fromEntries(expected))
  } finally {
    peer.stop()
    ours.stop()
  }
})
