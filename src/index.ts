import { join } from 'node:path'
import { resolveConfig } from './config/sources.ts'
import { type RunningNode, startNode } from './node.ts'
import { type Logger, silent } from './world/logger.ts'
import { nodeWorld } from './world/node.ts'

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

/** What a test wants: groups that form at once, one partition for `__consumer_offsets`. `config` overrides it. */
const forTests = { 'group.initial.rebalance.delay.ms': 0, 'offsets.topic.num.partitions': 1 }

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

export interface ClusterOptions {
  /** Default: 3. */
  readonly nodes?: number
  /** Of the first node; the others take the next ones. Default: any free ones. */
  readonly port?: number
  /** Folder with a folder for each node; needs `port`, since nodes look for each other where they were. Default: memory. */
  readonly data?: string
  /** For all nodes, as for a broker. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  readonly logger?: Logger
}

export interface ClusterNode extends RunningBroker {
  readonly id: number
}

export interface RunningCluster {
  /** `host:port` of every node, for any Kafka client. */
  readonly bootstrap: string
  /** In the order of their ids. One may be stopped by itself. */
  readonly nodes: readonly ClusterNode[]
  /** One more node, with the next id. It is ready when fulfilled; its share of partitions comes by and by. */
  add(): Promise<ClusterNode>
  /** Stops the nodes that still run, one after another. */
  stop(): Promise<void>
}

/** Starts a cluster inside of this process. As with `startBroker`, any number may run side by side. */
export async function startCluster(options: ClusterOptions = {}): Promise<RunningCluster> {
  const { nodes: count = 3, port = 0, data, config = {}, logger = silent } = options
  if (data !== undefined && port === 0) throw new Error('a cluster that keeps its data needs a port')
  const running: { readonly node: RunningNode; readonly public: ClusterNode }[] = []
  const start = async (id: number): Promise<void> => {
    const folder = data === undefined ? 'memory' : join(data, `node-${id}`)
    const isNew = data === undefined || !nodeWorld.disk.exists(join(folder, 'meta.properties'))
    const [member] = running
    const joining = member !== undefined && isNew ? { join: bootstrap(), token: member.node.joinToken } : {}
    const own = { host: '127.0.0.1', port: port === 0 ? 0 : port + id - 1, data: folder, 'node.id': id, ...joining }
    const flags = Object.entries({ ...forTests, ...config, ...own }).map(([name, value]) => {
      return { name, value: String(value), origin: name }
    })
    const node = await startNode({ config: resolveConfig({ flags }), world: nodeWorld, logger })
    const shown = { id, bootstrap: node.bootstrap, host: '127.0.0.1', port: node.port, stop: () => node.stop() }
    running.push({ node, public: shown })
    running.sort((a, b) => a.public.id - b.public.id)
  }
  const bootstrap = () => running.map(({ node }) => node.bootstrap).join(',')
  const stop = async () => {
    for (const { node } of [...running].reverse()) await node.stop()
  }
  try {
    // Nodes that have their data find each other: none of them may be waited for before the others are started.
    const known = data !== undefined && nodeWorld.disk.exists(join(data, 'node-1', 'meta.properties'))
    if (!known) await start(1)
    const others = Array.from({ length: count }, (_, i) => i + 1).filter(id => known || id > 1)
    await settled(others.map(start))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    get bootstrap() {
      return bootstrap()
    },
    get nodes() {
      return running.map(each => each.public)
    },
    async add() {
      const id = Math.max(...running.map(each => each.public.id)) + 1
      await start(id)
      return running.find(each => each.public.id === id)!.public
    },
    stop,
  }
}

/** Rejects with the first failure, but not before all are settled: whoever cleans up must know them all. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason
}
