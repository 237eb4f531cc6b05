import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddresses, showAddress } from './address.ts'

test('reads addresses as Kafka’s tools take them', () => {
  assert.deepEqual(parseAddresses('a:1, b:65535,[::1]:9093,c'), [
    { host: 'a', port: 1 },
    { host: 'b', port: 65535 },
    { host: '::1', port: 9093 },
    { host: 'c', port: 9092 },
  ])
  assert.deepEqual(parseAddresses('a:1,').map(showAddress), ['a:1'])
  assert.equal(showAddress({ host: '::1', port: 2 }), '[::1]:2')
})

for (const wrong of ['a:0', 'a:65536', 'a:b', ':9092', 'a:1:2', '::1:9092', '[a:1']) {
  test(`refuses ${wrong}`, () => assert.throws(() => parseAddresses(wrong), RangeError))
}
