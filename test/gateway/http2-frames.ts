/** HTTP/2 (RFC 9113) byte by byte: what no well-behaved client would send. */

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const endStream = 1
export const endHeaders = 4

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

export const number32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A block of header fields (RFC 7541), all literal and none remembered. Names and values up to 126 bytes. */
export function block(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
  return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** The headers of a call. */
export const call = (path: string, more: Readonly<Record<string, string>> = {}): Buffer =>
  block({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  })

/** A message with gRPC's prefix. `length`: what the prefix says, whatever is there. */
export function message(bytes: Uint8Array, { flag = 0, length = bytes.length } = {}): Buffer {
  return Buffer.concat([Buffer.from([flag]), number32(length), bytes])
}

/** How a connection begins: the preface and settings. */
export const hello = Buffer.concat([preface, frame(Type.settings, 0, 0)])
