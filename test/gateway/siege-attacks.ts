import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { block, call, endHeaders, endStream, frame, hello, message, number32, preface, Type } from './http2-frames.ts'
import type { Besieged } from './siege.ts'

/** One kind of hostile client. */
export interface Attack {
  readonly name: string
  /** Bytes that may be held, where a limit of the node allows more than is usual; memory may grow by as much at least. */
  readonly held?: number
  prepare?(node: Besieged): Promise<void>
  /** Gives how it leaves; its connections stay until then. */
  run(node: Besieged): Promise<(() => void) | undefined>
}

const open = (node: Besieged): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: node.port })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
    socket.on('error', () => {})
  })

const openAll = (node: Besieged, count: number): Promise<Socket[]> =>
  Promise.all(Array.from({ length: count }, () => open(node)))

const leaving = (sockets: readonly Socket[]) => () => {
  for (const socket of sockets) socket.destroy()
}

/** Sends as fast as it is taken, for so long at most, or until it is cut off. */
async function pour(socket: Socket, bytes: Uint8Array, times: number, ms = 3000): Promise<void> {
  const end = performance.now() + ms
  for (let i = 0; i < times && !socket.destroyed && performance.now() < end; i++) {
    if (socket.write(bytes)) {
      if (i % 16 === 15) await sleep(0)
      continue
    }
    await new Promise<void>(resolve => {
      const timer = setTimeout(go, Math.max(1, end - performance.now()))
      function go() {
        clearTimeout(timer)
        socket.off('drain', go).off('close', go)
        resolve()
      }
      socket.on('drain', go).on('close', go)
    })
  }
}

/** Reads nothing, ever. */
const deaf = (socket: Socket): Socket => socket.pause()
/** Reads and forgets. */
const heard = (socket: Socket): Socket => socket.resume()

const host = 'host: localhost'
const json = 'content-type: application/json'
const post = (path: string, body: string, type = json): string =>
  `POST ${path} HTTP/1.1\r\n${host}\r\n${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const chunked = (path: string, type = json): string =>
  `POST ${path} HTTP/1.1\r\n${host}\r\n${type}\r\ntransfer-encoding: chunked\r\n\r\n`

async function ask(node: Besieged, path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(`${node.url}${path}`, init)
  await answer.arrayBuffer()
  return answer
}

const binary = { 'content-type': 'application/octet-stream' }

/** Records of one size. */
async function fill(node: Besieged, topic: string, count: number, value: string | Uint8Array): Promise<void> {
  for (let i = 0; i < count; i += 8)
    await Promise.all(
      Array.from({ length: Math.min(8, count - i) }, () =>
        ask(node, `/topics/${topic}/records`, { method: 'POST', headers: binary, body: value as unknown as string }),
      ),
    )
}

/** One message of a client that does, again and again. */
const many = (
  name: string,
  connections: number,
  bytes: () => string | Uint8Array,
  ms = 400,
  held?: number,
): Attack => ({
  name,
  ...(held === undefined ? {} : { held }),
  async run(node) {
    const sockets = await openAll(node, connections)
    for (const socket of sockets) heard(socket).write(bytes())
    await sleep(ms)
    return leaving(sockets)
  },
})

/** One connection that does not stop. */
const flood = (name: string, first: Uint8Array | string, again: Uint8Array | string, times = 2000): Attack => ({
  name,
  async run(node) {
    const sockets = (await openAll(node, 2)).map(heard)
    for (const socket of sockets) socket.write(first)
    await Promise.all(sockets.map(socket => pour(socket, Buffer.from(again), times)))
    await sleep(100)
    return leaving(sockets)
  },
})

const repeat = (count: number, each: (i: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => each(i)))

const publish = '/broker.Broker/Publish'
const produce = '/ottla.v1.Records/Produce'
const produceStream = '/ottla.v1.Records/ProduceStream'
const consume = '/ottla.v1.Records/Consume'

/** Streams of one connection are odd and grow. */
const stream = (i: number): number => 2 * i + 1

const openCalls = (count: number, path: string, more = {}): Buffer =>
  repeat(count, i => frame(Type.headers, endHeaders, stream(i), call(path, more)))

/** Fields of protocol buffers. */
const field = (number: number, bytes: Uint8Array): Buffer => {
  const length: number[] = []
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left < 0x80 ? left : (left & 0x7f) | 0x80)
    if (left < 0x80) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

/** Calls of one message each. */
const compressedCalls = (count: number, compressed: Buffer): Buffer =>
  Buffer.concat([
    hello,
    openCalls(count, produce, { 'grpc-encoding': 'gzip' }),
    repeat(count, i => frame(Type.data, endStream, stream(i), message(compressed, { flag: 1 }))),
  ])

const brackets = (count: number): string => '['.repeat(count) + ']'.repeat(count)
const shallow = (bytes: number): string => `[${'[[[[[[]]]]]],'.repeat(bytes / 13)}0]`

/** Pushes by lines, each 4 MiB of nothing but this character, which are never finished. */
async function pourLines(node: Besieged, clients: number, character: string): Promise<() => void> {
  const headers = { 'content-type': 'application/json' }
  await ask(node, '/topics', { method: 'POST', headers, body: '{"name":"t"}' })
  const sockets = (await openAll(node, clients)).map(heard)
  for (const socket of sockets) socket.write(chunked('/topics/t/records', 'content-type: application/x-ndjson'))
  const piece = Buffer.from(`10000\r\n${character.repeat(0x10000)}\r\n`)
  await Promise.all(sockets.map(socket => pour(socket, piece, 64)))
  return leaving(sockets)
}

export const attacks: readonly Attack[] = [
  many('a thousand connections that say nothing', 1000, () => ''),
  many('a thousand that begin a request', 1000, () => 'GET /topics HTTP/1.1\r\nx: '),
  many(
    'a thousand that begin a body',
    1000,
    () => `POST /topics HTTP/1.1\r\n${host}\r\n${json}\r\ncontent-length: 1000\r\n\r\n{`,
  ),
  many('a thousand prefaces cut off', 1000, () => preface.subarray(0, 20)),
  many('a thousand HTTP/2 connections that say no more than hello', 1000, () => hello),
  many('two hundred with as many headers as may be', 200, () => {
    const lines = Array.from({ length: 95 }, (_, i) => `x-${i}: ${'y'.repeat(150)}`).join('\r\n')
    return `GET /health HTTP/1.1\r\n${host}\r\n${lines}\r\n\r\n`.repeat(4)
  }),
  many('requests to upgrade to WebSocket', 300, () => {
    const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13'
    return `GET /topics/t/events HTTP/1.1\r\n${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`
  }),
  flood('headers that never end', `GET /health HTTP/1.1\r\n${host}\r\n`, 'x: y\r\n'.repeat(2000)),
  flood('chunk extensions that never end', `${chunked('/topics/t/records')}1;`, 'a=b;'.repeat(4000)),
  flood('trailers that never end', `${chunked('/topics/t/records')}1\r\n1\r\n0\r\n`, 'x: y\r\n'.repeat(2000)),
  flood('malformed requests without end', '', 'GET\r\n'.repeat(2000)),
  {
    name: 'chunks of one byte',
    async run(node) {
      const sockets = (await openAll(node, 16)).map(heard)
      for (const socket of sockets) socket.write(chunked('/topics/t/records', 'content-type: application/octet-stream'))
      const piece = Buffer.from('1\r\nx\r\n'.repeat(10_000))
      await Promise.all(sockets.map(socket => pour(socket, piece, 100, 5000)))
      return leaving(sockets)
    },
  },
  {
    name: 'lines that never end',
    run: node => pourLines(node, 64, 'x'),
  },
  {
    name: 'bodies that are never finished',
    async run(node) {
      const sockets = (await openAll(node, 64)).map(heard)
      const head = `POST /topics/t/records HTTP/1.1\r\n${host}\r\n${json}\r\ncontent-length: 16000000\r\n\r\n`
      for (const socket of sockets) socket.write(head)
      await Promise.all(sockets.map(socket => pour(socket, Buffer.alloc(65_536, 'x'), 200)))
      return leaving(sockets)
    },
  },
  {
    name: 'lines of nothing',
    run: node => pourLines(node, 2, '\n'),
  },
  ...[
    ['brackets', '/topics', brackets(4_000_000)],
    ['brackets as a message', '/produce', `{"topic":"t","message":${brackets(4_000_000)}}`],
    ['brackets as a record', '/topics/t/records', `{"value":${brackets(4_000_000)}}`],
    ['little lists', '/topics/t/records', `{"value":${shallow(8_000_000)}}`],
    ['numbers', '/topics/t/records', `{"records":[${'1,'.repeat(4_000_000)}1]}`],
    ['little records', '/topics/t/records', `{"records":[${'{"value":1},'.repeat(140_000)}{"value":1}]}`],
    ['names', '/topics/t/records', `{"value":{${Array.from({ length: 400_000 }, (_, i) => `"k${i}":1`).join()}}}`],
    ['a number of a million digits', '/topics/t/records', `{"value":${'1'.repeat(900_000)}}`],
    [
      'headers',
      '/topics/t/records',
      `{"value":1,"headers":{${Array.from({ length: 140_000 }, (_, i) => `"k${i}":""`).join()}}}`,
    ],
  ].map(
    ([what, path, body]): Attack => ({
      name: `JSON of ${what}`,
      async run(node) {
        const sockets = (await openAll(node, 2)).map(heard)
        for (const socket of sockets) socket.write(post(path!, body!))
        await sleep(1500)
        return leaving(sockets)
      },
    }),
  ),
  {
    name: 'stored brackets, read, searched, subscribed and pulled',
    async prepare(node) {
      await fill(node, 't', 8, shallow(900_000))
    },
    async run(node) {
      const sockets = (await openAll(node, 1)).map(heard)
      sockets[0]!.write(`GET /topics/t/events?from=earliest HTTP/1.1\r\n${host}\r\n\r\n`)
      await ask(node, '/topics/t/records?maxBytes=8388608')
      await ask(node, '/topics/t/search?path=a.b.c')
      await ask(node, '/topics/t/search?value=abc')
      await ask(node, '/topics/t/pull?max=8', { method: 'POST' })
      await sleep(500)
      return leaving(sockets)
    },
  },
  {
    name: 'a search that finds everything, in a topic of large records',
    async prepare(node) {
      await fill(node, 't', 160, Buffer.alloc(1_000_000, 'x'))
    },
    async run(node) {
      const sockets = (await openAll(node, 4)).map(deaf)
      for (const socket of sockets) socket.write(`GET /topics/t/search?limit=1000 HTTP/1.1\r\n${host}\r\n\r\n`)
      await sleep(2000)
      return leaving(sockets)
    },
  },
  {
    name: 'readers of eight megabytes who take nothing',
    async prepare(node) {
      await fill(node, 't', 24, Buffer.alloc(1_000_000, 'x'))
    },
    // `door.read.buffer.bytes`, and of each what is being sent.
    held: 96 * 1024 * 1024,
    async run(node) {
      const sockets = (await openAll(node, 100)).map(deaf)
      for (const socket of sockets) {
        socket.write(`GET /topics/t/records?maxBytes=8388608 HTTP/1.1\r\n${host}\r\n\r\n`.repeat(8))
        await sleep(5)
      }
      await sleep(1000)
      return leaving(sockets)
    },
  },
  {
    name: 'who asks ahead for all topics and takes nothing',
    async prepare(node) {
      for (let i = 0; i < 300; i++) {
        const body = JSON.stringify({ name: `${'a-long-name-'.repeat(15)}${i}` })
        await ask(node, '/topics', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      }
    },
    async run(node) {
      const sockets = (await openAll(node, 40)).map(deaf)
      for (const socket of sockets) {
        socket.write(`GET /topics HTTP/1.1\r\n${host}\r\n\r\n`.repeat(120))
        await sleep(20)
      }
      await sleep(3000)
      return leaving(sockets)
    },
  },
  {
    name: 'three hundred subscribers who take nothing',
    // `http.event.unsent.max.bytes`.
    held: 80 * 1024 * 1024,
    async prepare(node) {
      await fill(node, 't', 40, Buffer.alloc(500_000, 'x'))
    },
    async run(node) {
      const sockets = (await openAll(node, 300)).map(deaf)
      for (const socket of sockets) socket.write(`GET /topics/t/events?from=earliest HTTP/1.1\r\n${host}\r\n\r\n`)
      await sleep(2500)
      return leaving(sockets)
    },
  },
  {
    name: 'groups, lease groups and keys of names that clients choose',
    async prepare(node) {
      await fill(node, 't', 8, 'x')
    },
    async run(node) {
      for (let i = 0; i < 600; i += 50)
        await Promise.all(
          Array.from({ length: 50 }, (_, k) => [
            ask(node, `/topics/t/pull?group=${'g'.repeat(200)}-${i + k}`, { method: 'POST' }),
            ask(node, `/topics/t/records`, {
              method: 'POST',
              headers: { ...binary, 'idempotency-key': `${i + k}-${'k'.repeat(200)}` },
              body: 'x',
            }),
          ]).flat(),
        )
      await ask(node, '/metrics')
      await ask(node, '/lease-groups')
      return undefined
    },
  },
  {
    name: 'paths, hosts, methods and names without end in the metrics',
    async run(node) {
      const sockets = (await openAll(node, 4)).map(heard)
      for (let round = 0; round < 60; round++) {
        for (const socket of sockets) {
          const at = () => `${round}-${Math.random()}`
          socket.write(
            Array.from(
              { length: 25 },
              () => `GET /${at()}/${at()}?${at()}=1 HTTP/1.1\r\nhost: h${at()}.local\r\n\r\n`,
            ).join(''),
          )
        }
        await sleep(20)
      }
      const text = await (await fetch(`${node.url}/metrics`)).text()
      if (text.length > 200_000) throw new Error(`/metrics has ${text.length} letters`)
      return leaving(sockets)
    },
  },
  {
    name: 'HTTP/2: calls that are reset at once',
    async run(node) {
      const sockets = (await openAll(node, 2)).map(heard)
      for (const socket of sockets) {
        socket.write(hello)
        const end = performance.now() + 2000
        for (let round = 0; round < 100 && !socket.destroyed && performance.now() < end; round++) {
          const calls = repeat(500, i => {
            const id = stream(round * 500 + i)
            const begin = frame(Type.headers, endHeaders, id, call(publish))
            return Buffer.concat([begin, frame(Type.reset, 0, id, number32(8))])
          })
          await pour(socket, calls, 1, 500)
        }
      }
      await sleep(200)
      return leaving(sockets)
    },
  },
  flood(
    'HTTP/2: settings',
    hello,
    repeat(2000, () => frame(Type.settings, 0, 0, Buffer.from('000300000064000400010000', 'hex'))),
  ),
  flood(
    'HTTP/2: pings',
    hello,
    repeat(2000, () => frame(Type.ping, 0, 0, Buffer.alloc(8))),
  ),
  flood(
    'HTTP/2: windows that grow by one',
    hello,
    repeat(2000, () => frame(Type.windowUpdate, 0, 0, number32(1))),
  ),
  flood(
    'HTTP/2: priorities',
    hello,
    repeat(2000, i => frame(Type.priority, 0, stream(i), Buffer.alloc(5))),
  ),
  flood(
    'HTTP/2: frames of a kind that does not exist',
    hello,
    repeat(2000, () => frame(0xee, 0, 0, Buffer.alloc(50))),
  ),
  flood(
    'HTTP/2: empty data',
    Buffer.concat([hello, frame(Type.headers, endHeaders, 1, call(publish))]),
    repeat(2000, () => frame(Type.data, 0, 1)),
  ),
  flood(
    'HTTP/2: headers that go on and on',
    Buffer.concat([hello, frame(Type.headers, 0, 1, call(publish))]),
    repeat(100, () => frame(Type.continuation, 0, 1, block({ x: 'y'.repeat(100) }))),
  ),
  flood(
    'HTTP/2: empty continuations',
    Buffer.concat([hello, frame(Type.headers, 0, 1, call(publish))]),
    repeat(2000, () => frame(Type.continuation, 0, 1)),
  ),
  many(
    'HTTP/2: a thousand calls each that say nothing',
    12,
    () => Buffer.concat([hello, openCalls(1000, publish)]),
    1500,
  ),
  many(
    'gRPC: lengths that lie',
    12,
    () =>
      Buffer.concat([
        hello,
        openCalls(1000, publish),
        repeat(1000, i => frame(Type.data, 0, stream(i), message(Buffer.from('x'), { length: 4_000_000 }))),
      ]),
    1500,
  ),
  {
    name: 'gRPC: a message byte by byte, on many streams',
    async run(node) {
      const sockets = (await openAll(node, 4)).map(heard)
      for (const socket of sockets) {
        socket.write(Buffer.concat([hello, openCalls(50, publish)]))
        socket.write(repeat(50, i => frame(Type.data, 0, stream(i), message(Buffer.alloc(0), { length: 4_000_000 }))))
      }
      const bytes = repeat(5000, i => frame(Type.data, 0, stream(i % 50), Buffer.from('x')))
      await Promise.all(sockets.map(socket => pour(socket, bytes, 60, 5000)))
      return leaving(sockets)
    },
  },
  many(
    'gRPC: gzip bombs',
    4,
    () => {
      const bomb = message(gzipSync(Buffer.alloc(100_000_000)), { flag: 1 })
      return Buffer.concat([
        hello,
        openCalls(2, publish, { 'grpc-encoding': 'gzip' }),
        ...[0, 1].flatMap(i =>
          Array.from({ length: Math.ceil(bomb.length / 16_000) }, (_, k) =>
            frame(
              Type.data,
              (k + 1) * 16_000 >= bomb.length ? endStream : 0,
              stream(i),
              bomb.subarray(k * 16_000, (k + 1) * 16_000),
            ),
          ),
        ),
      ])
    },
    3000,
  ),
  many(
    'gRPC: small messages of many records, compressed',
    4,
    () => {
      const records = Buffer.concat([field(1, Buffer.from('t')), Buffer.alloc(2 * 24_900, Buffer.from([0x12, 0]))])
      return compressedCalls(100, gzipSync(records))
    },
    5000,
    // What is written this node keeps in memory, nine bytes a record: the more of them, the quicker the machine.
    192 * 1024 * 1024,
  ),
  many(
    'gRPC: small messages that become megabytes in which one field stands again and again',
    2,
    () => compressedCalls(20, gzipSync(Buffer.alloc(4_000_000, Buffer.from([0x0a, 0])))),
    3000,
  ),
  many(
    'gRPC: hundreds of small messages that become megabytes',
    4,
    () => compressedCalls(250, gzipSync(field(15, Buffer.alloc(4_000_000)))),
    3000,
  ),
  {
    name: 'gRPC: streams of many records in messages below a kilobyte',
    // As above.
    held: 128 * 1024 * 1024,
    async run(node) {
      const sockets = (await openAll(node, 4)).map(heard)
      const small = message(Buffer.concat([field(1, Buffer.from('t')), Buffer.alloc(2 * 500, Buffer.from([0x12, 0]))]))
      for (const socket of sockets) socket.write(Buffer.concat([hello, openCalls(100, produceStream)]))
      const bytes = repeat(1000, i => frame(Type.data, 0, stream(i % 100), small))
      await Promise.all(sockets.map(socket => pour(socket, bytes, 60, 3000)))
      return leaving(sockets)
    },
  },
  {
    name: 'gRPC: five hundred streams of a client who takes nothing',
    // `http.event.unsent.max.bytes`.
    held: 80 * 1024 * 1024,
    async prepare(node) {
      await fill(node, 't', 40, Buffer.alloc(500_000, 'x'))
    },
    async run(node) {
      const sockets = (await openAll(node, 4)).map(heard)
      const request = message(Buffer.concat([field(1, Buffer.from('t')), Buffer.from([3 << 3, 1])]))
      // The window of a stream stays as small as it is, that of the connection is large.
      const wide = frame(Type.windowUpdate, 0, 0, number32(0x7fff0000 - 65_535))
      for (const socket of sockets) {
        socket.write(Buffer.concat([hello, wide, openCalls(125, consume)]))
        socket.write(repeat(125, i => frame(Type.data, endStream, stream(i), request)))
      }
      await sleep(3000)
      return leaving(sockets)
    },
  },
]
