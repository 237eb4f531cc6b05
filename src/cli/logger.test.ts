import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '../world/logger.ts'
import { explain, Failure } from './failure.ts'
import { createLogger } from './logger.ts'
import { createPaint, wantsColours } from './paint.ts'
import { table, width } from './table.ts'

function logged(format: 'json' | 'text', use: (logger: Logger) => void, level: 'debug' | 'warn' = 'debug'): string {
  let text = ''
  const clock = { now: () => Date.UTC(2026, 0, 1), mono: () => 0 }
  use(createLogger({ format, level, clock, paint: createPaint(false), write: line => (text += line) }))
  return text
}

test('machines get one JSON object a line', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const text = logged('json', logger => {
    logger.info('a "b"\nc', { count: 1, big: 5n, error: new Error('no'), level: 'mine', missing: undefined })
    logger.error('loop', circular)
  })
  const [first, second] = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    { ...first, error: first.error.split('\n')[0] },
    { count: 1, big: '5', error: 'Error: no', level: 'info', time: '2026-01-01T00:00:00.000Z', message: 'a "b"\nc' },
  )
  assert.deepEqual([second.message, second.level], ['loop', 'error'])
})

test('people get a sentence', () => {
  const text = logged('text', logger => logger.warn('disk is full', { free: 0, path: '/a b' }))
  assert.match(text, /^\d\d:\d\d:\d\d warning: disk is full free=0 path="\/a b"\n$/)
})

test('less important lines are left out', () => {
  const text = logged(
    'json',
    logger => {
      for (const level of ['debug', 'info', 'warn'] as const) logger[level](level)
    },
    'warn',
  )
  assert.equal(JSON.parse(text).message, 'warn')
})

test('colours: only for a terminal, unless asked', () => {
  assert.equal(wantsColours({}, true), true)
  assert.equal(wantsColours({}, false), false)
  assert.equal(wantsColours({ NO_COLOR: '1' }, true), false)
  assert.equal(wantsColours({ FORCE_COLOR: '1' }, false), true)
  assert.equal(wantsColours({ TERM: 'dumb' }, true), false)
  assert.equal(createPaint(true).red('x'), '\x1b[31mx\x1b[39m')
})

test('tables: aligned on a terminal, tabs in a pipe', () => {
  const rows = [
    ['orders', '3'],
    ['日本', '12'],
  ]
  assert.equal(
    table(['topic', 'partitions'], rows, { paint: createPaint(false), isTerminal: true }),
    'topic   partitions\norders           3\n日本            12\n',
  )
  assert.equal(
    table(['topic', 'partitions'], rows, { paint: createPaint(true), isTerminal: false }),
    'orders\t3\n日本\t12\n',
  )
  assert.equal(width('\x1b[31mé日\x1b[39m'), 3)
})

test('errors are one line that says what to do, never a stack', () => {
  const system = (code: string, more: object = {}) =>
    explain(Object.assign(new Error('x'), { code, ...more })).lines[0]!
  assert.match(system('EADDRINUSE', { port: 9092, address: '::1' }), /port 9092 is already in use .* --port/)
  assert.match(system('EACCES', { syscall: 'listen', port: 80, address: '::' }), /not allowed to listen/)
  assert.match(system('EACCES', { path: '/data' }), /permission denied: \/data/)
  assert.match(system('ENOENT', { path: 'x.properties' }), /no such file or folder: x.properties/)
  assert.deepEqual(explain(new Failure('do that', 2)), { lines: ['do that'], exitCode: 2 })
  assert.match(explain(new TypeError('x is undefined')).lines[0]!, /internal error/)
  assert.equal(explain(new TypeError('x')).exitCode, 70)
})
