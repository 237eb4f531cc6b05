// Clients that go before they are answered leave nothing behind.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ask, sleep, start } from './kit.ts'

test('who asks for events and goes at once leaves no stream', async () => {
  const { url, port } = await start()
  const streams = async () => {
    const { text } = await ask(`${url}/metrics`)
    return Number(/^ottla_event_streams (\d+)$/m.exec(text)?.[1] ?? 0)
  }
  for (let i = 0; i < 20; i++) {
    await ask(`${url}/topics`, { body: { name: `t${i}` } })
    const socket = connect(port, '127.0.0.1')
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write(`GET /topics/t${i}/events?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    if (i % 2 === 0) await sleep(i / 4)
    socket.destroy()
  }
  for (let i = 0; (await streams()) > 0; i++) {
    assert.ok(i < 60, `${await streams()} streams are left`)
    await sleep(50)
  }
})
