import { readRequestHeader, requestHeaderVersion, responseHeaderVersion, writeResponseHeader } from '../protocol/header.ts'
import { ProtocolError } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import type { Handler } from './handler.ts'

/** A request whose header and body have been read. */
export interface OpenedRequest {
  readonly handler: Handler
  readonly version: number
  /** Differs from `version` only when ApiVersions was asked in a version that we do not know (KIP-511). */
  readonly answerVersion: number
  readonly correlationId: number
  readonly clientId: string
  readonly request: unknown
}

/** Bytes that cannot be answered: the connection is closed, as Kafka does. */
export class Refused extends Error {}

const apiVersionsKey = 18

export const apiKeyOf = (frame: Buffer): number => (frame.length < 8 ? -1 : frame.readInt16BE(0))

/** Reads a frame; `handler` is null when its API is not served. Throws Refused. */
export function openRequest(frame: Buffer, handler: Handler | null): OpenedRequest {
  if (frame.length < 8) throw new Refused('a frame that is too short for a request')
  const key = frame.readInt16BE(0)
  const version = frame.readInt16BE(2)
  if (handler === null) throw new Refused(`a request of API ${key} version ${version}, which is not served`)
  const { api } = handler
  const known = version >= api.minVersion && version <= api.maxVersion
  if (!known) {
    if (key !== apiVersionsKey) throw new Refused(`a request of ${api.name} version ${version}, which is not served`)
    return { handler, version, answerVersion: 0, correlationId: frame.readInt32BE(4), clientId: '', request: {} }
  }
  try {
    const header = readRequestHeader(frame, requestHeaderVersion(api, version))
    return {
      handler,
      version,
      answerVersion: version,
      correlationId: header.correlationId,
      clientId: header.clientId ?? '',
      request: api.request.read(frame, version, header.size),
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw new Refused(`a malformed ${api.name} request: ${error.message}`)
    throw error
  }
}

/** The answer as it goes over the wire, length and header included. */
export function sealResponse({ handler: { api }, answerVersion, correlationId }: OpenedRequest, response: unknown) {
  const writer = new Writer()
  writer.int32(0)
  writeResponseHeader(writer, responseHeaderVersion(api, answerVersion), correlationId)
  api.response.write(writer, answerVersion, response as never)
  writer.patchInt32(0, writer.length - 4)
  return writer.finish()
}
