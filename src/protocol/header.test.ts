import assert from 'node:assert/strict'
import test from 'node:test'
import {
  peekApi,
  readRequestHeader,
  readResponse,
  readResponseHeader,
  requestFrame,
  requestHeaderVersion,
  responseFrame,
  responseHeaderVersion,
} from './header.ts'
import { ApiVersions } from './messages/api-versions.ts'
import { ControlledShutdown } from './messages/controlled-shutdown.ts'
import { Heartbeat } from './messages/heartbeat.ts'
import { OffsetDelete } from './messages/offset-delete.ts'
import { Produce } from './messages/produce.ts'
import { SaslHandshake } from './messages/sasl-handshake.ts'
import { Reader } from './reader.ts'

test('header versions follow from the version of the API', () => {
  const table = [
    { api: Produce, version: 8, request: 1, response: 0 },
    { api: Produce, version: 9, request: 2, response: 1 },
    { api: ApiVersions, version: 0, request: 1, response: 0 },
    { api: ApiVersions, version: 3, request: 2, response: 0 },
    { api: ApiVersions, version: 99, request: 2, response: 0 }, // from the future: the answer can still be read
    { api: SaslHandshake, version: 1, request: 1, response: 0 },
    { api: OffsetDelete, version: 0, request: 1, response: 0 },
    { api: ControlledShutdown, version: 0, request: 0, response: 0 },
    { api: ControlledShutdown, version: 1, request: 1, response: 0 },
    { api: ControlledShutdown, version: 3, request: 2, response: 1 },
  ]
  for (const { api, version, request, response } of table) {
    assert.equal(requestHeaderVersion(api, version), request, `${api.name} v${version}`)
    assert.equal(responseHeaderVersion(api, version), response, `${api.name} v${version}`)
  }
})

test('a request frame', () => {
  const request = { groupId: 'g', generationId: 1, memberId: 'm' }
  const frame = Buffer.concat(requestFrame(Heartbeat, 4, 7, 'me', request))
  assert.equal(
    frame.toString('hex'),
    '00000017 000c000400000007 0002 6d65 00 0267 00000001 026d 00 00'.replaceAll(' ', ''),
  )
  const reader = new Reader(frame, 4)
  assert.deepEqual(peekApi(reader), { apiKey: 12, apiVersion: 4 })
  assert.deepEqual(readRequestHeader(reader, 2), { apiKey: 12, apiVersion: 4, correlationId: 7, clientId: 'me' })
  assert.deepEqual(Heartbeat.request.readFrom(reader, 4), { ...request, groupInstanceId: null })
  assert.equal(reader.remaining, 0)
})

test('a response frame', () => {
  const frame = Buffer.concat(responseFrame(Heartbeat, 4, 7, { errorCode: 27 }))
  assert.equal(frame.toString('hex'), '0000000c 00000007 00 00000000 001b 00'.replaceAll(' ', ''))
  const reader = new Reader(frame, 4)
  assert.equal(readResponseHeader(reader, 1), 7)
  assert.deepEqual(readResponse(Heartbeat, 4, 7, frame.subarray(4)), { throttleTimeMs: 0, errorCode: 27 })
  assert.throws(() => readResponse(Heartbeat, 4, 8, frame.subarray(4)), /response 7 instead of 8/)
})
