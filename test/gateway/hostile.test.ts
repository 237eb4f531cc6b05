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

const asJson = { 'content-type': 'application/json' }
const lines = { 'content-type': 'application/x-ndjson' }

test('megabytes of brackets are refused before anybody is kept waiting, wherever JSON is taken', async () => {
  const deep = '['.repeat(2_000_000) + ']'.repeat(2_000_000)
  for (const [path, body, headers, expected] of [
    ['/topics', deep, asJson, 413],
    ['/produce', `{"topic":"deep","message":${deep}}`, asJson, 413],
    ['/topics/deep/records', `{"value":${deep}}`, asJson, 413],
    ['/topics/deep/records', `{"value":${deep}}\n`, lines, 413],
    ['/topics/deep/records', `{"value":${deep}}`, { ...lines, 'idempotency-key': 'k' }, 413],
    ['/topics/deep/records', deep, { 'content-type': 'application/cloudevents-batch+json' }, 413],
  ] as const) {
    const begun = performance.now()
    const asking = ask(`${url}${path}`, { body, headers })
    const others = await ask(`${url}/health`)
    assert.equal(others.status, 200)
    const { status, json } = await asking
    assert.equal(status, expected, path)
    assert.equal(json.type, 'urn:ottla:problem:too-many-values')
    // Four seconds without the limit.
    assert.ok(performance.now() - begun < 2000, `${path}: ${performance.now() - begun} ms`)
  }
})

test('a value of a megabyte of brackets that came by another door is shown, and searched, without a stop', async () => {
  const value = `[${'[[[[]]]],'.repeat(100_000)}0]`
  const headers = { 'content-type': 'application/octet-stream' }
  assert.equal((await ask(`${url}/topics/brackets/records`, { body: value, headers })).status, 200)
  const { json, text } = await ask(`${url}/topics/brackets/records`)
  assert.equal(json.records[0].value.length, 100_001)
  assert.ok(text.includes(value))
  const search = async (query: string) => (await fetch(`${url}/topics/brackets/search?${query}`)).text()
  assert.match(await search('value=[[[[]]]],0'), /"done":\{"scanned":1,"total":1,"found":1/)
  // More values than anybody could have sent as JSON are not looked into.
  assert.match(await search('path=[0]'), /"done":\{"scanned":1,"total":1,"found":0/)
})

test('names that mean something to JavaScript mean nothing here', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const headers = `{"${name}":"a","b":["1","2"]}`
    const body = `{"value":{"${name}":{"admin":true}},"headers":${headers}}`
    assert.equal((await ask(`${url}/topics/names/records`, { body, headers: asJson })).status, 200)
    const { text } = await ask(`${url}/topics/names/records?offset=latest&maxRecords=1`)
    assert.match(text, /"records":\[\]/)
    assert.equal(
      (await ask(`${url}/topics/names/configs`, { method: 'PATCH', body: `{"${name}":"x"}`, headers: asJson })).status,
      400,
    )
    assert.equal((await ask(`${url}/topics`, { body: `{"name":"t","${name}":1}`, headers: asJson })).status, 400)
    assert.equal((await ask(`${url}/topics/names/records?${name}=1`)).status, 400)
    assert.equal((await ask(`${url}/${name}`)).status, 404)
    assert.equal((await ask(`${url}/topics/${name}/records`)).status, 404)
  }
  const { text } = await ask(`${url}/topics/names/records`)
  assert.match(text, /"headers":\{"__proto__":"a","b":\["1","2"\]\}/)
  assert.equal(({} as { admin?: boolean }).admin, undefined)
})

test('numbers that are none of ours', async () => {
  for (const number of ['1e999', '-1', '1.5', '9007199254740993', '1e15', '"1"', `1${'0'.repeat(400)}`]) {
    for (const field of ['partition', 'timestamp']) {
      const body = `{"value":1,"${field}":${number}}`
      assert.equal((await ask(`${url}/topics/numbers/records`, { body, headers: asJson })).status, 400, body)
    }
    assert.equal(
      (await ask(`${url}/topics`, { body: `{"name":"n","partitions":${number}}`, headers: asJson })).status,
      400,
    )
    for (const query of ['partition', 'maxRecords', 'timestamp', 'waitMs']) {
      const { status } = await ask(`${url}/topics/numbers/records?${query}=${encodeURIComponent(number)}`)
      assert.equal(status, 400, `${query}=${number}`)
    }
  }
  const digits = '7'.repeat(500_000)
  assert.equal(
    (await ask(`${url}/topics/numbers/records`, { body: `{"value":${digits}}`, headers: asJson })).status,
    200,
  )
  assert.ok((await ask(`${url}/topics/numbers/records?maxBytes=8000000`)).text.includes(digits))
})

test('bytes that are no text', async () => {
  const bad = Buffer.concat([Buffer.from('{"value":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}')])
  assert.equal((await ask(`${url}/topics/texts/records`, { body: bad, headers: asJson })).status, 400)
  assert.equal((await ask(`${url}/produce`, { body: bad, headers: asJson })).status, 400)
  const good = Buffer.from('{"value":"gr\u00fc\u00dfe"}\n')
  const { status, json } = await ask(`${url}/topics/texts/records`, {
    body: Buffer.concat([good, bad, Buffer.from('\n'), good]),
    headers: lines,
  })
  assert.equal(status, 207)
  assert.deepEqual([json.written, json.failed, json.errors[0].line], [2, 1, 2])
  assert.match(json.errors[0].error.detail, /not UTF-8/)
})

test('a problem is told in few words, however many the client had', async () => {
  const name = 'n'.repeat(100_000)
  const { status, text } = await ask(`${url}/topics/t/records`, { body: `{"value":1,"${name}":1}`, headers: asJson })
  assert.equal(status, 400)
  assert.ok(text.length < 2000, `${text.length}`)
  const body = Array.from({ length: 50 }, () => `{"value":1,"${name}":1}\n`).join('')
  const answer = await ask(`${url}/topics/t/records`, { body, headers: lines })
  assert.equal(answer.status, 400)
  assert.ok(answer.text.length < 100_000, `${answer.text.length}`)
})

test('who asks ahead, and takes nothing, is refused more before he holds too much', async () => {
  const own = await start()
  const body = Buffer.alloc(60_000, 'x')
  const headers = { 'content-type': 'application/octet-stream' }
  await ask(`${own.url}/topics/t/records`, { body, headers })
  const raws = await Promise.all(Array.from({ length: 6 }, () => Raw.open(own.port)))
  const request = `GET /topics/t/records HTTP/1.1\r\nhost: localhost\r\n\r\n`
  for (const raw of raws) {
    raw.socket.pause()
    raw.send(request.repeat(100))
  }
  const metric = async () => {
    const { text } = await ask(`${own.url}/metrics`)
    return Number(/^ottla_door_answer_bytes (\d+)/m.exec(text)?.[1])
  }
  let held = 0
  for (let i = 0; i < 50 && held < 1_000_000; i++) {
    await sleep(100)
    held = await metric()
  }
  // Each may leave a quarter of a mebibyte, and what was made before that much was left.
  assert.ok(held > 1_000_000 && held <= 6 * (256 * 1024 + 8 * 61_000), `${held}`)
  assert.equal((await ask(`${own.url}/health`)).status, 200)
  for (const raw of raws) raw.close()
  for (let i = 0; i < 50 && held > 100_000; i++) {
    await sleep(20)
    held = await metric()
  }
  assert.ok(held < 100_000, `${held}`)
  assert.equal((await ask(`${own.url}/topics/t/records`)).status, 200)
})
