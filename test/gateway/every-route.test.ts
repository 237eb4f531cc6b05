// What must hold for each operation that /openapi.json describes, also for those that somebody adds later.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { ask, start } from './kit.ts'

const broker = await start()

interface Asked {
  readonly method: string
  readonly path: string
}

interface Described {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly schema: { readonly type?: string; readonly default?: unknown }
  }[]
}

/** Every operation, with something for each parameter that it needs. */
async function operations(): Promise<Asked[]> {
  const { json } = await ask(`${broker.url}/openapi.json`)
  const all: Asked[] = []
  for (const [template, methods] of Object.entries<Record<string, Described>>(json.paths))
    for (const [method, { parameters = [] }] of Object.entries(methods)) {
      let path = template
      const query = new URLSearchParams()
      for (const { name, in: place, required = false, schema } of parameters) {
        const value = schema.type === 'integer' ? '1' : 'x'
        if (place === 'path') path = path.replace(`{${name}}`, value)
        else if (place === 'query' && required) query.set(name, value)
      }
      all.push({ method: method.toUpperCase(), path: query.size === 0 ? path : `${path}?${query}` })
    }
  return all
}

function send(
  { method, path }: Asked,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: broker.port, path, method, headers, agent: false }
    const asking = request(options, response => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers })
      response.destroy()
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

const own = `127.0.0.1:${broker.port}`
const evil = 'http://evil.example'
const json = { 'content-type': 'application/json' }
const all = await operations()
const changing = all.filter(({ method }) => method !== 'GET')

test('there are as many as we think', () => {
  assert.ok(all.length >= 40, `${all.length}`)
  assert.ok(changing.length >= 15, `${changing.length}`)
})

test('a page of another origin gets 403, a name that is not ours 421, and neither is told more', async () => {
  for (const each of all) {
    for (const [what, headers, expected] of [
      ['origin', { host: own, origin: evil, ...json }, 403],
      ['opaque origin', { host: own, origin: 'null', ...json }, 403],
      ['no origin, but a browser that says from where', { host: own, 'sec-fetch-site': 'cross-site' }, 403],
      ['another port of this machine', { host: own, 'sec-fetch-site': 'same-site' }, 403],
      ['rebinding', { host: `evil.example:${broker.port}`, ...json }, 421],
      ['rebinding with origin', { host: 'evil.example', origin: evil, ...json }, 421],
    ] as const) {
      const answer = await send(each, headers, each.method === 'GET' || each.method === 'DELETE' ? '' : '{}')
      assert.equal(answer.status, expected, `${each.method} ${each.path}: ${what}`)
      const cors = Object.keys(answer.headers).filter(name => name.startsWith('access-control-'))
      assert.deepEqual(cors, [], `${each.method} ${each.path}: ${what}`)
    }
  }
})

test('what a page may send without asking changes nothing, even where a browser does not say who asks', async () => {
  for (const each of changing)
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain;charset=UTF-8',
    ])
      for (const body of each.method === 'DELETE' ? [''] : ['', '{}', '{"name":"made"}']) {
        const { status } = await send(each, { host: own, 'content-type': type }, body)
        assert.equal(status, 415, `${each.method} ${each.path} as ${type}`)
      }
  assert.deepEqual((await ask(`${broker.url}/topics`)).json.topics, [])
})

test('to look changes nothing: no GET makes a topic or a group', async () => {
  for (const each of all) if (each.method === 'GET') await send(each, { host: own })
  assert.deepEqual((await ask(`${broker.url}/topics`)).json.topics, [])
  assert.deepEqual((await ask(`${broker.url}/groups`)).json.groups, [])
  assert.deepEqual((await ask(`${broker.url}/lease-groups`)).json.groups, [])
})

test('preflights of others get nothing, least of all into private networks', async () => {
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-private-network': 'true' }
  for (const { path } of changing) {
    const theirs = await send({ method: 'OPTIONS', path }, { host: own, origin: evil, ...asked })
    assert.equal(theirs.status, 403, path)
    const ours = await send({ method: 'OPTIONS', path }, { host: own, origin: `http://${own}`, ...asked })
    assert.equal(ours.status, 204, path)
    for (const { headers } of [theirs, ours])
      assert.deepEqual(
        Object.keys(headers).filter(name => name.startsWith('access-control-')),
        [],
        path,
      )
  }
})

test('every answer keeps others from framing it, guessing its type or storing it', async () => {
  for (const each of all) {
    const hasBody = each.method !== 'GET' && each.method !== 'DELETE'
    const { headers } = await send(each, { host: own, ...(hasBody ? json : {}) }, hasBody ? '{}' : '')
    const place = `${each.method} ${each.path}`
    assert.equal(headers['x-content-type-options'], 'nosniff', place)
    assert.equal(headers['x-frame-options'], 'DENY', place)
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin', place)
    assert.match(String(headers['cache-control']), /no-store|no-cache/, place)
  }
  const page = await send({ method: 'GET', path: '/' }, { host: own })
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /script-src 'self'(;|$)/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.match(policy, /form-action 'none'/)
})

test('a WebSocket is not opened, and not for others first of all', async () => {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  assert.equal((await send({ method: 'GET', path: '/health' }, { host: own, origin: evil, ...upgrade })).status, 403)
  assert.equal((await send({ method: 'GET', path: '/health' }, { host: own, ...upgrade })).status, 200)
})

test('names of topics that no topic may have are refused wherever a path takes one', async () => {
  const names = [
    '..',
    '.',
    '%2e%2e',
    'a%2fb',
    '..%2f..%2fetc',
    'a%00b',
    '%ff',
    'a%20b',
    'x'.repeat(250),
    '%F0%9F%98%80',
  ]
  const { json: document } = await ask(`${broker.url}/openapi.json`)
  for (const [template, methods] of Object.entries<object>(document.paths)) {
    if (!template.startsWith('/topics/{topic}')) continue
    for (const method of Object.keys(methods))
      for (const name of names) {
        const path = template.replace('{topic}', name).replace(/\{\w+\}/g, '0-0-0-Zw')
        const body = method === 'get' || method === 'delete' ? '' : '{}'
        const { status } = await send(
          { method: method.toUpperCase(), path },
          { host: own, ...(body === '' ? {} : json) },
          body,
        )
        assert.ok(status === 400 || status === 404 || status === 405, `${method} ${path}: ${status}`)
      }
  }
  const { json: left } = await ask(`${broker.url}/topics`)
  // Some test before has made that one, in order.
  assert.deepEqual(
    left.topics.filter(({ name }: { name: string }) => name !== 'x'),
    [],
  )
})
