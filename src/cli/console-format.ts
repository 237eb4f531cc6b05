import { Failure } from './failure.ts'
import { unescapeText } from './format.ts'
import type { Formatter, Message } from './message.ts'

/** How a field's bytes become text; by the last part of the name of Kafka's class. */
const DESERIALIZERS: { readonly [name: string]: (bytes: Buffer) => string } = {
  StringDeserializer: bytes => bytes.toString('utf8'),
  ShortDeserializer: bytes => String(bytes.readInt16BE(0)),
  IntegerDeserializer: bytes => String(bytes.readInt32BE(0)),
  LongDeserializer: bytes => String(bytes.readBigInt64BE(0)),
  FloatDeserializer: bytes => String(bytes.readFloatBE(0)),
  DoubleDeserializer: bytes => String(bytes.readDoubleBE(0)),
  UUIDDeserializer: bytes => bytes.toString('utf8'),
}

/** Settings of Kafka's console formatter (`--formatter-property`, formerly `--property`), lists in their order of printing. */
const FLAGS = [
  'print.timestamp',
  'print.partition',
  'print.offset',
  'print.headers',
  'print.key',
  'print.value',
] as const
const KNOWN = [
  ...FLAGS,
  'print.delivery',
  'print.epoch',
  'key.separator',
  'line.separator',
  'headers.separator',
  'null.literal',
  'key.deserializer',
  'value.deserializer',
  'headers.deserializer',
]

type Field = (message: Message) => (string | Uint8Array)[]

/**
 * As Kafka's console consumer prints: values only, and what `print.…=true` adds before them. Throws Failure for settings
 * that it does not know.
 */
export function consoleFormat(properties: ReadonlyMap<string, string>): Formatter {
  for (const name of properties.keys()) {
    if (!KNOWN.includes(name) && !/^(key|value|headers)\.deserializer\./.test(name)) {
      throw new Failure(`unknown formatter property ${name}; known are ${KNOWN.join(', ')}`, 2)
    }
  }
  const wanted = (name: (typeof FLAGS)[number]) => (properties.get(name) ?? String(name === 'print.value')) === 'true'
  const separator = unescapeText(properties.get('key.separator') ?? '\t')
  const end = unescapeText(properties.get('line.separator') ?? '\n')
  const printers = fields(properties)
  const chosen = FLAGS.filter(wanted).map(name => printers[name])
  return message => [...chosen.flatMap((field, i) => (i === 0 ? field(message) : [separator, ...field(message)])), end]
}

function fields(properties: ReadonlyMap<string, string>): Record<(typeof FLAGS)[number], Field> {
  const nothing = properties.get('null.literal') ?? 'null'
  const between = unescapeText(properties.get('headers.separator') ?? ',')
  const show = (name: string) => {
    const deserialize = deserializer(properties.get(`${name}.deserializer`))
    return (bytes: Uint8Array | null) =>
      bytes === null ? nothing : deserialize === null ? bytes : deserialize(asBuffer(bytes))
  }
  const [key, value, header] = [show('key'), show('value'), show('headers')]
  return {
    'print.timestamp': ({ timestamp, timestampType }) => [
      timestamp < 0 ? 'NO_TIMESTAMP' : `${timestampType}:${timestamp}`,
    ],
    'print.partition': ({ partition }) => [`Partition:${partition}`],
    'print.offset': ({ offset }) => [`Offset:${offset}`],
    'print.headers': ({ headers }) =>
      headers.length === 0
        ? ['NO_HEADERS']
        : headers.flatMap((each, i) => [`${i === 0 ? '' : between}${each.key}:`, header(each.value)]),
    'print.key': message => [key(message.key)],
    'print.value': message => [value(message.value)],
  }
}

function deserializer(className: string | undefined): ((bytes: Buffer) => string) | null {
  const name = className?.split('.').at(-1)
  if (name === undefined || /^(ByteArray|Bytes|ByteBuffer)Deserializer$/.test(name)) return null
  const found = DESERIALIZERS[name]
  if (found === undefined) throw new Failure(`cannot deserialize with ${className}: it is a Java class`, 2)
  // Bytes that are none of the kind are shown as they are.
  return bytes => {
    try {
      return found(bytes)
    } catch {
      return bytes.toString('utf8')
    }
  }
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
