import type { ControllerClient } from '../cluster/controller-client.ts'
import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { Logger } from '../world/logger.ts'

/**
 * When a connection of a broker ends, its process may have died. The controller looks at once whether anybody listens there
 * still: when nobody does, it need not wait for the end of the session.
 */
export class Suspicion {
  readonly #cluster: ClusterState
  readonly #controller: Pick<ControllerClient, 'ask' | 'leading'>
  readonly #peers: Pick<Peers, 'probe'>
  readonly #logger: Logger
  readonly #probing = new Set<number>()

  constructor(
    cluster: ClusterState,
    controller: Pick<ControllerClient, 'ask' | 'leading'>,
    peers: Pick<Peers, 'probe'>,
    logger: Logger,
  ) {
    this.#cluster = cluster
    this.#controller = controller
    this.#peers = peers
    this.#logger = logger
  }

  /** Who begins to decide has not seen what ended before: all others, but `own`. */
  suspectAll(own: number): void {
    for (const id of this.#cluster.brokers.keys()) if (id !== own) this.suspect(id)
  }

  suspect(brokerId: number): void {
    const broker = this.#cluster.brokers.get(brokerId)
    if (!this.#controller.leading || broker === undefined || broker.fenced || this.#probing.has(brokerId)) return
    this.#probing.add(brokerId)
    void this.#probe(brokerId, broker.epoch).finally(() => this.#probing.delete(brokerId))
  }

  async #probe(brokerId: number, brokerEpoch: number): Promise<void> {
    if ((await this.#peers.probe(brokerId)) !== 'refused' || !this.#controller.leading) return
    this.#logger.info('a node is gone: nobody listens at its address', { node: brokerId })
    await this.#controller.ask('brokerLost', { brokerId, brokerEpoch })
  }
}
