import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admit, type Caller, Guard, type GuardRules, preflight } from './guard.ts'
import { Problem } from './problem.ts'

const rules: GuardRules = { ownHosts: ['localhost', 'Broker.Example.org'], allowedHosts: [], allowedOrigins: [] }
const open: GuardRules = {
  ownHosts: [],
  allowedHosts: ['kafka.example.com', '*.lan.example.com'],
  allowedOrigins: ['https://console.example.com', 'http://localhost:3000'],
}

const none = { origin: undefined, site: undefined, mode: undefined, dest: undefined }
const get = (headers: Partial<Caller>): Caller => ({ method: 'GET', host: 'localhost:9092', ...none, ...headers })
const post = (headers: Partial<Caller>): Caller => ({ ...get(headers), method: 'POST' })

/** The status of the problem; 200: let in. */
function verdict(caller: Caller, by: GuardRules = rules): number {
  try {
    admit(caller, by)
    return 200
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error.status
  }
}

describe('the Host of a request', () => {
  for (const [host, expected] of [
    ['localhost', 200],
    ['localhost:9092', 200],
    ['LOCALHOST:9092', 200],
    ['localhost.:9092', 200],
    ['app.localhost:9092', 200],
    ['127.0.0.1:9092', 200],
    ['127.1.2.3', 200],
    ['[::1]:9092', 200],
    ['10.1.2.3:9092', 200],
    ['[fe80::1]:9092', 200],
    // A container, a pod, a machine in the local network.
    ['ottla:9092', 200],
    ['ottla-0.ottla.default.svc.cluster.local:9092', 200],
    ['printer.local', 200],
    ['broker.example.org:9092', 200],
    // DNS rebinding: a name of theirs that points here now.
    ['evil.example:9092', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['other.example.org', 421],
    ['xbroker.example.org', 421],
    // Nothing that a URL parser and we could read differently.
    ['localhost@evil.example', 421],
    ['localhost:9092@evil.example', 421],
    ['evil.example#localhost', 421],
    ['localhost:', 421],
    ['localhost:99999999', 421],
    ['', 400],
    ['.', 421],
    ['local host', 421],
    ['[::1', 421],
    [undefined, 400],
  ] as const)
    it(`${host}: ${expected === 200 ? 'ours' : 'not ours'}`, () => {
      assert.equal(verdict(get({ host })), expected)
      assert.equal(verdict(post({ host })), expected)
    })

  it('may be allowed by name', () => {
    assert.equal(verdict(get({ host: 'kafka.example.com' }), open), 200)
    assert.equal(verdict(get({ host: 'a.lan.example.com:9092' }), open), 200)
    assert.equal(verdict(get({ host: 'lan.example.com' }), open), 421)
    assert.equal(verdict(get({ host: 'evillan.example.com' }), open), 421)
    assert.equal(verdict(get({ host: 'evil.example' }), { ...open, allowedHosts: ['*'] }), 200)
  })
})

describe('the Origin of a request', () => {
  for (const [origin, expected] of [
    ['http://localhost:9092', 200],
    ['http://LOCALHOST:9092', 200],
    ['https://localhost:9092', 200],
    ['http://localhost', 403],
    ['http://localhost:3000', 403],
    ['http://127.0.0.1:9092', 403],
    ['http://evil.example', 403],
    ['http://localhost:9092.evil.example', 403],
    ['http://evil.example/localhost:9092', 403],
    ['file://', 403],
    ['null', 403],
    ['', 403],
  ] as const)
    it(`${origin}: ${expected === 200 ? 'ours' : 'kept out'}`, () => {
      assert.equal(verdict(get({ origin })), expected)
      assert.equal(verdict(post({ origin })), expected)
    })

  it('without a port is that of the scheme', () => {
    assert.equal(verdict(get({ host: 'localhost', origin: 'http://localhost' })), 200)
    assert.equal(verdict(get({ host: 'localhost:443', origin: 'https://localhost' })), 200)
    assert.equal(verdict(get({ host: 'localhost:80', origin: 'https://localhost' })), 403)
  })

  it('does not help under a name that is not ours', () => {
    assert.equal(verdict(post({ host: 'evil.example:9092', origin: 'http://evil.example:9092' })), 421)
  })

  it('may be allowed, and then only itself may read', () => {
    const headers = admit(post({ origin: 'http://localhost:3000' }), open)
    assert.equal(headers['access-control-allow-origin'], 'http://localhost:3000')
    assert.equal(headers.vary, 'Origin')
    assert.equal(headers['access-control-allow-credentials'], undefined)
    assert.equal(verdict(post({ origin: 'http://localhost:3001' }), open), 403)
    assert.deepEqual(admit(get({}), open), {})
    assert.equal(verdict(post({ origin: 'null' }), { ...open, allowedOrigins: ['*'] }), 200)
    assert.equal(preflight(['GET', 'POST'], 'content-type')['access-control-allow-headers'], 'content-type')
  })
})

describe('what browsers load without an Origin', () => {
  for (const [what, caller, expected] of [
    ['an image on another site', get({ site: 'cross-site', mode: 'no-cors', dest: 'image' }), 403],
    ['a script on another port', get({ site: 'same-site', mode: 'no-cors', dest: 'script' }), 403],
    ['a frame', get({ site: 'cross-site', mode: 'navigate', dest: 'iframe' }), 403],
    ['a form that posts', post({ site: 'cross-site', mode: 'navigate', dest: 'document' }), 403],
    ['a link that is followed', get({ site: 'cross-site', mode: 'navigate', dest: 'document' }), 200],
    ['an address that is typed', get({ site: 'none', mode: 'navigate', dest: 'document' }), 200],
    ['our own page', get({ site: 'same-origin', mode: 'cors', dest: 'empty' }), 200],
    ['no browser at all', post({}), 200],
  ] as const)
    it(`${what}: ${expected}`, () => assert.equal(verdict(caller), expected))
})

describe('a guard', () => {
  it('remembers hosts, but not against a setting that has changed, nor for what says where it is from', () => {
    const settings: Record<string, readonly string[]> = {
      'http.allowed.hosts': ['a.example'],
      'http.allowed.origins': [],
    }
    const guard = new Guard({ node: { hosts: [] }, config: { get: (name: string) => settings[name] } } as never)
    const refused = (caller: Caller) => assert.throws(() => guard.admit(caller), Problem)
    for (let i = 0; i < 300; i++) guard.admit(get({ host: `node-${i}` }))
    guard.admit(get({ host: 'a.example' }))
    guard.admit(get({ host: 'a.example' }))
    refused(get({ host: 'a.example', origin: 'http://b.example' }))
    refused(get({ host: 'a.example', site: 'cross-site' }))
    settings['http.allowed.hosts'] = []
    refused(get({ host: 'a.example' }))
    refused(get({ host: undefined }))
  })
})
