import { isUtf8 } from 'node:buffer'
import type { Formatter, Message } from './message.ts'

/**
 * One object a line. What is not UTF-8 is given as base64 under another name (`valueBase64`), so that nothing is lost:
 * `ottla produce --json` takes the same lines.
 */
export const jsonFormat: Formatter = message => [
  `${JSON.stringify({
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    timestamp: message.timestamp,
    ...field('key', message.key),
    ...field('value', message.value),
    headers: message.headers.map(header => ({ key: header.key, ...field('value', header.value) })),
  })}\n`,
]

/** kcat's `-J`, letter by letter. */
export const kcatJsonFormat: Formatter = message => [
  `${JSON.stringify({
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    tstype: message.timestampType === 'CreateTime' ? 'create' : 'logappend',
    ts: message.timestamp,
    broker: -1,
    ...(message.headers.length === 0
      ? {}
      : { headers: message.headers.flatMap(({ key, value }) => [key, text(value)]) }),
    key: text(message.key),
    payload: text(message.value),
  })}\n`,
]

function field(name: 'key' | 'value', bytes: Message['key']): Record<string, string | null> {
  if (bytes === null || isUtf8(bytes)) return { [name]: text(bytes) }
  return { [`${name}Base64`]: buffer(bytes).toString('base64') }
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : buffer(bytes).toString('utf8'))
const buffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
