// "POST /produce" as the seed with Flask and Redis documents it, word for word; only the port is another one.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { eventually } from '../cluster/kit.ts'
import { ask, start } from '../gateway/kit.ts'

/** The request as the README has it. */
const documented = `POST /produce
Content-Type: application/json

{
    "message": "Your message here",
    "topic": "your-topic"
}`

/** Sends it as it stands: what HTTP itself needs besides is the version, the host and the length. */
function send(
  port: number,
  path = '/produce',
): Promise<{ status: number; location: string; json: Record<string, unknown> }> {
  const [head = '', body = ''] = documented.split('\n\n')
  const [line = '', ...headers] = head.replace('/produce', path).split('\n')
  const all = [`${line} HTTP/1.1`, 'Host: localhost', 'Connection: close', `Content-Length: ${body.length}`, ...headers]
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1')
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', reject)
    socket.on('end', () => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
      const location = /^location: (.*)$/im.exec(answer)?.[1]?.trim() ?? ''
      resolve({ status, location, json: JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) })
    })
    socket.write(`${all.join('\r\n')}\r\n\r\n${body}`)
  })
}

test('the documented request writes the message to the topic', async () => {
  const broker = await start()
  const first = await send(broker.port)
  assert.equal(first.status, 200)
  assert.deepEqual([first.json.status, first.json.topic, first.json.offset], ['success', 'your-topic', 0])
  assert.equal((await send(broker.port)).json.offset, 1)
  const { json } = await ask(`${broker.url}/topics/your-topic/records`)
  assert.deepEqual(
    json.records.map((each: { value: string }) => each.value),
    ['Your message here', 'Your message here'],
  )
})

test('messages may be any JSON, and have a key', async () => {
  const broker = await start()
  const produce = async (body: string) =>
    (await ask(`${broker.url}/produce`, { body, headers: { 'content-type': 'application/json' } })).status
  assert.equal(await produce('{"topic": "t", "message": {"id": 12345678901234567890}, "key": "k"}'), 200)
  assert.equal(await produce(`{"topic": "t", "message": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 200)
  const { json, text } = await ask(`${broker.url}/topics/t/records?maxRecords=1`)
  assert.equal(json.records[0].key, 'k')
  assert.match(text, /"value":\{"id": 12345678901234567890\}/)
  assert.equal(
    (await ask(`${broker.url}/topics/t/records?offset=1&valueFormat=string`)).json.records[0].value.length,
    200_000,
  )
})

test('what is missing is said', async () => {
  const { url } = await start()
  for (const [body, detail] of [
    [{ topic: 't' }, /message is missing/],
    [{ message: 'm' }, /topic is missing/],
    [{ message: 'm', topic: 'no topic' }, /topic must match/],
    [{ message: 'm', topic: 't', keys: 'k' }, /keys is not known/],
  ] as const) {
    const answer = await ask(`${url}/produce`, { body })
    assert.equal(answer.status, 400)
    assert.match(answer.json.detail, detail)
  }
  assert.equal((await ask(`${url}/produce`, { body: '{}' })).status, 415)
})

let cluster: RunningCluster

before(async () => {
  cluster = await startCluster()
})

after(() => cluster?.stop())

test('only the leader takes it, followers redirect to the leader; when that is gone, another one leads', async () => {
  const leaderOf = async (port: number) => (await ask(`http://127.0.0.1:${port}/metadata/leader`)).json.port as number
  const ports = cluster.nodes.map(({ port }) => port)
  const leader = await leaderOf(ports[1]!)
  for (const port of ports) {
    const { status, location } = await send(port)
    if (port === leader) assert.equal(status, 200)
    else assert.deepEqual([status, location], [307, `http://127.0.0.1:${leader}/produce`])
    assert.equal((await send(port, '/produce?forward=true')).status, 200)
  }
  await cluster.nodes.find(({ port }) => port === leader)!.stop()
  const left = ports.filter(port => port !== leader)
  await eventually(async () => {
    const next = await leaderOf(left[0]!)
    assert.ok(left.includes(next))
    assert.equal((await send(next)).status, 200)
  })
})
