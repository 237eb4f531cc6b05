import assert from 'node:assert/strict'
import test from 'node:test'
import { readResponse, requestFrame, responseFrame } from './header.ts'
import type { RequestOf, ResponseOf } from './schema.ts'
import { api, array, bool, int16, int32, string } from './schema.ts'

const Sample = api(
  3,
  'Sample',
  '0-9',
  { flexible: '5+' },
  { topics: array({ name: string }).nullable('1+'), all: bool.in('4+').or(true) },
  { brokers: array({ nodeId: int32, rack: string.in('1+').nullable('1+').or(null) }), errorCode: int16 },
)

test('a response frame says its size, its correlation id, its body', () => {
  const chunks = responseFrame(Sample, 5, 7, { brokers: [{ nodeId: 1 }], errorCode: 3 })
  const bytes = Buffer.concat(chunks)
  assert.equal(bytes.toString('hex'), '0000000f00000007000200000001000000030 0'.replace(' ', ''))
  const value: ResponseOf<typeof Sample> = readResponse(Sample, 5, 7, bytes.subarray(4))
  assert.deepEqual(value, { brokers: [{ nodeId: 1, rack: null }], errorCode: 3 })
})

test('a request frame says what it is and who sent it', () => {
  const bytes = Buffer.concat(requestFrame(Sample, 0, 1, 'me', { topics: [] }))
  assert.equal(bytes.toString('hex'), '00000010000300000000000100026d6500000000')
  const value: RequestOf<typeof Sample> = Sample.request.read(bytes, 0, 16)
  assert.deepEqual(value, { topics: [], all: true })
})

test('types: what is required, what may be left out', () => {
  // @ts-expect-error: topics is required
  assert.throws(() => Sample.request.toBytes(4, {}), /SampleRequest v4: field topics is missing/)
  // @ts-expect-error: not a number
  assert.throws(() => Sample.response.toBytes(4, { errorCode: 'x', brokers: [] }), /not an int16: x/)
})
