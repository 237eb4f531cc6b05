import type { Cluster } from '../client/cluster.ts'
import { Producer, type ProducerOptions } from '../client/producer.ts'
import type { CompressionType } from '../protocol/compression/compression.ts'
import { type ConnectFlags, clientProperties, withCluster } from './connect.ts'
import { Failure } from './failure.ts'
import { unescapeText } from './format.ts'
import { type Draft, headerFlag, type InputParser, jsonParser, plainText, textInputOf, textParser } from './input.ts'
import { pieces } from './lines.ts'
import { pairsOf } from './pairs.ts'
import { progress } from './progress.ts'
import { suggestion } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { parseCount } from './when.ts'

export interface ProduceFlags extends ConnectFlags {
  readonly topic?: string
  readonly message?: readonly string[]
  readonly key?: string
  readonly header?: readonly string[]
  readonly partition?: string
  readonly keyDelimiter?: string
  readonly delimiter?: string
  readonly json?: boolean
  readonly null?: boolean
  readonly compression?: string
  readonly compressionCodec?: string | true
  readonly acks?: string
  readonly requestRequiredAcks?: string
  readonly count?: string
  readonly quiet?: boolean
  readonly readerProperty?: readonly string[]
  readonly property?: readonly string[]
  readonly producerProperty?: readonly string[]
  readonly 'producer.config'?: string
  readonly batchSize?: string
  readonly timeout?: string
}

/** Sends everything, then says how much. Any message that cannot be delivered ends it with an error. */
export async function produce(
  topicArgument: string | undefined,
  files: readonly string[],
  given: ProduceFlags,
  terminal: Terminal,
): Promise<void> {
  const flags = withKafkaSpelling(given)
  const topic = flags.topic ?? topicArgument
  if (topic === undefined) throw new Failure('say which topic: ottla produce TOPIC', 2)
  // With --topic the first argument is a file, too.
  const paths = flags.topic !== undefined && topicArgument !== undefined ? [topicArgument, ...files] : files
  const options = producerOptions(flags, clientProperties(flags, terminal))
  const complete = completer(flags)
  const most = flags.count === undefined ? Number.POSITIVE_INFINITY : parseCount('--count', flags.count)
  await withCluster(flags, terminal, async cluster => {
    const partition = complete({ key: null, value: null, headers: [] }).partition
    if (partition !== undefined) await mustExist(cluster, topic, partition)
    const producer = new Producer(cluster, options)
    const meter = progress('sent', terminal, flags.quiet !== true)
    let failed: unknown = null
    let sent = 0
    let where = ''
    for await (const draft of drafts(flags, paths, terminal)) {
      if (sent >= most || failed !== null) break
      sent++
      producer.send({ topic, ...complete(draft) }).then(
        ({ partition, offset }) => {
          where = `${topic}-${partition}${offset < 0 ? '' : ` at offset ${offset}`}`
          meter.count(1, (draft.value?.length ?? 0) + (draft.key?.length ?? 0))
        },
        error => {
          failed ??= error
        },
      )
      await producer.ready()
    }
    await producer.close()
    if (failed !== null) throw failed
    meter.done(sent === 1 ? `sent 1 message to ${where}` : undefined)
  })
}

async function mustExist(cluster: Cluster, topic: string, partition: number): Promise<void> {
  const { partitions } = await cluster.topic(topic, true)
  if (partitions.some(each => each.partition === partition)) return
  throw new Failure(`${topic} has no partition ${partition}: there are ${partitions.length}, numbered from 0`)
}

/** Kafka's older and other names for the same flags. */
function withKafkaSpelling(flags: ProduceFlags): ProduceFlags {
  const codec = flags.compressionCodec === true ? 'gzip' : flags.compressionCodec
  const compression = flags.compression ?? codec
  const acks = flags.acks ?? flags.requestRequiredAcks
  const commandConfig = flags.commandConfig ?? flags['producer.config']
  return {
    ...flags,
    commandProperty: [...(flags.producerProperty ?? []), ...(flags.commandProperty ?? [])],
    readerProperty: [...(flags.property ?? []), ...(flags.readerProperty ?? [])],
    ...(compression === undefined ? {} : { compression }),
    ...(acks === undefined ? {} : { acks }),
    ...(commandConfig === undefined ? {} : { commandConfig }),
  }
}

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const ACKS: { readonly [text: string]: -1 | 0 | 1 } = { all: -1, '-1': -1, '0': 0, '1': 1 }

function producerOptions(flags: ProduceFlags, properties: ReadonlyMap<string, string>): Partial<ProducerOptions> {
  const compression = (flags.compression ?? properties.get('compression.type') ?? 'none').toLowerCase()
  if (!CODECS.includes(compression)) {
    throw new Failure(`compression ${compression}: one of ${CODECS.join(', ')}${suggestion(compression, CODECS)}`, 2)
  }
  const acksText = flags.acks ?? properties.get('acks') ?? 'all'
  const acks = ACKS[acksText.toLowerCase()]
  if (acks === undefined) throw new Failure(`acks ${acksText}: say 0, 1 or all`, 2)
  const size = flags.batchSize ?? properties.get('batch.size')
  const linger = flags.timeout ?? properties.get('linger.ms')
  const idempotent = acks === -1 && properties.get('enable.idempotence') !== 'false'
  return {
    compression: compression as CompressionType,
    acks,
    idempotent,
    // A person waits; Kafka's two minutes are for programs.
    deliveryTimeoutMs: 30_000,
    ...(size === undefined ? {} : { maxBatchBytes: Math.max(1, parseCount('batch.size', size)) }),
    ...(linger === undefined ? {} : { lingerMs: parseCount('linger.ms', linger) }),
    ...(properties.has('delivery.timeout.ms')
      ? { deliveryTimeoutMs: parseCount('delivery.timeout.ms', properties.get('delivery.timeout.ms')!, 1) }
      : {}),
  }
}

/** Adds what flags say about every message. */
function completer(flags: ProduceFlags): (draft: Draft) => Draft {
  const headers = (flags.header ?? []).map(headerFlag)
  const key = flags.key === undefined ? null : Buffer.from(flags.key)
  const partition = flags.partition === undefined ? -1 : parseCount('--partition', flags.partition, -1, 2 ** 31 - 1)
  return draft => ({
    ...draft,
    key: draft.key ?? key,
    headers: [...headers, ...draft.headers],
    ...(partition >= 0 ? { partition } : {}),
  })
}

async function* drafts(flags: ProduceFlags, files: readonly string[], terminal: Terminal): AsyncGenerator<Draft> {
  const parse = parserOf(flags)
  if (flags.message !== undefined) {
    for (const [i, text] of flags.message.entries()) {
      const draft = parse(Buffer.from(text), i + 1)
      if (draft !== null) yield draft
    }
    return
  }
  const delimiter = unescapeText(flags.delimiter ?? '\n')
  if (delimiter === '') throw new Failure('--delimiter must not be empty', 2)
  if (files.length === 0 && terminal.stdin.isTTY === true && flags.quiet !== true) {
    terminal.stderr.write(terminal.errorPaint.dim('type messages, one a line; Ctrl-D ends\n'))
  }
  const streams = files.length === 0 ? [terminal.stdin] : files.map(path => file(path, terminal))
  let line = 0
  for (const stream of streams) {
    for await (const bytes of pieces(stream, delimiter)) {
      const draft = parse(bytes, ++line)
      if (draft !== null) yield draft
    }
  }
}

function parserOf(flags: ProduceFlags): InputParser {
  if (flags.json === true) return jsonParser
  const base = { ...plainText, emptyIsNull: flags.null === true }
  const kcat = flags.keyDelimiter === undefined ? base : { ...base, keySeparator: unescapeText(flags.keyDelimiter) }
  return textParser(textInputOf(pairsOf('--reader-property', flags.readerProperty), kcat))
}

const BLOCK = 1 << 20

/** A file block by block, so that its size does not matter. */
async function* file(path: string, terminal: Terminal): AsyncGenerator<Uint8Array> {
  const open = terminal.world.disk.open(path, 'read')
  try {
    for (let position = 0; ; ) {
      const block = Buffer.allocUnsafe(BLOCK)
      const length = await open.readLater(block, position)
      if (length === 0) return
      yield block.subarray(0, length)
      position += length
    }
  } finally {
    open.close()
  }
}
