import assert from 'node:assert/strict'
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { silent } from '../../world/logger.ts'
import { nodeWorld } from '../../world/node.ts'
import type { World } from '../../world/world.ts'
import { type Implementation, served } from './implementation.ts'
import { bytes, duplex, int32, Message, serverStream, unary } from './protobuf/schema.ts'
import { type GrpcLimits, GrpcServer } from './server.ts'
import { GrpcError } from './status.ts'

const Ask = new Message('t.Ask', { count: int32(1), body: bytes(2) })
const Tell = new Message('t.Tell', { count: int32(1), body: bytes(2) })
const Echo = {
  fullName: 't.Echo',
  methods: { One: unary(Ask, Tell), Many: serverStream(Ask, Tell), Both: duplex(Ask, Tell) },
}

/** What the handlers saw. */
const seen = { written: 0, ended: 0 }

const echo: Implementation<typeof Echo> = {
  async One({ count, body }, call) {
    if (count === 13) throw new Error('a bug')
    if (count === 5) throw new GrpcError('NOT_FOUND', 'ünicode and % and\nlines', 'NO_SUCH_THING')
    if (count === 99) await new Promise<void>(resolve => call.signal.addEventListener('abort', () => resolve()))
    if (count === 99) seen.ended++
    return { count, body }
  },
  async Many({ count }, call) {
    const body = Buffer.alloc(10_000)
    for (let i = 0; i < count; i++) {
      await call.write({ count: i, body })
      seen.written++
    }
  },
  async Both(call) {
    for (let ask = await call.next(); ask !== null; ask = await call.next()) {
      if (ask.count === 5) throw new GrpcError('ABORTED', 'enough')
      await call.write(ask)
    }
  },
}

interface Started {
  readonly server: GrpcServer
  readonly port: number
  readonly codes: number[]
}

const open: (Server | ClientHttp2Session | Socket)[] = []
after(() => {
  for (const each of open) if ('destroy' in each) each.destroy()
  for (const each of open) if ('listen' in each) each.close()
})

async function start(
  limits: Partial<GrpcLimits> = {},
  world: Pick<World, 'clock' | 'timers'> = nodeWorld,
): Promise<Started> {
  const codes: number[] = []
  const observe = (_: string, code: number) => void codes.push(code)
  const server = new GrpcServer(served(Echo, echo), { world, logger: silent, limits, observe })
  const listener = createServer(socket => {
    open.push(socket)
    server.enter(socket)
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  open.push(listener)
  return { server, codes, port: (listener.address() as AddressInfo).port }
}

function session({ port }: Started, options = {}): ClientHttp2Session {
  const client = connectHttp2(`http://127.0.0.1:${port}`, options)
  client.on('error', () => {})
  open.push(client)
  return client
}

function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.from([flag, 0, 0, 0, 0])
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

interface Outcome {
  readonly headers: Record<string, unknown>
  readonly body: Buffer
  readonly code: number
}

/** All of an answer: header and trailers in one. */
function outcome(stream: ClientHttp2Stream): Promise<Outcome> {
  const headers: Record<string, unknown> = {}
  const chunks: Buffer[] = []
  return new Promise(resolve => {
    stream.on('response', more => Object.assign(headers, more))
    stream.on('trailers', more => Object.assign(headers, more))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.on('close', () => resolve({ headers, body: Buffer.concat(chunks), code: stream.rstCode }))
  })
}

function ask(client: ClientHttp2Session, method: string, headers = {}): ClientHttp2Stream {
  return client.request({
    ':method': 'POST',
    ':path': method,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
}

async function one(client: ClientHttp2Session, body: Buffer, headers = {}): Promise<Outcome> {
  const stream = ask(client, '/t.Echo/One', headers)
  stream.end(body)
  return outcome(stream)
}

const statusOf = ({ headers }: Outcome) => headers['grpc-status']

test('a call is answered with one message and a status', async () => {
  const { body, headers } = await one(session(await start()), framed(Ask.encode({ count: 7, body: Buffer.from('x') })))
  assert.equal(headers[':status'], 200)
  assert.equal(headers['content-type'], 'application/grpc+proto')
  assert.equal(headers['grpc-status'], '0')
  assert.deepEqual(body, framed(Tell.encode({ count: 7, body: Buffer.from('x') })))
})

test('errors travel in headers of ASCII, with details; bugs say nothing of themselves', async () => {
  const client = session(await start())
  const known = await one(client, framed(Ask.encode({ count: 5 })))
  assert.equal(statusOf(known), '5')
  assert.equal(decodeURIComponent(String(known.headers['grpc-message'])), 'ünicode and % and\nlines')
  assert.match(Buffer.from(String(known.headers['grpc-status-details-bin']), 'base64').toString(), /NO_SUCH_THING/)
  const bug = await one(client, framed(Ask.encode({ count: 13 })))
  assert.equal(statusOf(bug), '13')
  assert.doesNotMatch(String(bug.headers['grpc-message']), /a bug/)
})

const refused: readonly [string, Buffer, Record<string, string>, string][] = [
  ['no message', Buffer.alloc(0), {}, '3'],
  ['a message that is cut off', framed(Buffer.alloc(10)).subarray(0, 9), {}, '3'],
  ['a message that is none', framed(Buffer.from([0xff, 0xff])), {}, '3'],
  ['a flag that does not exist', framed(Buffer.alloc(1), 7), {}, '13'],
  ['a message that is too large', framed(Buffer.alloc(1001)), {}, '8'],
  ['an encoding that we do not have', framed(Buffer.alloc(2), 1), { 'grpc-encoding': 'snappy' }, '12'],
  ['no encoding, but a compressed message', framed(Buffer.alloc(2), 1), {}, '12'],
  ['what is no gzip', framed(Buffer.alloc(2), 1), { 'grpc-encoding': 'gzip' }, '3'],
  ['a bomb', framed(gzipSync(Buffer.alloc(900_000)), 1), { 'grpc-encoding': 'gzip' }, '8'],
  ['a time-out that is none', framed(Buffer.alloc(0)), { 'grpc-timeout': 'soon' }, '3'],
  ['a time-out of too many digits', framed(Buffer.alloc(0)), { 'grpc-timeout': '999999999S' }, '3'],
]

for (const [what, body, headers, status] of refused) {
  test(`refused: ${what}`, async () => {
    const started = await start({ messageBytes: 1000 })
    const client = session(started)
    assert.equal(statusOf(await one(client, body, headers)), status)
    // The connection is none the worse for it.
    assert.equal(statusOf(await one(client, framed(Ask.encode({ count: 1 })))), '0')
    assert.equal(started.server.held, 0)
  })
}

test('gzip and deflate are taken', async () => {
  const message = Ask.encode({ count: 3 })
  const answer = await one(session(await start()), framed(gzipSync(message), 1), { 'grpc-encoding': 'gzip' })
  assert.deepEqual(answer.body, framed(message))
})

test('what is no gRPC, and what is not served, is told so', async () => {
  const client = session(await start())
  const get = await outcome(client.request({ ':path': '/' }).end())
  assert.equal(get.headers[':status'], 405)
  const json = client.request({ ':method': 'POST', ':path': '/t.Echo/One', 'content-type': 'application/json' }).end()
  assert.equal((await outcome(json)).headers[':status'], 415)
  const web = client
    .request({ ':method': 'POST', ':path': '/t.Echo/One', 'content-type': 'application/grpc-web' })
    .end()
  assert.equal((await outcome(web)).headers[':status'], 415)
  const unknown = ask(client, '/t.Echo/None')
  unknown.end(framed(Buffer.alloc(0)))
  assert.equal(statusOf(await outcome(unknown)), '12')
})

test('a deadline ends the call and its work', async () => {
  const started = await start()
  const before = seen.ended
  const late = await one(session(started), framed(Ask.encode({ count: 99 })), { 'grpc-timeout': '20m' })
  assert.equal(statusOf(late), '4')
  assert.deepEqual([seen.ended - before, started.codes], [1, [4]])
})

test('cancellation ends the work, a lost connection too', async () => {
  const started = await start()
  const client = session(started)
  const before = seen.ended
  const [first, second] = [ask(client, '/t.Echo/One'), ask(client, '/t.Echo/One')]
  for (const stream of [first, second]) {
    stream.on('error', () => {})
    stream.end(framed(Ask.encode({ count: 99 })))
  }
  await pause(50)
  first.close(constants.NGHTTP2_CANCEL)
  await pause(50)
  assert.equal(seen.ended - before, 1)
  client.destroy()
  await pause(50)
  assert.equal(seen.ended - before, 2)
  assert.deepEqual(started.codes, [1, 1])
})

test('a client that does not read is not written to: the handler waits', async () => {
  const client = session(await start(), { settings: { initialWindowSize: 65_535 } })
  seen.written = 0
  const stream = ask(client, '/t.Echo/Many')
  stream.end(framed(Ask.encode({ count: 200 })))
  await pause(200)
  // A window of 64 KiB, and what one end of a stream buffers.
  assert.ok(seen.written >= 5 && seen.written < 30, `${seen.written} messages were written`)
  const { body } = await outcome(stream)
  assert.equal(seen.written, 200)
  assert.ok(body.length > 2_000_000)
})

test('a client whose messages nobody takes is not read: flow control stops it', async () => {
  const started = await start({ waiting: 4 })
  const client = session(started)
  const stream = ask(client, '/t.Echo/Both')
  // It does not read its answers, so the handler does not go on.
  let sent = 0
  const message = framed(Ask.encode({ body: Buffer.alloc(10_000) }))
  const send = () => {
    while (sent < 300 && stream.write(message)) sent++
    if (sent < 300) stream.once('drain', send)
    else stream.end()
  }
  send()
  await pause(200)
  assert.ok(sent < 150, `${sent} messages were taken`)
  const { body, headers } = await outcome(stream)
  assert.equal(headers['grpc-status'], '0')
  assert.ok(body.length > 3_000_000)
})

test('a stream that fails early ends for a client that would go on', async () => {
  const stream = ask(session(await start()), '/t.Echo/Both')
  stream.write(framed(Ask.encode({ count: 5 })))
  const { headers, code } = await outcome(stream)
  assert.deepEqual([headers['grpc-status'], code], ['10', constants.NGHTTP2_NO_ERROR])
})

test('incomplete messages are limited for each connection and over all, and forgotten with them', async () => {
  const started = await start({ heldBytes: 200_000 })
  const half = framed(Buffer.alloc(40_000)).subarray(0, 20_000)
  const holdSome = async (client: ClientHttp2Session, calls: number) => {
    const outcomes: Promise<Outcome>[] = []
    for (let count = 0; count < calls; count++) {
      const stream = ask(client, '/t.Echo/One')
      outcomes.push(outcome(stream))
      stream.write(half)
      await pause(20)
    }
    return outcomes
  }
  const clients = [1, 2, 3, 4, 5, 6].map(() => session(started))
  const [, , third] = await holdSome(clients[0]!, 3)
  assert.equal(statusOf((await third)!), '8')
  assert.equal(started.server.held, 40_000)
  for (const client of clients.slice(1, 5)) await holdSome(client, 2)
  assert.equal(started.server.held, 200_000)
  const [last] = await holdSome(clients[5]!, 1)
  assert.equal(statusOf((await last)!), '8')
  for (const client of clients) client.destroy()
  await until(() => started.server.held === 0 && started.server.calls === 0)
})

test('a message that does not come to its end ends its call', async () => {
  const started = await start({ messageMs: 50 })
  const stream = ask(session(started), '/t.Echo/One')
  const ended = outcome(stream)
  stream.write(framed(Buffer.alloc(100)).subarray(0, 50))
  assert.equal(statusOf(await ended), '4')
  assert.equal(started.server.held, 0)
})

/** A world whose next turn comes when a test says so. */
function stoodStill() {
  const soon: (() => void)[] = []
  const timers = {
    after: (ms: number, run: () => void) => nodeWorld.timers.after(ms, run),
    soon: (run: () => void) => void soon.push(run),
  }
  const turn = () => {
    for (const run of soon.splice(0)) run()
  }
  return { world: { clock: nodeWorld.clock, timers }, turn }
}

/** A field that stands once, so often that no other message is read in the same turn. */
const costly = framed(Buffer.alloc(2 * 60_000, Buffer.from([8, 1])))

test('large messages of few fields are read in one turn, small ones of many in several', async () => {
  const { world, turn } = stoodStill()
  const client = session(await start({}, world))
  const large = framed(Ask.encode({ count: 1, body: Buffer.alloc(60_000) }))
  const all = await Promise.all(Array.from({ length: 20 }, () => one(client, large)))
  assert.deepEqual(new Set(all.map(statusOf)), new Set(['0']))
  turn()
  let answered = 0
  const costlyOnes = [1, 2, 3].map(() => one(client, costly).finally(() => answered++))
  await until(() => answered === 1)
  await pause(20)
  assert.equal(answered, 1)
  turn()
  await until(() => answered === 2)
  turn()
  assert.deepEqual(new Set((await Promise.all(costlyOnes)).map(statusOf)), new Set(['0']))
})

test('messages that wait for their turn count with what they became, and are gone with their calls', async () => {
  const { world, turn } = stoodStill()
  const { server, codes, port } = await start({ heldBytes: 8_000_000 }, world)
  const started = { server, codes, port }
  assert.equal(statusOf(await one(session(started), costly)), '0')
  const client = session(started)
  const small = framed(gzipSync(Ask.encode({ count: 1, body: Buffer.alloc(900_000) })), 1)
  const calls: ClientHttp2Stream[] = []
  const ended: Promise<Outcome>[] = []
  const begin = async (held: number) => {
    const call = ask(client, '/t.Echo/One', { 'grpc-encoding': 'gzip' })
    calls.push(call)
    ended.push(outcome(call))
    call.end(small)
    await until(() => Math.round(server.held / 1e5) === held)
  }
  await begin(9)
  await begin(18)
  // A quarter of all is one connection's.
  await begin(18)
  assert.equal(statusOf(await ended[2]!), '8')
  for (const call of calls) call.close(constants.NGHTTP2_CANCEL)
  await until(() => server.held === 0)
  turn()
  // Those that are gone have taken nothing of it.
  const again = Array.from({ length: 2 }, () => one(session(started), costly))
  assert.equal(statusOf(await Promise.race(again)), '0')
  turn()
  await Promise.all(again)
})

test('calls beyond the limit are refused, and there is room again when others end', async () => {
  const started = await start({ calls: 2 })
  const client = session(started)
  const waiting = [1, 2].map(() => ask(client, '/t.Echo/Both'))
  for (const stream of waiting) {
    stream.on('error', () => {})
    stream.write(framed(Ask.encode({ count: 1 })))
  }
  await until(() => started.server.calls === 2)
  assert.equal(statusOf(await one(client, framed(Ask.encode({ count: 1 })))), '8')
  waiting[0]!.close(constants.NGHTTP2_CANCEL)
  await until(() => started.server.calls === 1)
  assert.equal(statusOf(await one(client, framed(Ask.encode({ count: 1 })))), '0')
})

test('calls that are cancelled at once leave nothing behind', async () => {
  const started = await start()
  const client = session(started)
  await new Promise(resolve => client.once('connect', resolve))
  for (let count = 0; count < 1000 && !client.destroyed; count++) {
    const stream = ask(client, '/t.Echo/One')
    stream.on('error', () => {})
    stream.close(constants.NGHTTP2_CANCEL)
    if (count % 100 === 0) await pause(1)
  }
  await until(() => started.server.calls === 0)
  assert.equal(statusOf(await one(session(started), framed(Ask.encode({ count: 1 })))), '0')
})

test('too many pings close the connection', async () => {
  const client = session(await start(), { maxOutstandingPings: 1000 })
  const closed = new Promise<number>(resolve => client.on('goaway', resolve))
  await new Promise(resolve => client.once('connect', resolve))
  for (let count = 0; count < 100; count++) client.ping(() => {})
  assert.equal(await closed, constants.NGHTTP2_ENHANCE_YOUR_CALM)
})

test('too many calls at a time wait, or are refused, on one connection', async () => {
  const started = await start({ streams: 10 })
  const client = session(started)
  await new Promise(resolve => client.once('remoteSettings', resolve))
  assert.equal(client.remoteSettings.maxConcurrentStreams, 10)
})

test('when it closes, streams end and calls under way are answered', async () => {
  const started = await start()
  const client = session(started)
  const endless = ask(client, '/t.Echo/Both')
  const ended = outcome(endless)
  endless.write(framed(Ask.encode({ count: 1 })))
  await pause(50)
  started.server.close()
  assert.equal(statusOf(await ended), '14')
})

test('bytes that are no HTTP/2 close their connection and nothing else', async () => {
  const started = await start()
  const client = session(started)
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  let state = 7
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
  for (let round = 0; round < 40; round++) {
    const rubbish = Buffer.from(Array.from({ length: 200 }, () => next(256)))
    const socket = connect(started.port, '127.0.0.1')
    open.push(socket)
    socket.on('error', () => {})
    socket.write(Buffer.concat([preface, rubbish]))
    await pause(2)
    socket.destroy()
  }
  assert.equal(statusOf(await one(client, framed(Ask.encode({ count: 1 })))), '0')
})

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await pause(20)
  assert.ok(condition())
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

test('who opens a call and does not say what he wants is not waited for', async () => {
  const started = await start({ messageMs: 100 })
  const client = session(started)
  const silent = [ask(client, '/t.Echo/One'), ask(client, '/t.Echo/Many')]
  for (const ended of await Promise.all(silent.map(outcome))) assert.equal(statusOf(ended), '4')
  assert.equal(started.server.calls, 0)
  // A client that has a stream of its own may take its time.
  const slow = ask(client, '/t.Echo/Both')
  await pause(200)
  slow.end(framed(Ask.encode({ count: 1 })))
  assert.equal(statusOf(await outcome(slow)), '0')
})

test('a call whose deadline makes no sense is refused, and forgotten', async () => {
  const started = await start()
  const client = session(started)
  for (let i = 0; i < 3; i++) {
    const call = ask(client, '/t.Echo/Many', { 'grpc-timeout': 'soon' })
    assert.equal(statusOf(await outcome(call)), '3')
  }
  assert.deepEqual([started.server.calls, started.server.streams], [0, 0])
})
