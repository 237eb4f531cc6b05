// kafkajs as an agent of the client matrix (see ../README.md for the verbs).
import { appendFileSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compress as zstdCompress, decompress as zstdDecompress, init as zstdInit } from '@bokuweb/zstd-wasm'
import kafkajs from 'kafkajs'
import SnappyCodec from 'kafkajs-snappy'
import lz4 from 'lz4-napi'
import { emit, got, numbers, padded, serve, sleep, text } from './agent.js'

const { Kafka, CompressionCodecs, CompressionTypes, logLevel } = kafkajs
const require = createRequire(import.meta.url)
const { version } = JSON.parse(readFileSync(require.resolve('kafkajs/package.json'), 'utf8'))

await zstdInit()
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: encoder => lz4.compressFrame(encoder.buffer),
  decompress: buffer => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => Buffer.from(zstdCompress(encoder.buffer)),
  decompress: async buffer => Buffer.from(zstdDecompress(buffer, { defaultHeapSize: 8 << 20 })),
})
const codec = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}

let inVain = 0

/**
 * Its log, which goes to the file AGENT_DEBUG. A consumer that is stopped in the moment in which it goes round its nodes anew
 * goes round them for ever, and nothing else in the process gets a turn (fetchManager's `start` does not look whether it was
 * stopped meanwhile): an error from here is the one way in.
 */
function hear({ namespace, log }) {
  if (process.env.AGENT_DEBUG) appendFileSync(process.env.AGENT_DEBUG, `${JSON.stringify({ namespace, ...log })}\n`)
  if (log.message !== 'consumer not running, exiting') inVain = 0
  else if (++inVain % 1000 === 0) throw new Error('it was stopped')
}

const patience = { initialRetryTime: 50, maxRetryTime: 500 }
const settings = {
  clientId: 'matrix-kafkajs',
  brokers: process.argv[2].split(','),
  logLevel: process.env.AGENT_DEBUG || process.env.AGENT_RESTARTS ? logLevel.DEBUG : logLevel.NOTHING,
  logCreator: () => hear,
  retry: { ...patience, retries: 20 },
}
const kafka = new Kafka(settings)

/**
 * One `send` for each partition where nodes are restarted: where one goes to several nodes and a leader moves to one that has
 * answered already, kafkajs does not send that partition's records again, and says that all is done (tulios/kafkajs#1303).
 */
async function sendAll(producer, retrying, options, messages) {
  if (!process.env.AGENT_RESTARTS) return producer.send({ ...options, messages })
  const parts = new Map()
  for (const each of messages) {
    const part = parts.get(each.partition)
    if (part === undefined) parts.set(each.partition, [each])
    else part.push(each)
  }
  for (const part of parts.values()) await retrying(() => producer.send({ ...options, messages: part }))
}

/** Metadata and producer ids are not asked for again when the node that was asked goes (`bail` in brokerPool and eosManager). */
const isAway = error => Boolean(process.env.AGENT_RESTARTS) && error.name === 'KafkaJSConnectionClosedError'

async function again(ask) {
  for (let i = 0; ; i++) {
    try {
      return await ask()
    } catch (error) {
      if (!isAway(error) || i === 30) throw error
      await sleep(200)
    }
  }
}

async function withProducer({ idempotent }, use) {
  const producer = kafka.producer({ idempotent: idempotent ?? false, maxInFlightRequests: idempotent ? 1 : 5 })
  await again(() => producer.connect())
  try {
    // Idempotent records that are handed over once more are new ones.
    return await use(producer, idempotent ? ask => ask() : again)
  } finally {
    await producer.disconnect()
  }
}

/** A coordinator that is going does not hear that we leave. */
async function leave(consumer) {
  try {
    await consumer.disconnect()
  } catch (error) {
    if (!isAway(error)) throw error
  }
}

const message = r => ({
  partition: r.partition,
  key: r.key ?? null,
  value: r.value,
  headers: Object.fromEntries(r.headers ?? []),
  ...(r.timestamp === undefined ? {} : { timestamp: String(r.timestamp) }),
})

const record = ({ partition, message: m }) => ({
  partition,
  offset: Number(m.offset),
  key: text(m.key),
  value: text(m.value),
  headers: Object.entries(m.headers ?? {}).map(([k, v]) => [k, text(v)]),
  timestamp: Number(m.timestamp),
})

function consumer({ group, sessionMs = 6000 }) {
  return kafka.consumer({
    groupId: group,
    sessionTimeout: sessionMs,
    heartbeatInterval: 300,
    rebalanceTimeout: 10_000,
    maxWaitTimeInMs: 300,
  })
}

let left = null
let stopped = null

serve(
  {
    client: 'kafkajs',
    version,
    compressions: Object.keys(codec),
    idempotent: true,
    // It keeps headers in an object.
    duplicateHeaders: false,
  },
  {
    async create({ topic, partitions }) {
      const admin = kafka.admin()
      await admin.connect()
      const topics = [{ topic, numPartitions: partitions }]
      if (!(await admin.createTopics({ topics, waitForLeaders: false }))) throw new Error('the topic exists')
      let found = []
      for (let i = 0; i < 100 && found.length !== partitions; i++) {
        if (i > 0) await sleep(50)
        const metadata = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => null)
        found = metadata?.topics[0].partitions ?? []
      }
      await admin.disconnect()
      return { partitions: found.length }
    },

    async delete({ topic }) {
      const admin = kafka.admin()
      await admin.connect()
      await admin.deleteTopics({ topics: [topic] })
      for (let i = 0; i < 100 && (await admin.listTopics()).includes(topic); i++) await sleep(50)
      const gone = !(await admin.listTopics()).includes(topic)
      await admin.disconnect()
      return { gone }
    },

    produce: ({ topic, records, compression = 'none', acks = -1, idempotent }) =>
      withProducer({ idempotent }, async producer => {
        const sent = await producer.send({
          topic,
          acks,
          compression: codec[compression],
          messages: records.map(message),
        })
        return { offsets: Object.fromEntries(sent.map(s => [s.partition, Number(s.baseOffset)])) }
      }),

    bulk: ({ topic, from = 0, count, partitions, size, compression = 'none', idempotent }) =>
      withProducer({ idempotent }, async (producer, retrying) => {
        for (let i = from; i < from + count; i += 3000) {
          const messages = Array.from({ length: Math.min(3000, from + count - i) }, (_, j) => ({
            partition: (i + j) % partitions,
            value: padded(i + j, size),
          }))
          await sendAll(producer, retrying, { topic, acks: -1, compression: codec[compression] }, messages)
        }
      }),

    async consume({ topic, group, count, slim, idleMs = 300, timeoutMs = 60_000 }) {
      const c = consumer({ group })
      const all = []
      let last = Date.now()
      await again(() => c.connect())
      await again(() => c.subscribe({ topic, fromBeginning: true }))
      await c.run({
        eachBatchAutoResolve: true,
        eachBatch: async ({ batch }) => {
          last = Date.now()
          for (const m of batch.messages) {
            if (slim) all.push([batch.partition, Number(m.offset), Number.parseInt(text(m.value), 10)])
            else all.push(record({ partition: batch.partition, message: m }))
          }
        },
      })
      const end = Date.now() + timeoutMs
      while (Date.now() < end && (all.length < count || Date.now() - last < idleMs)) await sleep(20)
      await c.stop()
      await leave(c)
      return slim ? { rows: all } : { records: all }
    },

    async join({ topic, group, sessionMs, reset = 'earliest' }) {
      const c = consumer({ group, sessionMs })
      const { GROUP_JOIN, REBALANCING } = c.events
      c.on(GROUP_JOIN, e => emit({ event: 'assigned', partitions: e.payload.memberAssignment[topic] ?? [] }))
      c.on(REBALANCING, () => emit({ event: 'revoked' }))
      await again(() => c.connect())
      await again(() => c.subscribe({ topic, fromBeginning: reset === 'earliest' }))
      await c.run({
        eachMessage: async ({ partition, message: m }) => got(partition, m.offset, m.value),
      })
      left = () => leave(c)
    },

    leave: async () => left(),

    async load(command) {
      const { topic, idempotent, acks = -1 } = command
      // A node that is frozen is given up after 10 s, by default after 30.
      const faulty = new Kafka({ ...settings, requestTimeout: 10_000 })
      const producer = faulty.producer({ idempotent, maxInFlightRequests: 1, retry: { ...patience, retries: 10_000 } })
      await producer.connect()
      const send = async messages => {
        const sent = await producer.send({ topic, acks, messages })
        return sent.map(s => [s.partition, Number(s.baseOffset)])
      }
      stopped = numbers(command, send, () => producer.disconnect())
    },

    stop: async () => stopped(),
  },
)
