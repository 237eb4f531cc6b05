import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ResolvedConfig } from '../../config/sources.ts'
import type { RunningNode } from '../../node.ts'
import type { Logger } from '../../world/logger.ts'
import { letGoOfTerminal } from '../../world/node-terminal.ts'
import { invocation } from '../invocation.ts'
import { createLogger } from '../logger.ts'
import { type StartFlags, settingsOf, startFlags } from '../settings.ts'
import { listenForSignals } from '../signals.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'

/** ms after the start: who waits for its first answer comes first. */
const loadAllAfterMs = 10_000

export function define(command: Command, terminal: Terminal): void {
  startFlags(command).action(flags => start(flags, terminal))
}

/** Runs a node until a signal ends it. */
export async function start(flags: StartFlags, terminal: Terminal): Promise<void> {
  // Loaded while the settings are read: both are needed, neither waits for the other.
  const loading = import('../../node.ts')
  loading.catch(() => {})
  const resolved = settingsOf(flags, terminal)
  terminal.outputMayBeLost()
  const logger = loggerOf(resolved, terminal)
  for (const warning of resolved.warnings) logger.warn(warning)
  const { startNode, loadAll } = await loading
  const signals = listenForSignals()
  process.on('uncaughtException', error => die('internal error', error, logger))
  const node = await startNode({ config: resolved, world: terminal.world, logger })
  const signal = signals.first()
  node.failed.catch(error => die('the node cannot go on', error, logger))
  announce(node, resolved, terminal, logger)
  terminal.world.timers.after(loadAllAfterMs, () => {
    loadAll(resolved.config.get('roles')).catch(error =>
      logger.warn('parts of the program are missing; restart the node', { error }),
    )
  })
  logger.info('stopping', { signal: await Promise.race([signal, node.failed]) })
  await node.stop()
  logger.info('stopped')
  letGoOfTerminal()
}

/** Nothing can be trusted any more; what was acknowledged is on the disk, and a new start finds it. */
function die(message: string, error: unknown, logger: Logger): never {
  logger.error(message, { error })
  process.exit(70)
}

function loggerOf(resolved: ResolvedConfig, terminal: Terminal): Logger {
  const wanted = resolved.config.get('logging.format')
  const format = wanted === 'auto' ? (terminal.isTerminal ? 'text' : 'json') : (wanted as 'json' | 'text')
  return createLogger({
    format,
    level: resolved.config.get('logging.level') as 'info',
    clock: terminal.world.clock,
    paint: terminal.paint,
    write: line => terminal.print(line),
  })
}

/** Says where the broker listens, where the data is, and what to type first. */
function announce(node: RunningNode, resolved: ResolvedConfig, terminal: Terminal, logger: Logger): void {
  const { bootstrap, nodeId, clusterId } = node
  if (resolved.config.get('roles') === 'gateway') {
    announceGateway(node, resolved, terminal, logger)
    return
  }
  const data = resolved.dataDirectory === null ? null : resolve(resolved.dataDirectory)
  const flush = resolved.config.get('flush')
  if (resolved.config.get('logging.format') === 'json' || !terminal.isTerminal) {
    logger.info('ready', { version: version(), bootstrap, data: data ?? 'memory', flush, nodeId, clusterId })
    return
  }
  const { bold, cyan, dim, green } = terminal.paint
  const durable = flush === 'ack' ? 'on disk before it is acknowledged' : 'with the operating system, as Apache Kafka'
  const local = resolved.endpoints.every(({ host }) => ['localhost', '127.0.0.1', '::1'].includes(host))
  const where = bootstrap === 'localhost:9092' ? '' : ` -b ${bootstrap.split(',')[0]}`
  const us = invocation(terminal.env)
  // On the same machine a node needs a port and a folder of its own.
  const beside = local ? `--port ${node.port + 1} --data ${resolved.dataDirectory ?? './ottla-data'}-2 ` : ''
  const lines = [
    `${green('●')} ${bold(`ottla ${version()}`)} is ready for Kafka clients`,
    `  listening  ${cyan(bootstrap)}${local ? dim('  this machine only; --host 0.0.0.0 opens it to others') : ''}`,
    `  data       ${data === null ? `in memory${dim('  gone when it stops')}` : `${cyan(data)}${dim(`  ${durable}`)}`}`,
    // Where nobody else can read it: a secret, but one that must be carried.
    `  join       ${dim(`${us} ${beside}--join ${node.joinAddress} --token ${node.joinToken}`)}`,
    `  try        ${bold(`${us} produce hello${where} -m 'Hello, Kafka!' && ${us} consume hello${where} --from-beginning`)}`,
  ]
  terminal.print(`${lines.join('\n')}\n`)
}

/** There is no data, and nothing to join. */
function announceGateway(
  { bootstrap, clusterId }: RunningNode,
  { config }: ResolvedConfig,
  terminal: Terminal,
  logger: Logger,
) {
  const cluster = config.get('join').join(',')
  if (config.get('logging.format') === 'json' || !terminal.isTerminal) {
    logger.info('ready', { version: version(), bootstrap, roles: 'gateway', cluster, clusterId })
    return
  }
  const { bold, cyan, dim, green } = terminal.paint
  const lines = [
    `${green('●')} ${bold(`ottla ${version()}`)} is ready as a gateway: Kafka's protocol, HTTP and gRPC`,
    `  listening  ${cyan(bootstrap)}`,
    `  cluster    ${cyan(cluster)}${dim(`  ${clusterId}`)}`,
  ]
  terminal.print(`${lines.join('\n')}\n`)
}
