import type { Command } from 'commander'
import { parseAddresses } from '../client/address.ts'
import { Cluster } from '../client/cluster.ts'
import { readProperties } from '../config/properties.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Failure } from './failure.ts'
import { collect, pairsOf } from './pairs.ts'
import type { Terminal } from './terminal.ts'

/** The flags of every command that talks to a broker: ours, Kafka's and kcat's. */
export interface ConnectFlags {
  readonly bootstrapServer?: string
  readonly commandConfig?: string
  readonly commandProperty?: readonly string[]
}

const DEFAULT_BOOTSTRAP = 'localhost:9092'

export function connectFlags(command: Command): Command {
  return command
    .option(
      '-b, --bootstrap-server <host:port,…>',
      `broker to ask first (default OTTLA_BOOTSTRAP, else ${DEFAULT_BOOTSTRAP})`,
    )
    .option('--command-config <file>', "settings of a Kafka client, in Java's properties format")
    .option('-X, --command-property <key=value>', 'one setting of a Kafka client; may be repeated', collect)
}

/** Settings of Kafka's clients as a command got them; flags of its own (`client.id`, `group.id`) are read from here, too. */
export function clientProperties(flags: ConnectFlags, terminal: Terminal): Map<string, string> {
  const properties = new Map<string, string>()
  if (flags.commandConfig !== undefined) {
    const text = terminal.world.disk.readFile(flags.commandConfig).toString('utf8')
    for (const { key, value } of readProperties(text)) properties.set(key, value.trim())
  }
  for (const [key, value] of pairsOf('--command-property', flags.commandProperty)) properties.set(key, value)
  const protocol = properties.get('security.protocol')?.toUpperCase() ?? 'PLAINTEXT'
  if (protocol !== 'PLAINTEXT') throw new Failure(`security.protocol=${protocol}: only PLAINTEXT is spoken yet`, 2)
  return properties
}

/** Runs `use` with a cluster that could be reached, and closes it afterwards. Throws Failure when nobody answers. */
export async function withCluster<T>(
  flags: ConnectFlags,
  terminal: Terminal,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const properties = clientProperties(flags, terminal)
  const text =
    flags.bootstrapServer ?? properties.get('bootstrap.servers') ?? terminal.env.OTTLA_BOOTSTRAP ?? DEFAULT_BOOTSTRAP
  const cluster = new Cluster(terminal.world, {
    bootstrap: addresses(text),
    clientId: properties.get('client.id') ?? 'ottla-cli',
    ...milliseconds(properties, 'request.timeout.ms', 'requestTimeoutMs'),
    // A person waits in front of it.
    apiTimeoutMs: 15_000,
    ...milliseconds(properties, 'default.api.timeout.ms', 'apiTimeoutMs'),
    connectTimeoutMs: 5_000,
  })
  try {
    await cluster.any().catch(error => {
      throw unreachable(text, error)
    })
    return await use(cluster)
  } finally {
    cluster.close()
  }
}

function addresses(text: string): ReturnType<typeof parseAddresses> {
  try {
    const found = parseAddresses(text.replace(/^kafka:\/\//, ''))
    if (found.length > 0) return found
  } catch {}
  throw new Failure(`${text}: say --bootstrap-server host:port`, 2)
}

function milliseconds<Name extends string>(properties: ReadonlyMap<string, string>, key: string, name: Name) {
  const value = Number(properties.get(key))
  return (value > 0 ? { [name]: value } : {}) as { [K in Name]?: number }
}

function unreachable(text: string, error: unknown): unknown {
  if (!(error instanceof KafkaError)) return error
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ECONNREFUSED')
    return new Failure(`nothing listens on ${text}: is the broker running? (start one with: ottla)`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new Failure(`unknown host: ${text}`)
  return new Failure(error.message.includes(text) ? error.message : `cannot reach ${text}: ${error.message}`)
}
