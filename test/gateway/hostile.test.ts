import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { open } from '../broker/kit.ts'
import { ask, Raw, sleep, start } from './kit.ts'

const broker = await start()
const { port, url } = broker
const host = `host: localhost:${port}`

/** Everything still works. */
async function healthy(): Promise<void> {
  assert.equal((await ask(`${url}/health`)).status, 200)
  const wire = await open(broker)
  await wire.ask(Metadata, 12, { topics: [], allowAutoTopicCreation: false })
  wire.close()
}

for (const [what, bytes, expected] of [
  ['no version', 'GET /health\r\n\r\n', /^HTTP\/1\.1 400/],
  ['another version', `GET /health HTTP/9.9\r\n${host}\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['a method of its own', `MAKE /health HTTP/1.1\r\n${host}\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['only letters', 'GETGETGETGETGETGET', /^HTTP\/1\.1 400/],
  ['no Host', 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n', /^HTTP\/1\.1 400/],
  ['no Host in HTTP/1.0', 'GET /health HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 400/],
  [
    'two lengths',
    `POST /topics HTTP/1.1\r\n${host}\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx`,
    /^HTTP\/1\.1 400/,
  ],
  [
    'a length and chunks',
    `POST /topics HTTP/1.1\r\n${host}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    /^HTTP\/1\.1 400/,
  ],
  ['a negative length', `POST /topics HTTP/1.1\r\n${host}\r\ncontent-length: -1\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['a folded header', `GET /health HTTP/1.1\r\n${host}\r\nx: a\r\n b\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['a header without a name', `GET /health HTTP/1.1\r\n${host}\r\n: a\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['a zero byte', `GET /health HTTP/1.1\r\n${host}\r\nx: a\0b\r\n\r\n`, /^HTTP\/1\.1 400/],
  [
    'bad chunks',
    `POST /topics HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    /^HTTP\/1\.1 400/,
  ],
  ['a large header', `GET /health HTTP/1.1\r\n${host}\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431/],
  ['a long path', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n\r\n`, /^HTTP\/1\.1 431/],
  ['an escape that is none', `GET /topics/%zz HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`, /^HTTP\/1\.1 400/],
  ['dots', `GET /topics/../../etc/passwd HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`, /^HTTP\/1\.1 404/],
  ['a tunnel', `CONNECT evil.example:80 HTTP/1.1\r\n${host}\r\n\r\n`, /^(HTTP\/1\.1 4\d\d|$)/],
  [
    'an upgrade',
    `GET /health HTTP/1.1\r\n${host}\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n`,
    /^HTTP\/1\.1 (200|400)/,
  ],
  ['a trace', `TRACE /health HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`, /^HTTP\/1\.1 405/],
] as const)
  test(`${what}: answered or cut, and nothing else happens`, async () => {
    const raw = await Raw.open(port)
    raw.send(bytes)
    if (what === 'only letters') raw.socket.end()
    const got = await raw.closed()
    assert.match(got, expected)
    if (got !== '' && !/ 200 | 405 /.test(got.split('\r\n')[0]!)) assert.match(got, /application\/problem\+json/)
    await healthy()
  })

test('of hundreds of header lines no more than a hundred are taken, or all are refused', async () => {
  const raw = await Raw.open(port)
  const lines = Array.from({ length: 500 }, (_, i) => `x${i}: y`).join('\r\n')
  raw.send(`GET /health HTTP/1.1\r\n${host}\r\n${lines}\r\nconnection: close\r\n\r\n`)
  // Node 20 passes over the others, Node 22 refuses them.
  assert.match(await raw.closed(), /^HTTP\/1\.1 (200|431)/)
})

test('requests that come ahead of their answers are answered in order', async () => {
  const raw = await Raw.open(port)
  const paths = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? '/health' : `/none-${i}`))
  raw.send(paths.map(path => `GET ${path} HTTP/1.1\r\n${host}\r\n\r\n`).join(''))
  await raw.until(/none-49/)
  const statuses = [...raw.got.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
  assert.deepEqual(
    statuses,
    paths.map(path => (path === '/health' ? '200' : '404')),
  )
  raw.close()
})

test('thousands of them are too many', async () => {
  const raw = await Raw.open(port)
  const slow = `GET /nodes HTTP/1.1\r\n${host}\r\n\r\n`
  raw.send(slow.repeat(3000))
  await raw.closed(10_000)
  await healthy()
})

test('a request that comes byte by byte is served like any other', async () => {
  const raw = await Raw.open(port)
  for (const letter of `GET /health HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`) {
    raw.send(letter)
    await sleep(0)
  }
  assert.match(await raw.closed(), /^HTTP\/1\.1 200/)
})

test('a thousand connections that say almost nothing hold almost nothing, and leave no trace', async () => {
  const before = process.memoryUsage()
  const raws = await Promise.all(Array.from({ length: 1000 }, () => Raw.open(port)))
  for (const raw of raws) raw.send('GET /topics HTTP/1.1\r\nx: ')
  await sleep(200)
  const now = process.memoryUsage()
  const grown = now.heapUsed + now.external - before.heapUsed - before.external
  // Both ends live in this process.
  assert.ok(grown < 64_000_000, `${grown} bytes`)
  await healthy()
  for (const [i, raw] of raws.entries()) {
    if (i % 2 === 0) raw.socket.resetAndDestroy()
    else raw.close()
  }
  await sleep(50)
  await healthy()
})

test('a body that never ends is cut at its limit', async () => {
  const small = await start({ config: { 'http.request.max.bytes': 100_000 } })
  const raw = await Raw.open(small.port)
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
  raw.send(`POST /topics HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`)
  for (let i = 0; i < 1000 && !raw.ended; i++) {
    raw.send(chunk)
    await sleep(1)
  }
  assert.match(await raw.closed(), /^HTTP\/1\.1 413/)
  assert.equal((await ask(`${small.url}/health`)).status, 200)
})

test('who goes in the middle of a body is forgotten', async () => {
  for (let i = 0; i < 20; i++) {
    const raw = await Raw.open(port)
    raw.send(
      `POST /topics HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"name":`,
    )
    await sleep(2)
    if (i % 2 === 0) raw.socket.resetAndDestroy()
    else raw.socket.end()
  }
  await sleep(50)
  await healthy()
})

test('HTTP counts against max.connections and max.connections.per.ip; our own door does not', async () => {
  const narrow = await start({ config: { 'max.connections': 2, 'max.connections.per.ip': 2 } })
  const [first, second] = [await Raw.open(narrow.port), await Raw.open(narrow.port)]
  const request = `GET /topics HTTP/1.1\r\n${host}\r\n\r\n`
  for (const raw of [first, second]) {
    raw.send(request)
    assert.match(await raw.until(/"topics"/), /^HTTP\/1\.1 200/)
  }
  const third = await Raw.open(narrow.port)
  third.send(request)
  assert.equal(await third.closed(), '')
  first.close()
  await sleep(50)
  const fourth = await Raw.open(narrow.port)
  fourth.send(request)
  assert.match(await fourth.until(/"topics"/), /^HTTP\/1\.1 200/)
  for (const raw of [second, fourth]) raw.close()
})

test('connections.max.idle.ms lets go who asks nothing', async () => {
  const brief = await start({ config: { 'connections.max.idle.ms': 200 } })
  const raw = await Raw.open(brief.port)
  raw.send(`GET /health HTTP/1.1\r\n${host}\r\n\r\n`)
  await raw.until(/"status"/)
  await raw.closed()
  const slow = await Raw.open(brief.port)
  slow.send('GET /health HTTP/1.1\r\nx: ')
  await slow.closed()
})

test('a Kafka frame that looks like letters, behind a Kafka request, is no way to HTTP', async () => {
  const wire = await open(broker)
  await wire.ask(Metadata, 12, { topics: [], allowAutoTopicCreation: false })
  wire.socket.write(`GET /health HTTP/1.1\r\n${host}\r\n\r\n`)
  await wire.closed
})
