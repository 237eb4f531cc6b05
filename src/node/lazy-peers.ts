import type { ClientWorld } from '../client/options.ts'
import type { PeersOptions } from '../cluster/peers/network-peers.ts'
import type { Liveness, PeerSendOptions, Peers, PeerTarget } from '../cluster/peers.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Api, RequestInput, ResponseOutput } from '../protocol/schema.ts'

export type LazyPeersOptions = Omit<PeersOptions, 'authenticate'> & {
  readonly world: ClientWorld
  /** The cluster's secret. */
  readonly token: string
}

const loadParts = () => Promise.all([import('../cluster/peers/network-peers.ts'), import('../security/node-login.ts')])

/** A node that is alone never talks to another one, so what it takes to do so is loaded with the first word. */
export class LazyPeers implements Peers {
  readonly #options: LazyPeersOptions
  readonly #parts: typeof loadParts
  readonly #watchers: ((node: number) => void)[] = []
  #peers: Peers | null = null
  #loading: Promise<Peers> | null = null
  #closed = false

  constructor(options: LazyPeersOptions, parts = loadParts) {
    this.#options = options
    this.#parts = parts
  }

  send<A extends Api>(
    to: PeerTarget,
    api: A,
    request: RequestInput<A>,
    options?: PeerSendOptions,
  ): Promise<ResponseOutput<A>> {
    if (this.#peers !== null) return this.#peers.send(to, api, request, options)
    return this.#load().then(peers => peers.send(to, api, request, options))
  }

  onLost(run: (node: number) => void): () => void {
    this.#watchers.push(run)
    return () => {
      const at = this.#watchers.indexOf(run)
      if (at >= 0) this.#watchers.splice(at, 1)
    }
  }

  probe(node: number): Promise<Liveness> {
    return this.#load().then(peers => peers.probe(node))
  }

  close(): void {
    this.#closed = true
    this.#peers?.close()
  }

  #load(): Promise<Peers> {
    this.#loading ??= this.#make().catch((error: Error) => {
      // No file could be opened, or the program was just replaced: to whoever asks it is as if nobody could be reached.
      this.#loading = null
      throw new KafkaError('NETWORK_EXCEPTION', `parts of the program are missing: ${error.message}`, { cause: error })
    })
    return this.#loading
  }

  async #make(): Promise<Peers> {
    const { token, ...options } = this.#options
    const [{ NetworkPeers }, { nodeLogin }] = await this.#parts()
    const peers = new NetworkPeers({ ...options, authenticate: nodeLogin(() => token, options.world.random) })
    peers.onLost(node => {
      for (const run of [...this.#watchers]) run(node)
    })
    if (this.#closed) peers.close()
    this.#peers = peers
    return peers
  }
}
