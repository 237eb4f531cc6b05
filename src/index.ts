import { resolveConfig } from './config/sources.ts'
import type { ClusterOptions, RunningCluster } from './index/cluster.ts'
import { forTests } from './index/for-tests.ts'
import { startNode } from './node.ts'
import { type Logger, silent } from './world/logger.ts'
import { nodeWorld } from './world/node.ts'

export type { ClusterNode, ClusterOptions, RunningCluster } from './index/cluster.ts'
export type { Logger } from './world/logger.ts'

export interface BrokerOptions {
  /** Default: any free one. */
  readonly port?: number
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string
  /** Folder that keeps the data. Default: memory, gone with the broker. */
  readonly data?: string
  /** Kafka's broker settings by name, such as `{ 'num.partitions': 3 }`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** Default: nothing is logged. */
  readonly logger?: Logger
}

export interface RunningBroker {
  /** `host:port` for any Kafka client. */
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  /** Answers what is in flight, writes everything down, and lets the port go. */
  stop(): Promise<void>
}

/**
 * Starts a broker inside of this process; any number may run side by side. Rejects with a sentence that says what is
 * wrong: a setting that does not exist, a port that is taken, a folder that another broker uses.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const { port = 0, host = '127.0.0.1', data = 'memory', config = {}, logger = silent } = options
  const settings = { ...forTests, ...config, port, host, data }
  const flags = Object.entries(settings).map(([name, value]) => ({ name, value: String(value), origin: name }))
  const node = await startNode({ config: resolveConfig({ flags }), world: nodeWorld, logger })
  return { bootstrap: node.bootstrap, host, port: node.port, stop: () => node.stop() }
}

/**
 * Starts a cluster inside of this process, three nodes unless `options` say otherwise. As with `startBroker`, any number may
 * run side by side.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<RunningCluster> {
  const { LocalCluster } = await import('./index/cluster.ts')
  return LocalCluster.start(options)
}
