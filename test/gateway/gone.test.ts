// Clients that go before they are answered leave nothing behind.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ask, metricOf, Raw, sleep, start, until } from './kit.ts'

test('who asks for events and goes at once leaves no stream', async () => {
  const { url, port } = await start()
  for (let i = 0; i < 20; i++) {
    await ask(`${url}/topics`, { body: { name: `t${i}` } })
    const socket = connect(port, '127.0.0.1')
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write(`GET /topics/t${i}/events?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    if (i % 2 === 0) await sleep(i / 4)
    socket.destroy()
  }
  await until(async () => (await metricOf(url, 'ottla_event_streams')) === 0)
})

/** Of the first no answer comes as long as anybody waits for it: those behind it have no socket. */
const slow = 'GET /topics/quiet/records?partition=0&waitMs=60000'
const large = 'GET /topics/large/records?maxBytes=8388608'
const pushed = '{"value":"x"}\n'.repeat(3000)

for (const [what, request, body, name] of [
  ['reads much', large, '', 'ottla_door_read_bytes'],
  ['subscribes', 'GET /topics/quiet/events', '', 'ottla_event_streams'],
  ['waits', 'GET /topics/quiet/records?partition=0&offset=0&waitMs=50000', '', 'ottla_door_waiting'],
  ['pushes lines, and hears of each,', 'POST /topics/lines/records', pushed, 'ottla_door_body_bytes'],
] as const)
  test(`who ${what} behind another request, and goes before its answer, leaves nothing`, async () => {
    const { url, port } = await start()
    const headers = { 'content-type': 'application/octet-stream' }
    for (const topic of ['quiet', 'lines']) await ask(`${url}/topics`, { body: { name: topic, partitions: 1 } })
    for (let i = 0; i < 4; i++) await ask(`${url}/topics/large/records`, { body: Buffer.alloc(500_000, 'x'), headers })
    const raw = await Raw.open(port)
    raw.send(`${slow} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await until(async () => (await metricOf(url, 'ottla_door_waiting')) === 1)
    const kind = 'content-type: application/x-ndjson\r\naccept: application/x-ndjson\r\ntransfer-encoding: chunked\r\n'
    raw.send(`${request} HTTP/1.1\r\nhost: localhost\r\n${body === '' ? '' : kind}\r\n`)
    // When some have heard what became of lines that nobody takes, a last line without its end is kept.
    for (const piece of body === '' ? [] : [body, '{'])
      await sleep(200).then(() => raw.send(`${piece.length.toString(16)}\r\n${piece}\r\n`))
    const before = name === 'ottla_door_waiting' ? 1 : 0
    await until(async () => (await metricOf(url, name)) > before)
    raw.close()
    await until(async () => (await metricOf(url, name)) === 0)
    await until(async () => (await metricOf(url, 'ottla_door_waiting')) === 0)
    assert.equal((await ask(`${url}/health`)).status, 200)
  })
