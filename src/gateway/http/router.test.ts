import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Problem } from './problem.ts'
import type { Method, Operation, Route } from './route.ts'
import { inputsOf, Router } from './router.ts'

const operation: Operation = { operationId: 'x', summary: 'x', tags: [], responses: {} }
const route = (method: Method, path: string): Route => ({ method, path, operation, handle: () => ({}) })

const router = new Router([
  route('GET', '/'),
  route('GET', '/topics'),
  route('POST', '/topics'),
  route('GET', '/topics/{topic}'),
  route('GET', '/topics/mine'),
  route('GET', '/topics/{topic}/records'),
  route('DELETE', '/topics/mine/now'),
])

function problem(run: () => unknown): Problem {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

describe('a router', () => {
  for (const [method, path, expected, parameters] of [
    ['GET', '/', '/', {}],
    ['GET', '/topics', '/topics', {}],
    ['GET', '/topics/', '/topics', {}],
    ['HEAD', '/topics', '/topics', {}],
    ['GET', '/topics/orders', '/topics/{topic}', { topic: 'orders' }],
    ['GET', '/topics/mine', '/topics/mine', {}],
    // A word leads nowhere; the parameter beside it does.
    ['GET', '/topics/mine/records', '/topics/{topic}/records', { topic: 'mine' }],
    ['GET', '/topics/a%2Fb/records', '/topics/{topic}/records', { topic: 'a/b' }],
    ['GET', '/topics/%E2%82%AC', '/topics/{topic}', { topic: '€' }],
    ['GET', '/topics/__proto__', '/topics/{topic}', { topic: '__proto__' }],
  ] as const)
    it(`${method} ${path}`, () => {
      const match = router.find(method, path)
      assert.equal(match.route.path, expected)
      assert.deepEqual({ ...match.parameters }, parameters)
    })

  for (const path of ['/nothing', '/topics//records', '/topics/a/b', '/topics/a/records/b'])
    it(`${path} is not there`, () => assert.equal(problem(() => router.find('GET', path)).status, 404))

  it('says what is allowed', () => {
    const wrong = problem(() => router.find('PUT', '/topics'))
    assert.equal(wrong.status, 405)
    assert.equal(wrong.headers.allow, 'GET, POST, HEAD, OPTIONS')
    assert.deepEqual(router.methods('/topics/mine/now'), ['DELETE', 'OPTIONS'])
    assert.deepEqual(router.methods('/none'), [])
  })

  it('does not decode nonsense', () => {
    assert.equal(problem(() => router.find('GET', '/topics/%ff')).status, 400)
    assert.equal(problem(() => router.find('GET', '/topics/%')).status, 400)
  })

  it('finds the same again, however many other paths come in between', () => {
    const first = router.find('GET', '/topics/mine-too')
    assert.deepEqual(router.find('GET', '/topics/mine-too'), first)
    for (let i = 0; i < 2000; i++) assert.equal(router.find('GET', `/topics/t${i}`).parameters.topic, `t${i}`)
    assert.deepEqual(router.find('GET', '/topics/mine-too'), first)
    assert.equal(problem(() => router.find('PUT', '/topics/mine-too')).status, 405)
  })

  it('has every route once', () => {
    assert.throws(() => new Router([route('GET', '/a/{b}'), route('GET', '/a/{c}')]), /twice/)
  })
})

describe('the inputs of an operation', () => {
  const asked = (search: string, headers: Record<string, string> = {}) =>
    inputsOf(
      {
        ...operation,
        parameters: [
          { name: 'node', in: 'path', description: '', schema: { type: 'integer', minimum: 0 } },
          { name: 'limit', in: 'query', description: '', schema: { type: 'integer', minimum: 1, maximum: 10 } },
          { name: 'all', in: 'query', description: '', schema: { type: 'boolean', default: false } },
          { name: 'from', in: 'query', description: '', schema: { type: 'string', enum: ['earliest', 'latest'] } },
          { name: 'idempotency-key', in: 'header', description: '', schema: { type: 'string', maxLength: 3 } },
        ],
      },
      { parameters: { node: '7' }, query: new URLSearchParams(search), header: name => headers[name] ?? null },
    )

  it('are what their schemas say', () => {
    assert.deepEqual(asked('limit=3&all=true'), { node: 7, limit: 3, all: true })
    assert.deepEqual(asked('from=latest', { 'idempotency-key': 'k' }), {
      node: 7,
      all: false,
      from: 'latest',
      'idempotency-key': 'k',
    })
  })

  for (const [search, expected] of [
    ['limit=0', /query parameter limit must be at least 1/],
    ['limit=11', /at most 10/],
    ['limit=1.5', /a whole number/],
    ['limit=', /a whole number/],
    ['limit=9007199254740993', /a whole number/],
    ['all=yes', /a boolean/],
    ['from=now', /"earliest", "latest"/],
    ['limt=3', /no query parameter limt.*did you mean limit/],
  ] as const)
    it(`${search} is refused`, () => {
      const wrong = problem(() => asked(search))
      assert.equal(wrong.status, 400)
      assert.match(wrong.detail, expected)
    })

  it('in headers are checked, too', () => {
    assert.match(
      problem(() => asked('', { 'idempotency-key': 'long' })).detail,
      /header idempotency-key .*longer than 3/,
    )
  })
})
