import { join } from 'node:path'
import { resolveConfig } from '../config/sources.ts'
import { type RunningNode, startNode } from '../node.ts'
import { type Logger, silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import { forTests } from './for-tests.ts'
import { untilVoters } from './voters.ts'

export interface ClusterOptions {
  /** Default: 3. */
  readonly nodes?: number
  /** Of the first node; the others take the next ones. Default: any free ones. */
  readonly port?: number
  /** Folder with a folder for each node; needs `port`, since nodes look for each other where they were. Default: memory. */
  readonly data?: string
  /** Kafka's broker settings by name, for all nodes. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** Default: nothing is logged. */
  readonly logger?: Logger
}

export interface ClusterNode {
  readonly id: number
  /** `host:port` for any Kafka client. */
  readonly bootstrap: string
  readonly host: string
  readonly port: number
  /** Hands over what it leads, answers what is in flight, and lets the port go. */
  stop(): Promise<void>
  /** Again, at the same port, after `stop`; a node in memory has forgotten everything and copies it from the others. */
  start(): Promise<void>
}

export interface RunningCluster {
  /** `host:port` of every node, for any Kafka client. */
  readonly bootstrap: string
  /** In the order of their ids, also those that are stopped. */
  readonly nodes: readonly ClusterNode[]
  /** One more node. It is ready when fulfilled; its share of partitions comes by and by. */
  add(): Promise<ClusterNode>
  /** Stops the nodes that still run, one after another. */
  stop(): Promise<void>
}

const host = '127.0.0.1'
/** Of the metadata: where there are nodes for it, one of them may be missed. */
const mostVoters = 3
/** ms that a start waits for them. */
const votersMs = 10_000
/** Nodes of a test, and of one machine, come to stay: they need not show for a while that they do. */
const forClusters = { 'quorum.voters': mostVoters, 'quorum.voter.probation.ms': 0 }

/** Nodes of one process. */
export class LocalCluster implements RunningCluster {
  readonly #options: ClusterOptions
  readonly #nodes: LocalNode[] = []
  #token: string | null = null
  #begun = false

  static async start(options: ClusterOptions): Promise<LocalCluster> {
    if (options.data !== undefined && (options.port ?? 0) === 0)
      throw new Error('a cluster that keeps its data needs a port')
    const cluster = new LocalCluster(options)
    try {
      await cluster.#startAll(options.nodes ?? 3)
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  private constructor(options: ClusterOptions) {
    this.#options = options
  }

  get bootstrap(): string {
    return this.#nodes.map(node => node.bootstrap).join(',')
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes
  }

  async add(): Promise<ClusterNode> {
    const node = this.#newNode()
    await node.start()
    return node
  }

  /** Until the metadata survives what it can survive with the nodes that run now. */
  async #settle(): Promise<void> {
    const running = this.#nodes.filter(node => node.running)
    const orderer = this.#options.config?.orderer ?? 'raft'
    if (running.length < mostVoters || orderer !== 'raft') return
    await untilVoters(
      mostVoters,
      running.map(({ port }) => port),
      votersMs,
    )
  }

  async stop(): Promise<void> {
    for (const node of [...this.#nodes].reverse()) await node.stop()
  }

  async #startAll(count: number): Promise<void> {
    const nodes = Array.from({ length: count }, () => this.#newNode())
    const [first, ...others] = nodes
    // The first one begins the cluster, unless there is one: then nodes find each other, and none is waited for alone.
    const begins = first?.isNew === true
    if (begins) await first.start()
    const starting = (begins ? others : nodes).map(node => node.start())
    // Who cleans up must know them all, so the others are waited for when one fails.
    for (const result of await Promise.allSettled(starting)) if (result.status === 'rejected') throw result.reason
    this.#begun = true
    await this.#settle()
  }

  #newNode(): LocalNode {
    const { port = 0, data, config = {}, logger = silent } = this.#options
    const id = this.#nodes.length + 1
    const folder = data === undefined ? 'memory' : join(data, `node-${id}`)
    const settle = async () => {
      if (this.#begun) await this.#settle()
    }
    const node = new LocalNode(id, port === 0 ? 0 : port + id - 1, folder, settle, async settings => {
      const members = this.#nodes.filter(other => other !== node && other.running)
      const joining = node.isNew && members.length > 0 ? { join: members.map(each => each.bootstrap).join(',') } : {}
      const token = this.#token === null ? {} : { token: this.#token }
      const all = Object.entries({ ...forTests, ...forClusters, ...config, ...settings, ...joining, ...token })
      const flags = all.map(([name, value]) => ({ name, value: String(value), origin: name }))
      const started = await startNode({ config: resolveConfig({ flags }), world: nodeWorld, logger })
      this.#token = started.joinToken
      return started
    })
    this.#nodes.push(node)
    return node
  }
}

type Start = (settings: Record<string, string | number>) => Promise<RunningNode>

class LocalNode implements ClusterNode {
  readonly id: number
  readonly host = host
  port: number
  readonly #folder: string
  readonly #settle: () => Promise<void>
  readonly #start: Start
  #node: RunningNode | null = null

  constructor(id: number, port: number, folder: string, settle: () => Promise<void>, start: Start) {
    this.id = id
    this.port = port
    this.#folder = folder
    this.#settle = settle
    this.#start = start
  }

  get bootstrap(): string {
    return `${host}:${this.port}`
  }

  get running(): boolean {
    return this.#node !== null
  }

  /** Nothing is known of a cluster here. */
  get isNew(): boolean {
    return this.#folder === 'memory' || !nodeWorld.disk.exists(join(this.#folder, 'meta.properties'))
  }

  async start(): Promise<void> {
    if (this.#node !== null) return
    this.#node = await this.#start({ host, port: this.port, data: this.#folder, 'node.id': this.id })
    this.port = this.#node.port
    await this.#settle()
  }

  async stop(): Promise<void> {
    const node = this.#node
    this.#node = null
    await node?.stop()
  }
}
