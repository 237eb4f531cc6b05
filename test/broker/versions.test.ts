import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servedApis } from '../../src/broker/served.ts'
import { ErrorCode, errorName } from '../../src/protocol/errors.ts'
import { readResponse, requestFrame } from '../../src/protocol/header.ts'
import { allApis } from '../../src/protocol/messages/all.ts'
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { validRequest } from './every-request.ts'
import { listener, open, start, topic } from './kit.ts'
import type { Wire } from './wire.ts'

const logger = listener()
const broker = await start({ logger })
const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
const wire = await open(broker)
const victim = await topic(wire)
const { name } = victim

/** A frame with nothing but a header of version 1. */
function bare(apiKey: number, apiVersion: number): Buffer {
  const frame = Buffer.alloc(15)
  frame.writeInt32BE(11, 0)
  frame.writeInt16BE(apiKey, 4)
  frame.writeInt16BE(apiVersion, 6)
  frame.writeInt32BE(7, 8)
  frame.writeInt16BE(1, 12)
  frame.write('c', 14)
  return frame
}

/** Sends bytes that must end the connection with exactly one line in the log, which says why. */
async function refused(bytes: Uint8Array, says: RegExp): Promise<void> {
  const before = logger.lines.length
  const hostile = await open(broker)
  hostile.socket.write(bytes)
  await hostile.closed
  const lines = logger.lines.slice(before)
  assert.equal(lines.length, 1, lines.join('\n'))
  assert.match(lines[0]!, says)
}

test('an unknown API ends the connection, and one line says so', () => refused(bare(999, 0), /API 999 version 0/))

test('an unknown version ends the connection, and one line says so', () =>
  refused(bare(Fetch.key, 99), /Fetch version 99/))

test('a negative version ends the connection, and one line says so', () =>
  refused(bare(Fetch.key, -1), /Fetch version -1/))

test('a frame too short for a header ends the connection', () =>
  refused(Buffer.from([0, 0, 0, 3, 0, 3, 0]), /too short for a request/))

test('a frame of negative length ends the connection', () => refused(Buffer.from([255, 255, 255, 255]), /-1 bytes/))

test('what is no request of its API ends the connection', () => refused(bare(Metadata.key, 1), /malformed Metadata/))

for (const version of [99, 32767, -1])
  test(`ApiVersions of version ${version} is answered in version 0, with all versions there are`, async () => {
    const asking = await open(broker)
    asking.socket.write(bare(ApiVersions.key, version))
    const answer = readResponse(ApiVersions, 0, 7, await asking.frame())
    assert.equal(answer.errorCode, ErrorCode.UNSUPPORTED_VERSION)
    assert.deepEqual(
      answer.apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key),
      { apiKey: ApiVersions.key, minVersion: 0, maxVersion: 5 },
    )
    // And the connection goes on.
    assert.equal((await asking.ask(ApiVersions, 3, software)).errorCode, ErrorCode.NONE)
  })

async function answers(api: Api, version: number): Promise<void> {
  const lines = logger.lines.length
  const asking: Wire = await open(broker)
  try {
    await asking.ask(api, version, validRequest(api, version, victim) as never)
  } catch (error) {
    assert.fail(`${api.name} v${version}: ${error}; ${logger.lines.slice(lines)}`)
  }
  asking.close()
}

test('every API is answered in every version that ApiVersions announces', async () => {
  const { apiKeys } = await wire.ask(ApiVersions, 3, software)
  assert.ok(apiKeys.length > 25)
  for (const { apiKey, minVersion, maxVersion } of apiKeys) {
    const api = allApis.find(({ key }) => key === apiKey)
    assert.ok(api, `API ${apiKey}`)
    for (let version = minVersion; version <= maxVersion; version++) await answers(api, version)
  }
})

test('nothing is served that is not announced', async () => {
  for (const version of [0, 1, 2, 3, 4, 5]) {
    const { apiKeys } = await wire.ask(ApiVersions, version, version < 3 ? {} : software)
    assert.deepEqual(
      apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
      servedApis.map(({ key, min, max }) => [key, min, max]),
    )
  }
  const announced = new Map(servedApis.map(({ key, min, max }) => [key, { min, max }]))
  for (const api of allApis) {
    const { min, max } = announced.get(api.key) ?? { min: 0, max: -1 }
    for (const version of [min - 1, max + 1].filter(version => version >= 0)) {
      if (api.key === ApiVersions.key || !api.request.supports(version)) continue
      const asking = await open(broker)
      asking.socket.write(bare(api.key, version))
      await asking.closed
      await assert.rejects(asking.frame(), `${api.name} v${version} was answered`)
    }
  }
})

test('ApiVersions tells odd software names what is wrong, and whom it is when somebody else is meant', async () => {
  const ask = (version: number, more: object) => wire.ask(ApiVersions, version, { ...software, ...more })
  assert.equal((await ask(3, { clientSoftwareName: '-bad-' })).errorCode, ErrorCode.INVALID_REQUEST)
  assert.equal((await ask(3, { clientSoftwareVersion: '' })).errorCode, ErrorCode.INVALID_REQUEST)
  assert.equal(errorName((await ask(5, { nodeId: 77 })).errorCode), 'REBOOTSTRAP_REQUIRED')
  assert.equal(errorName((await ask(5, { clusterId: 'another' })).errorCode), 'REBOOTSTRAP_REQUIRED')
})

test('a request with a number beyond what is safe is refused, not rounded', async () => {
  const asking = await open(broker)
  const frame = Buffer.concat(
    requestFrame(Fetch, 4, 1, 'c', {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ topic: name, partitions: [{ partition: 0, fetchOffset: 0x1122, partitionMaxBytes: 1 }] }],
    }),
  )
  frame.writeBigInt64BE(2n ** 60n, frame.length - 12)
  asking.socket.write(frame)
  await asking.closed
})
