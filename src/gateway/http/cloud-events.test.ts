import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binaryEvent, type EventRecord, eventBatch, structuredEvent } from './cloud-events.ts'
import { Problem } from './problem.ts'

const shown = ({ key, value, headers }: EventRecord) => ({
  key: key === null ? null : Buffer.from(key).toString(),
  value: value === null ? null : Buffer.from(value).toString(),
  headers: Object.fromEntries(headers.map(each => [each.key, Buffer.from(each.value!).toString()])),
})

const refused = (detail: string) => (error: unknown) =>
  error instanceof Problem && error.status === 400 && error.detail === detail

const plain = { 'ce-id': '1', 'ce-source': '/shop', 'ce-specversion': '1.0', 'ce-type': 'order.made' }

test('binary mode: attributes are headers, data is the value', () => {
  const headers = { ...plain, 'ce-subject': 'caf%C3%A9 "x"', 'ce-partitionkey': 'customer-7', host: 'localhost' }
  const event = binaryEvent(Object.entries(headers), 'text/xml; charset=utf-8', Buffer.from('<order/>'))
  assert.deepEqual(shown(event), {
    key: 'customer-7',
    value: '<order/>',
    headers: {
      'content-type': 'text/xml; charset=utf-8',
      ce_id: '1',
      ce_source: '/shop',
      ce_specversion: '1.0',
      ce_type: 'order.made',
      ce_subject: 'café "x"',
      ce_partitionkey: 'customer-7',
    },
  })
  assert.equal(binaryEvent(Object.entries(plain), null, Buffer.alloc(0)).value, null)
  assert.equal(
    shown(binaryEvent(Object.entries({ ...plain, 'ce-note': '"a\\"b"' }), null, Buffer.alloc(0))).headers.ce_note,
    'a"b',
  )
})

const event =
  '{"specversion":"1.0","id":"1","source":"/shop","type":"order.made","partitionkey":"k","data":{"n":9007199254740993}}'

test('structured mode: the whole event is the value, as it was written', () => {
  assert.deepEqual(shown(structuredEvent(event)), {
    key: 'k',
    value: event,
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  })
})

test('a batch is as many records', () => {
  const other = event.replace('"id":"1"', '"id":"2"').replace(',"partitionkey":"k"', '')
  assert.deepEqual(
    eventBatch(`[ ${event},\n${other}]`)
      .map(shown)
      .map(({ key, value }) => [key, value]),
    [
      ['k', event],
      [null, other],
    ],
  )
  assert.deepEqual(eventBatch('[]'), [])
})

test('what is no event is refused, with the place', () => {
  const { 'ce-type': _, ...untyped } = plain
  const binary = (headers: Record<string, string>) => () => binaryEvent(Object.entries(headers), null, Buffer.alloc(0))
  assert.throws(binary(untyped), refused('the header ce-type must be a string that is not empty: CloudEvents need it'))
  assert.throws(binary({ ...plain, 'ce-specversion': '0.3' }), refused('the header ce-specversion must be 1.0'))
  assert.throws(binary({ ...plain, 'ce-a-b': '1' }), refused('the header ce-a-b names no attribute of a CloudEvent'))
  assert.throws(binary({ ...plain, 'ce-x': '%ff' }), refused('the header ce-x is not percent-encoded UTF-8'))
  assert.throws(() => structuredEvent('[]'), refused('a CloudEvent must be an object'))
  assert.throws(() => eventBatch(event), refused('a batch of CloudEvents is an array'))
  const noId = event.replace('"id":"1"', '"id":""')
  assert.throws(
    () => eventBatch(`[${event},${noId}]`),
    refused('[1].id must be a string that is not empty: CloudEvents need it'),
  )
  assert.throws(() => structuredEvent(event.replace('"k"', '7')), refused('partitionkey must be a string'))
})
