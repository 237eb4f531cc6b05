// "clients can subscribe to the broker so that each message in message queues will be pushed to the clients as a server-sent
// event": the first seed's subscription mode, with nothing but curl.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { after, before, test } from 'node:test'
import { hasCurl, start } from '../gateway/kit.ts'

let url = ''
const running = new Set<ChildProcess>()

before(async () => {
  ;({ url } = await start())
})

after(() => {
  for (const child of running) child.kill()
})

/** curl, and what it has printed so far. */
function curl(...args: string[]): {
  readonly output: () => string
  until(pattern: RegExp): Promise<string>
  end(): void
} {
  const child = spawn('curl', ['--silent', '--show-error', '--no-buffer', ...args])
  running.add(child)
  let text = ''
  child.stdout.setEncoding('utf8').on('data', more => {
    text += more
  })
  return {
    output: () => text,
    async until(pattern) {
      for (const end = performance.now() + 5000; !pattern.test(text); await new Promise(go => setTimeout(go, 10)))
        assert.ok(performance.now() < end, `${pattern} did not come: ${text}`)
      return text
    },
    end: () => void child.kill(),
  }
}

const push = (key: string, value: string) =>
  curl('--json', JSON.stringify({ key, value }), `${url}/topics/greetings/records`).until(/"offset"/)

test('each message is pushed to every client as a server-sent event', async t => {
  if (!hasCurl()) return t.skip('curl is not here')
  await push('first', 'made the topic')
  const clients = [curl(`${url}/topics/greetings/events`), curl(`${url}/topics/greetings/events`)]
  for (const client of clients) await client.until(/^retry: \d+\nid: 1@[\w-]{4}\n\n/)
  await push('name', 'hello')
  for (const client of clients) {
    const text = await client.until(/"hello"/)
    assert.match(
      text,
      /\nid: 2@[\w-]{4}\ndata: \{"topic":"greetings","partition":0,"offset":1,"timestamp":\d+,"key":"name","value":"hello","headers":\{\}\}\n\n$/,
    )
    client.end()
  }
})

test('a client that comes back with its last id gets what it has missed', async t => {
  if (!hasCurl()) return t.skip('curl is not here')
  await push('missed', 'while away')
  const client = curl('-H', 'Last-Event-ID: 2', `${url}/topics/greetings/events`)
  await client.until(/"offset":2,.*"while away"/)
  client.end()
})
