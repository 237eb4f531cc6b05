import type { ConsumerOptions } from '../client/consumer.ts'
import { type ConnectFlags, clientProperties, withCluster } from './connect.ts'
import { consoleFormat } from './console-format.ts'
import { awaitTopics, type Range, rangeOf } from './consume-plan.ts'
import { Failure } from './failure.ts'
import { compileFormat, unescapeText } from './format.ts'
import { jsonFormat, kcatJsonFormat } from './json-format.ts'
import type { Formatter, Message } from './message.ts'
import { Output } from './output.ts'
import { pairsOf } from './pairs.ts'
import { type Progress, progress } from './progress.ts'
import { Reader } from './reader.ts'
import type { Terminal } from './terminal.ts'
import { timestampTypes } from './timestamp-types.ts'
import { givenTopics } from './topic-names.ts'
import { parseCount } from './when.ts'

export interface ConsumeFlags extends ConnectFlags {
  readonly topic?: readonly string[]
  readonly include?: readonly string[]
  readonly whitelist?: readonly string[]
  readonly fromBeginning?: boolean
  readonly offset?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly partition?: readonly string[]
  readonly group?: string
  readonly maxMessages?: string
  readonly exit?: boolean
  readonly timeoutMs?: string
  readonly format?: string
  readonly json?: boolean
  readonly J?: boolean
  readonly keyDelimiter?: string
  readonly delimiter?: string
  readonly null?: boolean
  readonly quiet?: boolean
  readonly isolationLevel?: string
  readonly property?: readonly string[]
  readonly formatterProperty?: readonly string[]
  readonly consumerProperty?: readonly string[]
  readonly 'consumer.config'?: string
  readonly formatter?: string
  readonly keyDeserializer?: string
  readonly valueDeserializer?: string
}

/** Prints messages until the end that was asked for, a signal, or nobody reads any more. */
export async function consume(names: readonly string[], given: ConsumeFlags, terminal: Terminal): Promise<void> {
  const flags = withKafkaSpelling(given)
  const patterns = [...(flags.include ?? []), ...(flags.whitelist ?? [])]
  const wanted = [...givenTopics(names, flags.topic), ...patterns]
  if (wanted.length === 0) throw new Failure('say which topic: ottla consume TOPIC', 2)
  const properties = clientProperties(flags, terminal)
  const range = rangeOf(flags, terminal.world.clock.now())
  const groupId = flags.group ?? properties.get('group.id') ?? null
  const options = { ...consumerOptions(flags, properties, range), groupId }
  const limits = limitsOf(flags)
  const output = new Output(formatterOf(flags), terminal.stdout)
  const stop = stopper(terminal, output)
  await withCluster(flags, terminal, async cluster => {
    const hurry = range.exit || limits.idleMs !== null
    const tell = (text: string) => {
      if (flags.quiet !== true) terminal.stderr.write(`${terminal.errorPaint.dim(text)}\n`)
    }
    const topics = await stop.orElse(awaitTopics(cluster, wanted, hurry, tell))
    if (topics === null) return
    const reader = await Reader.open(cluster, topics, partitionsOf(flags), range, options, limits.count)
    const types = needsTimestampType(flags) ? await timestampTypes(cluster, topics) : new Map()
    const meter = progress('read', terminal, flags.quiet !== true && !terminal.isTerminal)
    try {
      await pump(reader, { types, output, meter, limits, stop, clock: terminal.world.clock })
    } finally {
      await reader.close()
    }
    meter.done()
  })
}

interface Limits {
  readonly count: number
  /** ms; null: wait for ever. */
  readonly idleMs: number | null
}

interface Pump {
  readonly types: ReadonlyMap<string, Message['timestampType']>
  readonly output: Output
  readonly meter: Progress
  readonly limits: Limits
  readonly stop: Stopper
  readonly clock: Terminal['world']['clock']
}

const POLL_MS = 250

async function pump(reader: Reader, { types, output, meter, limits, stop, clock }: Pump): Promise<void> {
  let left = limits.count
  let lastAt = clock.mono()
  while (left > 0 && !stop.asked) {
    const records = await reader.next(left, Math.min(POLL_MS, limits.idleMs ?? POLL_MS))
    for (const record of records) {
      output.add({ ...record, timestampType: types.get(record.topic) ?? 'CreateTime' })
      meter.count(1, (record.key?.length ?? 0) + (record.value?.length ?? 0))
    }
    left -= records.length
    await output.flush()
    if (reader.finished) return
    const now = clock.mono()
    if (records.length > 0) lastAt = now
    else if (limits.idleMs !== null && now - lastAt >= limits.idleMs) return
  }
}

interface Stopper {
  readonly asked: boolean
  /** The promise's value, or null when a stop was asked for first. */
  orElse<T>(promise: Promise<T>): Promise<T | null>
}

/** Ctrl-C and a closed pipe end the reading in order: offsets are committed, the group is left. */
function stopper(terminal: Terminal, output: Output): Stopper {
  let asked = false
  let tell = () => {}
  const waiting = new Promise<null>(resolve => {
    tell = () => resolve(null)
  })
  const ask = () => {
    if (asked) process.exit(130)
    asked = true
    output.close()
    tell()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  terminal.onOutputClosed(() => {
    if (!asked) ask()
  })
  return {
    get asked() {
      return asked
    },
    orElse: promise => Promise.race([promise, waiting]),
  }
}

function withKafkaSpelling(flags: ConsumeFlags): ConsumeFlags {
  const commandConfig = flags.commandConfig ?? flags['consumer.config']
  return {
    ...flags,
    commandProperty: [...(flags.consumerProperty ?? []), ...(flags.commandProperty ?? [])],
    formatterProperty: [...(flags.property ?? []), ...(flags.formatterProperty ?? [])],
    ...(commandConfig === undefined ? {} : { commandConfig }),
  }
}

function limitsOf(flags: ConsumeFlags): Limits {
  return {
    count: flags.maxMessages === undefined ? Number.POSITIVE_INFINITY : parseCount('--max-messages', flags.maxMessages),
    idleMs: flags.timeoutMs === undefined ? null : parseCount('--timeout-ms', flags.timeoutMs),
  }
}

function partitionsOf(flags: ConsumeFlags): number[] | null {
  const numbers = (flags.partition ?? []).flatMap(text => text.split(',')).map(text => parseCount('--partition', text))
  return numbers.length === 0 ? null : numbers
}

const RESETS: { readonly [word: string]: 'earliest' | 'latest' } = { earliest: 'earliest', latest: 'latest' }

function consumerOptions(
  flags: ConsumeFlags,
  properties: ReadonlyMap<string, string>,
  range: Range,
): Partial<ConsumerOptions> {
  const isolation = flags.isolationLevel ?? properties.get('isolation.level') ?? 'read_uncommitted'
  if (isolation !== 'read_committed' && isolation !== 'read_uncommitted') {
    throw new Failure(`--isolation-level ${isolation}: say read_committed or read_uncommitted`, 2)
  }
  const reset =
    RESETS[properties.get('auto.offset.reset') ?? ''] ?? (range.start.at === 'beginning' ? 'earliest' : 'latest')
  return {
    isolation,
    autoOffsetReset: reset,
    autoCommit: properties.get('enable.auto.commit') !== 'false',
    maxWaitMs: POLL_MS,
    maxPollRecords: 5_000,
    groupInstanceId: properties.get('group.instance.id') ?? null,
    ...(properties.has('session.timeout.ms')
      ? { sessionTimeoutMs: parseCount('session.timeout.ms', properties.get('session.timeout.ms')!, 1) }
      : {}),
  }
}

function formatterOf(flags: ConsumeFlags): Formatter {
  if (flags.format !== undefined) return compileFormat(flags.format, flags.null === true)
  if (flags.J === true) return kcatJsonFormat
  if (flags.json === true) return jsonFormat
  const properties = pairsOf('--formatter-property', flags.formatterProperty)
  const set = (key: string, value: string | undefined) => value !== undefined && properties.set(key, value)
  set('key.deserializer', flags.keyDeserializer)
  set('value.deserializer', flags.valueDeserializer)
  const formatter = flags.formatter?.split('.').at(-1) ?? 'DefaultMessageFormatter'
  if (formatter === 'NoOpMessageFormatter') return () => []
  if (formatter !== 'DefaultMessageFormatter')
    throw new Failure(`--formatter ${flags.formatter}: it is a Java class`, 2)
  if (flags.keyDelimiter === undefined && flags.delimiter === undefined && flags.null !== true)
    return consoleFormat(properties)
  if (flags.keyDelimiter !== undefined) properties.set('print.key', 'true').set('key.separator', flags.keyDelimiter)
  if (flags.delimiter !== undefined) properties.set('line.separator', unescapeText(flags.delimiter))
  // kcat prints nothing for null unless it is told to.
  if (!properties.has('null.literal')) properties.set('null.literal', flags.null === true ? 'NULL' : '')
  return consoleFormat(properties)
}

function needsTimestampType(flags: ConsumeFlags): boolean {
  const printed = (flags.formatterProperty ?? []).some(text => text.startsWith('print.timestamp'))
  return flags.J === true || printed
}
