import { ProtocolError } from './protocol-error.ts'
import { Reader } from './reader.ts'
import type { Api, Fields, FieldsIn } from './schema.ts'
import { Writer } from './writer.ts'

const API_VERSIONS = 18
const CONTROLLED_SHUTDOWN = 7

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

type AnyApi = Pick<Api, 'key' | 'request' | 'response'>

/** Header versions are not negotiated: they follow from the API's version (KIP-482). */
export function requestHeaderVersion(api: AnyApi, apiVersion: number): number {
  if (api.key === CONTROLLED_SHUTDOWN && apiVersion === 0) return 0 // the only request without a client id
  return api.request.isFlexible(apiVersion) ? 2 : 1
}

/** Always 0 for ApiVersions: its client does not know yet what the broker speaks (KIP-511). */
export function responseHeaderVersion(api: AnyApi, apiVersion: number): number {
  if (api.key === API_VERSIONS) return 0
  return api.response.isFlexible(apiVersion) ? 1 : 0
}

/** API key and version, without moving the reader: they decide how the rest of the header is read. */
export function peekApi(reader: Reader): { apiKey: number; apiVersion: number } {
  const start = reader.position
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  reader.position = start
  return { apiKey, apiVersion }
}

/** Reads a request's header and leaves the reader at the body. */
export function readRequestHeader(reader: Reader, headerVersion: number): RequestHeader {
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  // The client id kept its two-byte length in flexible headers, so that old brokers can read it.
  const clientId = headerVersion >= 1 ? reader.nullableString() : null
  if (headerVersion >= 2) reader.skipTags()
  return { apiKey, apiVersion, correlationId, clientId }
}

export function writeRequestHeader(writer: Writer, headerVersion: number, header: RequestHeader): void {
  writer.int16(header.apiKey)
  writer.int16(header.apiVersion)
  writer.int32(header.correlationId)
  if (headerVersion >= 1) writer.nullableString(header.clientId)
  if (headerVersion >= 2) writer.uvarint(0)
}

/** Reads a response's header and returns its correlation id. */
export function readResponseHeader(reader: Reader, headerVersion: number): number {
  const correlationId = reader.int32()
  if (headerVersion >= 1) reader.skipTags()
  return correlationId
}

export function writeResponseHeader(writer: Writer, headerVersion: number, correlationId: number): void {
  writer.int32(correlationId)
  if (headerVersion >= 1) writer.uvarint(0)
}

/** A whole response as it goes over the wire, its size first; record batches stay references. */
export function responseFrame<Response extends Fields>(
  api: Api<Fields, Response>,
  apiVersion: number,
  correlationId: number,
  response: FieldsIn<Response>,
): Uint8Array[] {
  const writer = new Writer()
  const frame = writer.beginFrame()
  writeResponseHeader(writer, responseHeaderVersion(api, apiVersion), correlationId)
  api.response.write(writer, apiVersion, response)
  writer.endFrame(frame)
  return writer.finish()
}

/** A whole request as it goes over the wire, its size first. */
export function requestFrame<Request extends Fields>(
  api: Api<Request>,
  apiVersion: number,
  correlationId: number,
  clientId: string | null,
  request: FieldsIn<Request>,
): Uint8Array[] {
  const writer = new Writer()
  const frame = writer.beginFrame()
  const header = { apiKey: api.key, apiVersion, correlationId, clientId }
  writeRequestHeader(writer, requestHeaderVersion(api, apiVersion), header)
  api.request.write(writer, apiVersion, request)
  writer.endFrame(frame)
  return writer.finish()
}

/** Reads a response frame without its size: checks the correlation id, then decodes the body. */
export function readResponse<Response extends Fields>(
  api: Api<Fields, Response>,
  apiVersion: number,
  correlationId: number,
  bytes: Uint8Array,
): ReturnType<Api<Fields, Response>['response']['read']> {
  const reader = new Reader(bytes)
  const got = readResponseHeader(reader, responseHeaderVersion(api, apiVersion))
  if (got !== correlationId) throw new ProtocolError(`response ${got} instead of ${correlationId}`)
  return api.response.readFrom(reader, apiVersion)
}
