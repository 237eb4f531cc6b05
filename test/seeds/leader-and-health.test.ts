// "GET /metadata/leader" and "GET /health" as the seed with Flask and Redis documents them, word for word.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Raw, start } from '../gateway/kit.ts'

/** Sends the line as it stands, with what HTTP needs besides. */
async function send(port: number, line: string) {
  const raw = await Raw.open(port)
  raw.send(`${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  const [head = '', body = ''] = (await raw.closed()).split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), json: JSON.parse(body) }
}

test('who leads', async () => {
  const { port } = await start()
  const { status, json } = await send(port, 'GET /metadata/leader')
  assert.equal(status, 200)
  assert.deepEqual([json.leader, json.host, json.port], ['broker-1', '127.0.0.1', port])
})

test('whether it is healthy, and whether it leads', async () => {
  const { port } = await start()
  const { status, json } = await send(port, 'GET /health')
  assert.equal(status, 200)
  assert.deepEqual([json.status, json.broker, json.leader, json.isLeader], ['healthy', 'broker-1', 'broker-1', true])
})
