import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorName } from '../../src/protocol/errors.ts'
import { DescribeProducers } from '../../src/protocol/messages/describe-producers.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { batch, fetch, open, produce, produceRequest, scratch, start, topic } from './kit.ts'
import type { Wire } from './wire.ts'

async function newProducer(wire: Wire): Promise<number> {
  const answer = await wire.ask(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 0 })
  assert.equal(errorName(answer.errorCode), 'NONE')
  return answer.producerId
}

const numbered = (producerId: number, baseSequence: number, values: string[], producerEpoch = 0) =>
  batch(values, { producerId, producerEpoch, baseSequence })

async function outcome(wire: Wire, name: string, records: Uint8Array): Promise<[string, number]> {
  const { error, baseOffset } = await produce(wire, name, records)
  return [error, baseOffset]
}

test('a batch that comes twice is appended once, a gap is refused; also after a restart', async () => {
  const data = scratch()
  let broker = await start({ data })
  let wire = await open(broker)
  const { name } = await topic(wire)
  const id = await newProducer(wire)
  assert.deepEqual(await outcome(wire, name, numbered(id, 0, ['a', 'b'])), ['NONE', 0])
  assert.deepEqual(await outcome(wire, name, numbered(id, 2, ['c'])), ['NONE', 2])
  const again = async () => {
    assert.deepEqual(await outcome(wire, name, numbered(id, 0, ['a', 'b'])), ['NONE', 0])
    assert.deepEqual(await outcome(wire, name, numbered(id, 2, ['c'])), ['NONE', 2])
    assert.deepEqual(await outcome(wire, name, numbered(id, 4, ['gap'])), ['OUT_OF_ORDER_SEQUENCE_NUMBER', -1])
    assert.deepEqual(await outcome(wire, name, numbered(id, 1, ['b', 'c'])), ['OUT_OF_ORDER_SEQUENCE_NUMBER', -1])
  }
  await again()
  await broker.stop()
  broker = await start({ data })
  wire = await open(broker)
  await again()
  assert.deepEqual(await outcome(wire, name, numbered(id, 3, ['d'])), ['NONE', 3])
  assert.deepEqual((await fetch(wire, [{ topic: name }])).partitions[0]!.values, ['a', 'b', 'c', 'd'])
  // Nobody gets an id that somebody has.
  assert.notEqual(await newProducer(wire), id)
  await broker.stop()
})

test('five batches in flight at once, twice: each is there once, in order', async () => {
  const wire = await open(await start())
  const { name } = await topic(wire)
  const id = await newProducer(wire)
  const send = () =>
    Promise.all([0, 1, 2, 3, 4].map(sequence => outcome(wire, name, numbered(id, sequence, [`${sequence}`]))))
  const first = await send()
  assert.deepEqual(
    first,
    [0, 1, 2, 3, 4].map(offset => ['NONE', offset]),
  )
  assert.deepEqual(await send(), first)
  assert.deepEqual((await fetch(wire, [{ topic: name }])).partitions[0]!.values, ['0', '1', '2', '3', '4'])
})

test('a new epoch begins at 0 and shuts the old one out', async () => {
  const wire = await open(await start())
  const { name } = await topic(wire)
  const id = await newProducer(wire)
  assert.deepEqual(await outcome(wire, name, numbered(id, 0, ['a'])), ['NONE', 0])
  assert.deepEqual(await outcome(wire, name, numbered(id, 0, ['b'], 1)), ['NONE', 1])
  assert.deepEqual(await outcome(wire, name, numbered(id, 1, ['c'], 0)), ['INVALID_PRODUCER_EPOCH', -1])
  const answer = await wire.ask(DescribeProducers, 0, { topics: [{ name, partitionIndexes: [0, 7] }] })
  const [known, unknown] = answer.topics[0]!.partitions
  assert.deepEqual(
    known!.activeProducers.map(({ producerId, producerEpoch, lastSequence }) => [
      producerId,
      producerEpoch,
      lastSequence,
    ]),
    [[id, 1, 0]],
  )
  assert.equal(errorName(unknown!.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('ids are given out once, also to many who ask at the same time', async () => {
  const broker = await start()
  const wires = await Promise.all(Array.from({ length: 10 }, () => open(broker)))
  const ids = await Promise.all(wires.flatMap(wire => Array.from({ length: 20 }, () => newProducer(wire))))
  assert.equal(new Set(ids).size, 200)
})

test('transactions are not there yet, and that is said for good: no client tries for ever', async () => {
  const wire = await open(await start())
  const { name } = await topic(wire)
  const fatal = 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
  for (const version of [0, 2, 4, 5]) {
    const answer = await wire.ask(InitProducerId, version, { transactionalId: 't', transactionTimeoutMs: 1000 })
    assert.equal(errorName(answer.errorCode), fatal)
  }
  const old = await wire.ask(FindCoordinator, 3, { key: 't', keyType: 1 })
  assert.equal(errorName(old.errorCode), fatal)
  const many = await wire.ask(FindCoordinator, 6, { keyType: 1, coordinatorKeys: ['t', 'u'] })
  assert.deepEqual(
    many.coordinators.map(({ key, errorCode }) => [key, errorName(errorCode)]),
    [
      ['t', fatal],
      ['u', fatal],
    ],
  )
  const request = produceRequest(
    name,
    batch(['x'], { producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true }),
  )
  const { responses } = await wire.ask(Produce, 9, { ...request, transactionalId: 't' })
  assert.equal(errorName(responses[0]!.partitionResponses[0]!.errorCode), fatal)
  assert.equal((await fetch(wire, [{ topic: name }])).partitions[0]!.highWatermark, 0)
})
