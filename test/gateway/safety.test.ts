import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

/** What comes over a real socket when a browser says so much of itself. */
function browser(
  port: number,
  path: string,
  headers: Record<string, string>,
  { method = 'GET', body = '' } = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers }))
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

const json = { 'content-type': 'application/json' }
const made = '{"name":"made-by-a-page"}'

test('a page of another origin can neither read nor write nor change anything', async () => {
  const broker = await start()
  const own = `127.0.0.1:${broker.port}`
  const rebound = `evil.example:${broker.port}`
  for (const [what, headers, method, body, expected] of [
    ['fetch with JSON', { host: own, origin: 'http://evil.example', ...json }, 'POST', made, 403],
    [
      'its preflight',
      { host: own, origin: 'http://evil.example', 'access-control-request-method': 'POST' },
      'OPTIONS',
      '',
      403,
    ],
    ['a simple POST', { host: own, origin: 'http://evil.example', 'content-type': 'text/plain' }, 'POST', made, 403],
    ['a simple POST of a browser that tells nothing', { host: own, 'content-type': 'text/plain' }, 'POST', made, 415],
    ['a form', { host: own, origin: 'null', 'content-type': 'application/x-www-form-urlencoded' }, 'POST', 'a=b', 403],
    ['a beacon without a type', { host: own, origin: 'http://evil.example' }, 'POST', made, 403],
    ['fetch to read', { host: own, origin: 'http://evil.example' }, 'GET', '', 403],
    ['an image', { host: own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'GET', '', 403],
    ['a page on another port', { host: own, origin: 'http://127.0.0.1:8000', ...json }, 'POST', made, 403],
    ['a name of theirs that points here', { host: rebound, origin: `http://${rebound}`, ...json }, 'POST', made, 421],
    ['the same, to read', { host: rebound }, 'GET', '', 421],
    ['the same, same-origin by its own word', { host: rebound, 'sec-fetch-site': 'same-origin' }, 'GET', '', 421],
  ] as const) {
    const answer = await browser(broker.port, '/topics', headers, { method, body })
    assert.equal(answer.status, expected, what)
    assert.equal(answer.headers['access-control-allow-origin'], undefined, what)
  }
  // Whoever takes our answers for a script, a style or a frame gets nothing.
  const plain = await browser(broker.port, '/topics', { host: own })
  assert.equal(plain.headers['x-content-type-options'], 'nosniff')
  assert.equal(plain.headers['cross-origin-resource-policy'], 'same-origin')
  assert.equal(plain.headers['x-frame-options'], 'DENY')

  const { json: after } = await ask(`${broker.url}/topics`)
  assert.deepEqual(after.topics, [])
  const ours = await browser(
    broker.port,
    '/topics',
    { host: own, origin: `http://${own}`, ...json },
    { method: 'POST', body: made },
  )
  assert.equal(ours.status, 201)
})

test('the Host in the request line counts more than the header', async () => {
  const broker = await start()
  const host = `localhost:${broker.port}`
  assert.equal((await browser(broker.port, `http://evil.example/health`, { host })).status, 421)
  assert.equal((await browser(broker.port, `http://localhost/health`, { host: 'evil.example' })).status, 200)
})

test('http.allowed.hosts and http.allowed.origins let in who is wanted, also while the node runs', async () => {
  const broker = await start({ config: { 'http.allowed.hosts': 'kafka.example.com' } })
  const host = 'kafka.example.com'
  const page = { host, origin: 'https://console.example.com' }
  assert.equal((await browser(broker.port, '/topics', { host })).status, 200)
  assert.equal((await browser(broker.port, '/topics', page)).status, 403)
  const changed = await ask(`${broker.url}/cluster/configs`, {
    method: 'PATCH',
    body: { 'http.allowed.origins': 'https://console.example.com' },
  })
  assert.equal(changed.status, 200, changed.text)
  const answer = await browser(broker.port, '/topics', page)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['access-control-allow-origin'], 'https://console.example.com')
  assert.equal(answer.headers['access-control-allow-credentials'], undefined)
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
  const preflight = await browser(broker.port, '/topics', { ...page, ...asked }, { method: 'OPTIONS' })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers['access-control-allow-headers'], 'content-type')
  assert.match(String(preflight.headers['access-control-allow-methods']), /POST/)
  assert.equal((await browser(broker.port, '/topics', { ...page, origin: 'https://evil.example' })).status, 403)
})
