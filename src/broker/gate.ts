import type { Timers } from '../world/world.ts'
import { ApiEntry } from './api-entry.ts'
import type { AnyHandler, RequestContext } from './handler.ts'

/**
 * What nodes ask of each other while a cluster forms: a node must answer this before it can serve clients. ApiVersions,
 * SASL, the quorum's requests, replica fetches, and what brokers ask of their controller.
 */
const early = new Set([1, 17, 18, 23, 36, 52, 53, 54, 55, 56, 59, 60, 62, 63, 67, 80, 81, 82])
/** ms: a client that knows other nodes should soon try them; one that knows only us comes back. */
const patienceMs = 3000

/** By which the other side says who it is: ApiVersions, SASL. */
const introductions = new Set([17, 18, 36])

/** An API where Kafka's clients are not served: other nodes still speak Kafka's protocol here, and so do our own doors. */
export const forNodes = (entry: ApiEntry): ApiEntry =>
  introductions.has(entry.served.key) ? entry : new NodesOnlyEntry(entry)

class NodesOnlyEntry extends ApiEntry {
  readonly #entry: ApiEntry

  constructor(entry: ApiEntry) {
    super(entry.served)
    this.#entry = entry
  }

  override async load(): Promise<AnyHandler> {
    const handler = await this.#entry.load()
    this.handler = {
      ...handler,
      handle: (request, context: RequestContext) =>
        context.peer.node || context.peer.own ? handler.handle(request, context as never) : goAway(context.peer),
    }
    return this.handler
  }
}

/** Holds clients back until the node knows enough to answer them. */
export class Gate {
  readonly #timers: Timers
  readonly #opened: Promise<true>
  #open: () => void = () => {}

  constructor(timers: Timers) {
    this.#timers = timers
    this.#opened = new Promise(resolve => {
      this.#open = () => resolve(true)
    })
  }

  open(): void {
    this.#open()
  }

  /** The same API, which is not ready before the gate is open. */
  hold(entry: ApiEntry): ApiEntry {
    return early.has(entry.served.key) ? entry : new HeldEntry(entry, this)
  }

  /** Whether the gate opened in time. */
  wait(): Promise<boolean> {
    return new Promise(resolve => {
      const timer = this.#timers.after(patienceMs, () => resolve(false))
      void this.#opened.then(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }
}

class HeldEntry extends ApiEntry {
  readonly #entry: ApiEntry
  readonly #gate: Gate

  constructor(entry: ApiEntry, gate: Gate) {
    super(entry.served)
    this.#entry = entry
    this.#gate = gate
  }

  override async load(): Promise<AnyHandler> {
    const opened = await this.#gate.wait()
    const handler = await this.#entry.load()
    this.handler = opened ? handler : { ...handler, handle: (_, { peer }: RequestContext) => goAway(peer) }
    return this.handler
  }
}

/** No answer, and the end of the connection: what a client also meets at a node that has not started yet. */
function goAway(peer: { finish(): void }): null {
  peer.finish()
  return null
}
