// @platformatic/kafka as an agent of the client matrix: the newest version that runs on the Node at hand.
import { readFileSync } from 'node:fs'
import { emit, got, numbers, padded, serve, sleep, text } from './agent.js'

const [major, minor] = process.versions.node.split('.').map(Number)
const newest = major > 22 || (major === 22 && minor >= 22)
const name = newest ? '@platformatic/kafka-2' : '@platformatic/kafka'
const { Admin, Consumer, Producer, MessagesStreamModes, MessagesStreamFallbackModes } = await import(name)
const { version } = JSON.parse(readFileSync(new URL(`./node_modules/${name}/package.json`, import.meta.url), 'utf8'))
const zstd = major > 22 || (major === 22 && minor >= 15)

const base = {
  clientId: 'matrix-platformatic',
  bootstrapBrokers: process.argv[2].split(','),
  // A node that is restarted may be all that it knows of a partition for so long.
  retries: process.env.AGENT_RESTARTS ? 300 : 20,
  retryDelay: 100,
}
const bytes = value => (value == null ? value : Buffer.from(value))

async function withAdmin(use) {
  const admin = new Admin(base)
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

async function withProducer({ idempotent, acks = -1, compression = 'none' }, use) {
  const producer = new Producer({ ...base, acks, compression, ...(idempotent ? { idempotent: true } : {}) })
  try {
    return await use(producer)
  } finally {
    await producer.close()
  }
}

const message = topic => r => ({
  topic,
  partition: r.partition,
  key: bytes(r.key ?? undefined),
  value: bytes(r.value ?? undefined),
  headers: new Map((r.headers ?? []).map(([k, v]) => [Buffer.from(k), Buffer.from(v)])),
  ...(r.timestamp === undefined ? {} : { timestamp: BigInt(r.timestamp) }),
})

const record = m => ({
  partition: m.partition,
  offset: Number(m.offset),
  key: text(m.key),
  value: text(m.value),
  headers: [...m.headers].map(([k, v]) => [text(k), text(v)]),
  timestamp: Number(m.timestamp),
})

function open(group, sessionMs) {
  return new Consumer({
    ...base,
    groupId: group,
    sessionTimeout: sessionMs,
    rebalanceTimeout: 10_000,
    heartbeatInterval: 300,
    maxWaitTime: 300,
  })
}

const start = (consumer, topic, reset) =>
  consumer.consume({
    topics: [topic],
    autocommit: 200,
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: reset === 'latest' ? MessagesStreamFallbackModes.LATEST : MessagesStreamFallbackModes.EARLIEST,
  })

let left = null
let stopped = null

serve(
  {
    client: 'platformatic',
    version,
    compressions: ['none', 'gzip', 'snappy', 'lz4', ...(zstd ? ['zstd'] : [])],
    idempotent: true,
    // Writes the first timestamp of a batch as the base even where a later record is older.
    olderTimestamps: false,
    duplicateHeaders: false,
    ...(newest
      ? {}
      : {
          noRestarts:
            'asks the coordinator that it found first for ever, and ends with a TypeError while that is away ' +
            '(platformatic/kafka#290; from 2.0.2 on it does not, on Node 22.22)',
        }),
  },
  {
    create: ({ topic, partitions }) =>
      withAdmin(async admin => {
        await admin.createTopics({ topics: [topic], partitions, replicas: -1 })
        const metadata = await admin.metadata({ topics: [topic] })
        return { partitions: metadata.topics.get(topic).partitionsCount }
      }),

    delete: ({ topic }) =>
      withAdmin(async admin => {
        await admin.deleteTopics({ topics: [topic] })
        for (let i = 0; i < 100 && (await admin.listTopics()).includes(topic); i++) await sleep(50)
        return { gone: !(await admin.listTopics()).includes(topic) }
      }),

    produce: command =>
      withProducer(command, async producer => {
        const { offsets } = await producer.send({ messages: command.records.map(message(command.topic)) })
        return { offsets: Object.fromEntries(offsets.map(o => [o.partition, Number(o.offset)])) }
      }),

    bulk: command =>
      withProducer(command, async producer => {
        const { topic, from = 0, count, partitions, size } = command
        for (let i = from; i < from + count; i += 3000) {
          const messages = Array.from({ length: Math.min(3000, from + count - i) }, (_, j) => ({
            topic,
            partition: (i + j) % partitions,
            value: Buffer.from(padded(i + j, size)),
          }))
          await producer.send({ messages })
        }
      }),

    async consume({ topic, group, count, slim, idleMs = 300, timeoutMs = 60_000 }) {
      const consumer = open(group, 6000)
      const all = []
      let last = Date.now()
      const stream = await start(consumer, topic, 'earliest')
      // A join that comes late makes this client fetch again from what was committed (seen in 1.35.0, against Apache
      // Kafka, too): what it hands out twice for that reason is not counted twice.
      const next = new Map()
      stream.on('data', m => {
        if (m.offset < (next.get(m.partition) ?? 0n)) return
        next.set(m.partition, m.offset + 1n)
        last = Date.now()
        all.push(slim ? [m.partition, Number(m.offset), Number.parseInt(text(m.value), 10)] : record(m))
      })
      const end = Date.now() + timeoutMs
      while (Date.now() < end && (all.length < count || Date.now() - last < idleMs)) await sleep(20)
      await stream.close()
      await consumer.close(true)
      return slim ? { rows: all } : { records: all }
    },

    async join({ topic, group, sessionMs, reset }) {
      const consumer = open(group, sessionMs)
      consumer.on('consumer:group:join', ({ assignments }) => {
        emit({ event: 'assigned', partitions: assignments?.find(a => a.topic === topic)?.partitions ?? [] })
      })
      consumer.on('consumer:group:rebalance', () => emit({ event: 'revoked' }))
      const stream = await start(consumer, topic, reset)
      stream.on('data', m => got(m.partition, m.offset, m.value))
      left = async () => {
        await stream.close()
        await consumer.close(true)
      }
    },

    leave: async () => left(),

    async load(command) {
      const { topic, idempotent, acks = -1 } = command
      const producer = new Producer({
        ...base,
        retries: 10_000,
        retryDelay: 50,
        acks,
        ...(idempotent ? { idempotent: true } : {}),
      })
      const send = async messages => {
        const { offsets } = await producer.send({
          messages: messages.map(m => ({ topic, partition: m.partition, value: Buffer.from(m.value) })),
        })
        return offsets.map(o => [o.partition, Number(o.offset)])
      }
      stopped = numbers(command, send, () => producer.close())
    },

    stop: async () => stopped(),
  },
)
