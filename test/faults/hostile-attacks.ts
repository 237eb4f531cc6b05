// What an enemy sends who can reach the port. Each attack returns when it has done its worst; whatever the broker does to
// its connections is fine.
import { gzipSync } from 'node:zlib'
import { servedApis } from '../../src/broker/served.ts'
import { putInt32 } from '../../src/protocol/batches/bytes.ts'
import { loadCompression } from '../../src/protocol/compression/compression.ts'
import { requestFrame, requestHeaderVersion } from '../../src/protocol/header.ts'
import { type Dice, honestFrame, hostileFrame } from '../../src/protocol/hostile-frames.ts'
import { allApis } from '../../src/protocol/messages/all.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { JoinGroup } from '../../src/protocol/messages/join-group.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { type Victim, validRequest } from '../broker/every-request.ts'
import { oldMessage, packed, tiny } from '../broker/packed.ts'
import { batch, fetchRequest, produceRequest } from '../broker/requests.ts'
import { Wire } from '../broker/wire.ts'

export interface Target {
  readonly port: number
  readonly roll: Dice
  /** How often an attack repeats itself, roughly. */
  readonly count: number
}

export interface Attack {
  readonly name: string
  run(target: Target): Promise<void>
  /** Bytes by which the resident memory may grow meanwhile; default: `mostGrowth` of hostile.ts. */
  readonly growth?: number
  /** ms for which the event loop may stand still; default: `longestStall` of hostile.ts. */
  readonly stall?: number
}

const MiB = 1024 * 1024
const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

function open({ port }: Target): Promise<Wire> {
  return Wire.open(port)
}

/** Some at a time, as one machine can. */
async function many(count: number, what: (i: number) => Promise<void>, atOnce = 50): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await what(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function crowd(target: Target, count: number): Promise<Wire[]> {
  const wires: Wire[] = []
  await many(count, async () => void wires.push(await open(target)))
  return wires
}

const end = (wires: readonly Wire[]): void => {
  for (const wire of wires) wire.close()
}

/** Waits until the broker has said something or hung up, or does neither. */
async function heard(wire: Wire, ms = 200): Promise<void> {
  await Promise.race([wire.frame().catch(() => {}), wire.closed, sleep(ms)])
}

function noise(roll: Dice, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => roll(256)))
}

function framed(bytes: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + bytes.length)
  frame.writeInt32BE(bytes.length, 0)
  frame.set(bytes, 4)
  return frame
}

const targets = servedApis.flatMap(({ key, min, max }) => {
  const api = allApis.find(api => api.key === key)!
  return Array.from({ length: max - min + 1 }, (_, i) => ({
    api,
    version: min + i,
    layout: api.request.layout(min + i),
    flexible: requestHeaderVersion(api, min + i) === 2,
  }))
})

/** A header that is true, with a body that may not be. */
function request(target: (typeof targets)[number], body: Buffer, roll: Dice): Buffer {
  const header = Buffer.alloc(target.flexible ? 12 : 11)
  header.writeInt16BE(target.api.key, 0)
  header.writeInt16BE(target.version, 2)
  header.writeInt32BE(roll(0x7fffffff), 4)
  header.writeInt16BE(1, 8)
  header.write('h', 10)
  return framed(Buffer.concat([header, body]))
}

/** `count` requests, some on one connection, until the broker has enough of it. */
async function pelt(target: Target, make: (i: number) => Buffer): Promise<void> {
  const { roll, count } = target
  let sent = 0
  await many(16, async () => {
    while (sent < count) {
      const wire = await open(target)
      for (let i = 0; i < 10 && !wire.ended && sent < count; i++) {
        wire.socket.write(make(sent++))
        // Now and then also a lie about the length of it all.
        if (roll(20) === 0) wire.socket.write(noise(roll, 1 + roll(8)))
        await heard(wire, 20)
      }
      wire.close()
    }
  })
}

function generated(target: Target, make: typeof hostileFrame): Promise<void> {
  return pelt(target, i => {
    const chosen = targets[i % targets.length]!
    return request(chosen, make(chosen.layout, target.roll), target.roll)
  })
}

async function makeTopic(wire: Wire, name: string, config: Record<string, string> = {}): Promise<Victim> {
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }]
  const { topicId } = (await wire.ask(CreateTopics, 7, { topics })).topics[0]!
  return { name, topicId }
}

const strangeNames = [
  '../../../../etc/passwd',
  '..',
  '.',
  '/',
  '\0',
  'a\0b',
  '%2e%2e%2f',
  'C:\\x',
  'x'.repeat(32_000),
  '__proto__',
  'constructor',
  'toString',
  '__consumer_offsets',
  '__cluster_metadata',
  '\ud800',
  '🦦',
  "'; drop table topics; --",
  '$(reboot)',
  '\x1b[2J',
]

const preludes = [
  'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /topics/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'SSH-2.0-OpenSSH_9.9\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
  '\r\n\r\n\0\r\nQUIT\n',
  '*1\r\n$4\r\nPING\r\n',
  '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00',
  'AMQP\x00\x00\x09\x01',
  'EHLO enemy\r\n',
]

export const attacks: readonly Attack[] = [
  {
    name: '1,000 connections declare 100 MiB and send 4 bytes',
    growth: 64 * MiB,
    async run(target) {
      const wires = await crowd(target, 1000)
      for (const { socket } of wires) socket.write(Buffer.from([0x06, 0x40, 0, 0]))
      await sleep(1000)
      end(wires)
    },
  },
  {
    name: '200 connections declare 100 MiB and send 100 KiB',
    growth: 128 * MiB,
    async run(target) {
      const wires = await crowd(target, 200)
      const part = Buffer.alloc(100 * 1024)
      putInt32(part, 0, 100 * MiB)
      for (const { socket } of wires) socket.write(part)
      await sleep(1000)
      end(wires)
    },
  },
  {
    name: 'slow senders, a byte now and then',
    async run(target) {
      const wires = await crowd(target, 200)
      const frame = Buffer.concat(requestFrame(Metadata, 12, 1, 'slow', { topics: [] }))
      for (let i = 0; i < frame.length - 1; i++) {
        for (const { socket } of wires) socket.write(frame.subarray(i, i + 1))
        await sleep(20)
      }
      end(wires)
    },
  },
  {
    name: 'random bytes',
    run: target =>
      many(Math.ceil(target.count / 10), async i => {
        const wire = await open(target)
        const bytes = noise(target.roll, 1 + target.roll(500))
        wire.socket.write(i % 2 === 0 ? bytes : framed(bytes))
        await heard(wire, 20)
        wire.close()
      }),
  },
  {
    name: 'other protocols',
    run: target =>
      many(preludes.length * 20, async i => {
        const wire = await open(target)
        wire.socket.write(preludes[i % preludes.length]!, 'latin1')
        await heard(wire, 100)
        wire.close()
      }),
  },
  { name: 'requests that lie, of every API and version', run: target => generated(target, hostileFrame) },
  { name: 'requests well formed, filled by chance', run: target => generated(target, honestFrame) },
  {
    name: 'requests that were good until a byte or two were changed',
    async run(target) {
      const { roll } = target
      const wire = await open(target)
      const victim = await makeTopic(wire, 'victim')
      wire.close()
      const good = targets.map(({ api, version }) =>
        Buffer.concat(requestFrame(api, version, 1, 'h', validRequest(api, version, victim) as never)),
      )
      await pelt(target, i => {
        const bytes = Buffer.from(good[i % good.length]!)
        for (let flips = 1 + roll(2); flips > 0; flips--)
          bytes[14 + roll(bytes.length - 14)] = [roll(256), 0, 0x7f, 0xff][roll(4)]!
        return bytes
      })
    },
  },
  {
    name: 'strange names',
    async run(target) {
      await many(strangeNames.length, async i => {
        const name = strangeNames[i]!
        const wire = await open(target)
        const protocols = [{ name, metadata: Buffer.from(name) }]
        const member = { groupId: name, sessionTimeoutMs: 6000, memberId: name, protocolType: name, protocols }
        const asked = [
          wire.ask(Metadata, 12, { topics: [{ name }] }, name),
          wire.ask(CreateTopics, 7, {
            topics: [
              { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name, value: name }] },
            ],
          }),
          wire.ask(Produce, 9, produceRequest(name, batch(['x'])), name),
          wire.ask(Fetch, 12, fetchRequest([{ topic: name }])),
          wire.ask(FindCoordinator, 4, { coordinatorKeys: [name] }),
          wire.ask(JoinGroup, 3, member, name),
          wire.ask(JoinGroup, 6, { ...member, groupInstanceId: name, memberId: '' }, name),
        ]
        await Promise.race([Promise.allSettled(asked), sleep(500)])
        wire.close()
      })
    },
  },
  {
    name: 'half requests, then gone',
    run: target =>
      many(Math.ceil(target.count / 5), async i => {
        const wire = await open(target)
        const frame = Buffer.concat(requestFrame(ApiVersions, 0, 1, 'half', {}))
        wire.socket.write(frame.subarray(0, 1 + target.roll(frame.length)))
        if (i % 3 === 0) wire.socket.resetAndDestroy()
        else if (i % 3 === 1) wire.socket.end()
        else wire.close()
      }),
  },
  {
    name: 'connect and close',
    run: target => many(target.count, async () => void (await open(target)).socket.resetAndDestroy()),
  },
  {
    name: 'bombs for a topic that packs anew',
    stall: 400,
    async run(target) {
      const wire = await open(target)
      await makeTopic(wire, 'packs', { 'compression.type': 'gzip', 'max.message.bytes': String(8 * MiB) })
      await loadCompression(4)
      for (const codec of [2, 3, 4])
        for (const size of [60 * MiB, 200 * MiB]) {
          if (codec === 2 && size > 60 * MiB) continue
          await wire.ask(Produce, 9, produceRequest('packs', packed(Buffer.alloc(size), 1, codec)))
        }
      wire.close()
    },
  },
  {
    name: 'bombs in old messages, and messages in messages',
    stall: 400,
    async run(target) {
      const wire = await open(target)
      await makeTopic(wire, 'old')
      const send = (bytes: Uint8Array) => wire.ask(Produce, 2, produceRequest('old', bytes))
      await send(oldMessage(gzipSync(Buffer.alloc(200 * MiB)), 1))
      let nested = oldMessage(Buffer.from('x'), 0)
      for (let depth = 0; depth < 50; depth++) nested = oldMessage(gzipSync(nested), 1)
      await send(nested)
      // As many of the smallest messages as fit below the limit.
      const smallest = oldMessage(Buffer.alloc(0), 0)
      await send(oldMessage(gzipSync(Buffer.alloc(15 * MiB - ((15 * MiB) % smallest.length), smallest)), 1))
      wire.close()
    },
  },
  {
    name: 'bombs that are stored, and then asked for by old clients and by time',
    stall: 400,
    async run(target) {
      const wire = await open(target)
      await makeTopic(wire, 'stored')
      for (const codec of [1, 2, 3]) {
        for (const count of [100_000, 2_000_000])
          await wire.ask(Produce, 9, produceRequest('stored', tiny(count, codec)))
        await wire.ask(Produce, 9, produceRequest('stored', packed(Buffer.alloc(12 * MiB), 1, codec)))
      }
      for (const version of [0, 2, 3])
        for (const offset of [0, 100_000, 2_100_000, 2_100_001]) {
          await wire.ask(Fetch, version, fetchRequest([{ topic: 'stored', offset }], { version }))
          const partitions = [-3, 0, 1, 2].map(timestamp => ({ partitionIndex: 0, timestamp }))
          await wire.ask(ListOffsets, 7, { replicaId: -1, topics: [{ name: 'stored', partitions }] })
        }
      wire.close()
    },
  },
  {
    name: 'long lists',
    stall: 1500,
    async run(target) {
      const wire = await open(target)
      const names = Array.from({ length: 50_000 }, (_, i) => `flood-${i}`)
      await wire.ask(Metadata, 12, { topics: names.map(name => ({ name })), allowAutoTopicCreation: true })
      await wire.ask(Metadata, 12, { topics: names.map(() => ({ name: 'flood' })), allowAutoTopicCreation: false })
      const topics = [{ name: 'large', numPartitions: 0x7fffffff, replicationFactor: 1, assignments: [], configs: [] }]
      await wire.ask(CreateTopics, 7, { topics })
      const places = Array.from({ length: 50_000 }, (_, partition) => ({ topic: 'flood', partition }))
      await wire.ask(Fetch, 12, fetchRequest(places, { sessionEpoch: 0 }))
      wire.close()
    },
  },
  {
    name: 'a flood of fetch sessions, groups and producers',
    async run(target) {
      const wire = await open(target)
      await makeTopic(wire, 'flooded')
      const asked: Promise<unknown>[] = []
      for (let i = 0; i < target.count; i++) {
        asked.push(wire.ask(Fetch, 12, fetchRequest([{ topic: 'flooded' }], { sessionEpoch: 0 })))
        const records = batch(['x'], { producerId: 1_000_000 + i, producerEpoch: 0, baseSequence: 0 })
        asked.push(wire.ask(Produce, 9, produceRequest('flooded', records)))
        if (i % 10 === 0) {
          const protocols = [{ name: 'p', metadata: Buffer.alloc(10) }]
          const member = { groupId: `flood-${i}`, sessionTimeoutMs: 6000, memberId: '', protocolType: 'c', protocols }
          asked.push(wire.ask(JoinGroup, 4, member))
        }
        if (i % 500 === 499) await Promise.allSettled(asked.splice(0))
      }
      await Promise.allSettled(asked)
      wire.close()
    },
  },
  {
    name: 'readers that never read',
    growth: 400 * MiB,
    async run(target) {
      const wire = await open(target)
      await makeTopic(wire, 'unread')
      const large = batch(['x'.repeat(1_000_000)])
      for (let i = 0; i < 20; i++) await wire.ask(Produce, 9, produceRequest('unread', large))
      const deaf = await crowd(target, 30)
      const ask = Buffer.concat(
        requestFrame(Fetch, 12, 1, 'deaf', fetchRequest([{ topic: 'unread' }], { partitionMaxBytes: 50 * MiB })),
      )
      for (const { socket } of deaf) {
        socket.pause()
        for (let i = 0; i < 200; i++) socket.write(ask)
      }
      await sleep(1500)
      end([wire, ...deaf])
    },
  },
  {
    name: 'askers that never read',
    // Fifty at once, each with as many requests as fit into a megabyte of answers.
    stall: 800,
    async run(target) {
      const deaf = await crowd(target, 50)
      const ask = Buffer.concat(requestFrame(ApiVersions, 0, 1, 'deaf', {}))
      const lots = Buffer.concat(Array.from({ length: 2000 }, () => ask))
      for (const { socket } of deaf) {
        socket.pause()
        for (let i = 0; i < 20; i++) socket.write(lots)
      }
      await sleep(1000)
      end(deaf)
    },
  },
]
