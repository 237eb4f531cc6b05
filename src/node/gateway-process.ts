import { showAddress } from '../client/address.ts'
import { Cluster } from '../client/cluster.ts'
import { KafkaProxy } from '../gateway/kafka/proxy.ts'
import type { NodesShown } from '../gateway/kafka/rewrite.ts'
import { KafkaError } from '../protocol/errors.ts'
import { tokenProblem } from '../security/join-token.ts'
import type { Shares } from '../shares/shares.ts'
import type { Address, Timer } from '../world/world.ts'
import { LazyDoors } from './doors.ts'
import { seedAddresses } from './join.ts'
import { Listeners } from './listeners.ts'
import type { NodeOptions, RunningNode } from './options.ts'
import { brokerLimits } from './settings.ts'

/** ms between two questions who is there. */
const refreshMs = 1_000
/** ms for a connection, and for each answer to a question of the gateway's own. */
const answerMs = 3_000
/** ms between two attempts to find the cluster, and between words to whoever waits. */
const againMs = 250
const sayMs = 10_000
/** ms that connections get to take their answers when the gateway stops: over HTTP and gRPC, then over Kafka's protocol. */
const doorsMs = 3_000
const drainMs = 5_000

/**
 * `--roles gateway`: a process that holds no data and has no part in the cluster. It serves every door at its own address, as
 * a client of the cluster at `--join`.
 */
export class GatewayProcess implements RunningNode {
  readonly nodeId = -1
  readonly joinToken = ''
  readonly joinAddress = ''
  /** It promises nothing that a disk could break. */
  readonly failed = new Promise<never>(() => {})
  readonly #options: NodeOptions
  readonly #seeds: readonly Address[]
  readonly #listeners: Listeners
  readonly #cluster: Cluster
  readonly #proxy: KafkaProxy
  readonly #doors: LazyDoors
  #shares: Promise<{ readonly shares: Shares; close(): void }> | null = null
  #refresh: Timer | null = null
  #stopping: Promise<void> | null = null

  /** Rejects with a sentence that says what is wrong. */
  static async open(options: NodeOptions): Promise<GatewayProcess> {
    const seeds = seedAddresses(options.config.config.get('join'))
    if (seeds.length === 0) throw new Error('a gateway needs --join: addresses of nodes of its cluster')
    const token = options.config.config.get('token')
    const problem = token === null ? null : tokenProblem(token)
    if (problem !== null) throw new Error(problem)
    return new GatewayProcess(options, seeds, await Listeners.bind(options.world, options.config))
  }

  private constructor(options: NodeOptions, seeds: readonly Address[], listeners: Listeners) {
    const { world, logger, config: resolved } = options
    const { config } = resolved
    this.#options = options
    this.#seeds = seeds
    this.#listeners = listeners
    this.#cluster = new Cluster(world, {
      bootstrap: seeds,
      clientId: 'ottla-gateway',
      connectTimeoutMs: answerMs,
      requestTimeoutMs: answerMs,
      apiTimeoutMs: answerMs,
    })
    this.#proxy = new KafkaProxy({
      world,
      logger,
      limits: brokerLimits(config),
      cluster: this.#cluster,
      advertised: listeners.advertised,
      shown: () => config.get('gateway.nodes') as NodesShown,
    })
    this.#doors = this.#newDoors()
    this.#proxy.doors = this.#doors
    if (!config.get('doors').includes('kafka')) this.#proxy.serveNoKafka()
  }

  #newDoors(): LazyDoors {
    const { world, logger, config } = this.#options
    const [proxy, listeners] = [this.#proxy, this.#listeners]
    const { directory } = proxy
    return new LazyDoors({
      world,
      logger,
      config: config.config,
      nodeId: this.nodeId,
      get clusterId() {
        return directory.clusterId ?? ''
      },
      server: proxy,
      broker: null,
      proxy,
      leases: () => this.#leases(),
      addresses: () => this.#nodes(),
      hosts: listeners.hosts,
      leader: () => (directory.controllerId < 0 ? null : directory.controllerId),
      doorPort: door => listeners.doorPort(door),
      // Whoever comes here may reach nobody else.
      httpAddress: () => listeners.registered(() => world.net.addresses()[0] ?? '127.0.0.1')[0] ?? null,
    })
  }

  async #leases(): Promise<Shares> {
    const { world, logger, config: resolved } = this.#options
    const token = resolved.config.get('token')
    if (token === null) {
      const why = 'lease groups need the secret of the cluster: start this gateway with --token'
      throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED', why)
    }
    const [{ directory }, cluster] = [this.#proxy, this.#cluster]
    // Nodes want to hear from us which cluster we mean.
    if (directory.clusterId === null && !(await directory.refresh()))
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the cluster does not answer')
    this.#shares ??= import('./gateway-shares.ts').then(({ gatewayShares }) =>
      gatewayShares({ world, logger, config: resolved.config, directory, cluster, token }),
    )
    return (await this.#shares).shares
  }

  /** Where the cluster is, as far as we know. */
  #nodes(): readonly Address[] {
    const known = [...this.#proxy.directory.brokers.values()]
    return known.length > 0 ? known.map(({ host, port }) => ({ host, port })) : this.#seeds
  }

  /** Serves at once, and is ready when the cluster has been found: until then clients wait, for a while. */
  async start(): Promise<void> {
    const { world, logger } = this.#options
    this.#proxy.adopt(this.#listeners.serve((socket, door) => this.#proxy.accept(socket, door)))
    let said = world.clock.mono()
    while (!(await this.#proxy.directory.refresh()) && this.#stopping === null) {
      const now = world.clock.mono()
      if (now - said > sayMs) {
        said = now
        logger.info(`waiting for a node of the cluster at ${this.#seeds.map(showAddress).join(', ')}`)
      }
      await new Promise<void>(resolve => world.timers.after(againMs, resolve))
    }
    this.#lookAgain()
  }

  #lookAgain(): void {
    if (this.#stopping !== null) return
    this.#refresh = this.#options.world.timers.after(refreshMs, () => {
      void this.#proxy.directory.refresh().then(() => {
        this.#proxy.leaveTheGone()
        this.#lookAgain()
      })
    })
  }

  get clusterId(): string {
    return this.#proxy.directory.clusterId ?? ''
  }

  get addresses(): readonly Address[] {
    return this.#listeners.addresses
  }

  get port(): number {
    return this.#listeners.port
  }

  get bootstrap(): string {
    return this.#listeners.bootstrap
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#refresh?.cancel()
    await this.#doors.close(doorsMs)
    await this.#proxy.drain(drainMs, () => {})
    const shares = await this.#shares?.catch(() => null)
    shares?.close()
    this.#cluster.close()
  }
}
