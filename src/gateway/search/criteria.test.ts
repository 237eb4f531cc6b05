import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Criteria, matcherOf } from './criteria.ts'

const record = {
  offset: 0,
  timestamp: 0,
  key: Buffer.from('Order-17'),
  value: Buffer.from(
    ' {"customer":{"id":42,"name":"Grüße"},"items":[{"sku":"a"},{"sku":"7"}],"paid":true,"note":null}',
  ),
  headers: [
    { key: 'trace', value: Buffer.from('ABC-1') },
    { key: 'empty', value: null },
  ],
} as never

const rows: readonly [Criteria, boolean][] = [
  [{}, true],
  [{ key: 'order' }, true],
  [{ key: 'order', matchCase: true }, false],
  [{ key: 'Order', matchCase: true }, true],
  [{ value: 'grüße' }, true],
  [{ value: 'gruss' }, false],
  [{ key: 'order', value: 'nothing' }, false],
  [{ header: 'trace' }, true],
  [{ header: 'Trace' }, false],
  [{ header: 'trace=abc' }, true],
  [{ header: 'trace=abc', matchCase: true }, false],
  [{ header: 'empty' }, true],
  [{ header: 'empty=x' }, false],
  [{ path: 'customer.id' }, true],
  [{ path: '$.customer.id=42' }, true],
  [{ path: 'customer.id=4' }, false],
  [{ path: 'customer' }, true],
  [{ path: 'customer=x' }, false],
  [{ path: 'items[1].sku=7' }, true],
  [{ path: 'items[0].sku=7' }, false],
  [{ path: 'items[*].sku=7' }, true],
  [{ path: '*.id=42' }, true],
  [{ path: 'items[2]' }, false],
  [{ path: 'paid=true' }, true],
  [{ path: 'note=null' }, true],
  [{ path: 'constructor' }, false],
]

test('all that is asked for must hold', () => {
  for (const [criteria, expected] of rows)
    assert.equal(matcherOf(criteria)!(record), expected, JSON.stringify(criteria))
})

test('what is no JSON has no paths, what is nothing has no text', () => {
  for (const value of [null, Buffer.from('text'), Buffer.from('{"a":'), Buffer.from('7'), Buffer.alloc(0)]) {
    const other = { ...(record as object), key: null, value } as never
    assert.equal(matcherOf({ path: 'a' })!(other), false)
    assert.equal(matcherOf({ key: 'a' })!(other), false)
  }
})

test('what is no path is told', () => {
  for (const path of ['', '=7', '$', 'a[b]', 'a..b', '[', 'a]']) assert.equal(matcherOf({ path }), null, path)
})
