import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { open } from '../broker/kit.ts'
import { freePort } from '../free-port.ts'
import { ask, Raw, sleep, start } from './kit.ts'

const named = { topics: [], allowAutoTopicCreation: false }

async function kafkaWorks(broker: { port: number }): Promise<boolean> {
  const wire = await open(broker)
  const answer = await Promise.race([wire.ask(Metadata, 12, named).catch(() => null), wire.closed.then(() => null)])
  wire.close()
  return answer !== null
}

test('doors: what is not among them is closed on the common port', async () => {
  const broker = await start({ config: { doors: 'kafka' } })
  const raw = await Raw.open(broker.port)
  raw.send('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n')
  assert.equal(await raw.closed(), '')
  assert.equal(await kafkaWorks(broker), true)
})

test('doors: without kafka its clients are turned away, and the other doors work', async () => {
  const broker = await start({ config: { doors: 'http' } })
  assert.equal(await kafkaWorks(broker), false)
  assert.equal((await ask(`${broker.url}/topics`, { body: { name: 'made' } })).status, 201)
  assert.equal((await ask(`${broker.url}/topics/made`)).json.name, 'made')
})

test('http.port: a port for HTTP alone', async () => {
  const port = await freePort()
  const broker = await start({ config: { doors: 'kafka', 'http.port': port } })
  const url = `http://127.0.0.1:${port}`
  assert.equal((await ask(`${url}/health`)).status, 200)
  const { json } = await ask(`${url}/metadata/leader`)
  assert.deepEqual([json.port, json.url], [port, url])
  assert.equal(await kafkaWorks({ port }), false)
  assert.equal(await kafkaWorks(broker), true)
  // Kafka's clients are told nothing of it.
  const wire = await open(broker)
  const { brokers } = await wire.ask(Metadata, 12, named)
  assert.deepEqual(
    brokers.map(each => each.port),
    [broker.port],
  )
})

test('a node that stops answers what is under way, and lets idle connections go at once', async () => {
  const broker = await start()
  const host = `host: localhost:${broker.port}`
  const [idle, busy] = [await Raw.open(broker.port), await Raw.open(broker.port)]
  idle.send(`GET /health HTTP/1.1\r\n${host}\r\n\r\n`)
  await idle.until(/"status"/)
  busy.send(`POST /topics HTTP/1.1\r\n${host}\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{"name":`)
  await sleep(50)
  const began = performance.now()
  const stopped = broker.stop()
  await idle.closed()
  busy.send('"in-time"}')
  const answer = await busy.closed()
  assert.match(answer, /^HTTP\/1\.1 201/)
  assert.match(answer, /connection: close/i)
  await stopped
  assert.ok(performance.now() - began < 2500, `${performance.now() - began} ms`)
})

test('who never ends does not hold up the end for long', async () => {
  const broker = await start()
  const raw = await Raw.open(broker.port)
  raw.send(
    `POST /topics HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{"na`,
  )
  await sleep(50)
  const began = performance.now()
  await broker.stop()
  assert.ok(performance.now() - began < 6000, `${performance.now() - began} ms`)
})
