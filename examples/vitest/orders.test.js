import { Kafka, logLevel } from 'kafkajs'
import { startBroker } from 'ottla'
import { afterAll, beforeAll, expect, test } from 'vitest'

let broker
let kafka

beforeAll(async () => {
  broker = await startBroker()
  kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
})

afterAll(() => broker.stop())

test('an order that is placed is seen by the warehouse', async () => {
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ key: '42', value: 'one chair' }] })
  await producer.disconnect()

  const consumer = kafka.consumer({ groupId: 'warehouse' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const order = await new Promise((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(message) }).catch(reject)
  })
  await consumer.disconnect()

  expect(order.key.toString()).toBe('42')
  expect(order.value.toString()).toBe('one chair')
})
