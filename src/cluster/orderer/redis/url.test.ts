import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRedisUrl } from './url.ts'

const plain = {
  address: { host: 'localhost', port: 6379 },
  username: '',
  password: '',
  database: 0,
  prefix: 'ottla',
  replicas: 0,
  accept: null,
}

describe('the address of a Redis', () => {
  for (const [text, expected] of [
    ['redis://localhost', plain],
    ['redis://', plain],
    ['redis://r:7000', { ...plain, address: { host: 'r', port: 7000 } }],
    ['redis://[::1]:7000', { ...plain, address: { host: '::1', port: 7000 } }],
    ['redis://:p%40ss@localhost/4', { ...plain, password: 'p@ss', database: 4 }],
    ['redis://me:x@localhost', { ...plain, username: 'me', password: 'x' }],
    ['redis://localhost?prefix=a.b&replicas=2&accept=abc', { ...plain, prefix: 'a.b', replicas: 2, accept: 'abc' }],
  ] as const) {
    it(`is read: ${text}`, () => assert.deepEqual(parseRedisUrl(text), expected))
  }

  for (const [text, message] of [
    ['localhost:6379', /is not redis:/],
    ['nothing', /is not an address/],
    ['rediss://:secret@localhost', /TLS/],
    ['redis://localhost/a', /the database is a number, not a/],
    ['redis://localhost?replica=1', /replica= is not known; there are prefix, replicas, accept/],
    ['redis://localhost?prefix={a}', /prefix=/],
    ['redis://localhost?replicas=-1', /replicas= is a number/],
  ] as const) {
    it(`is refused: ${text}`, () =>
      assert.throws(
        () => parseRedisUrl(text),
        (error: Error) => message.test(error.message) && !error.message.includes('secret'),
      ))
  }
})
