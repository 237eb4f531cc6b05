import { readRequestHeader, requestHeaderVersion, responseFrame } from '../protocol/header.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'
import { Reader } from '../protocol/reader.ts'
import type { AnyHandler } from './handler.ts'
import type { ServedApi } from './served.ts'

/** A request whose header and body have been read. */
export interface OpenedRequest {
  readonly handler: AnyHandler
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

/** −1 when the frame is too short to say. */
export const apiKeyOf = (frame: Buffer): number => (frame.length < 8 ? -1 : frame.readInt16BE(0))

/** Reads a frame; no handler means that its API is not served. Throws Refused. */
export function openRequest(frame: Buffer, served: ServedApi | null, handler: AnyHandler | null): OpenedRequest {
  if (frame.length < 8) throw new Refused('a frame that is too short for a request')
  const key = frame.readInt16BE(0)
  const version = frame.readInt16BE(2)
  if (handler === null || served === null)
    throw new Refused(`a request of API ${key} version ${version}, which is not served`)
  const { api } = handler
  if (version < served.min || version > served.max) {
    if (key !== apiVersionsKey) throw new Refused(`a request of ${api.name} version ${version}, which is not served`)
    return { handler, version, answerVersion: 0, correlationId: frame.readInt32BE(4), clientId: '', request: {} }
  }
  try {
    const reader = new Reader(frame)
    const { correlationId, clientId } = readRequestHeader(reader, requestHeaderVersion(api, version))
    const request = api.request.readFrom(reader, version)
    return { handler, version, answerVersion: version, correlationId, clientId: clientId ?? '', request }
  } catch (error) {
    if (error instanceof ProtocolError) throw new Refused(`a malformed ${api.name} request: ${error.message}`)
    throw error
  }
}

/** The answer as it goes over the wire, length and header included; record batches by reference. */
export function sealResponse({ handler, answerVersion, correlationId }: OpenedRequest, response: unknown) {
  return responseFrame(handler.api, answerVersion, correlationId, response as never)
}
