import type { RequestContext } from '../../src/broker/handler.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import type { FetchPort, FetchResponse } from '../../src/replication/fetcher.ts'
import { fetchVersion, type ReplicaNode } from './node.ts'
import type { Dice, VirtualTime } from './time.ts'

type Peer = RequestContext['peer']

interface Waiting {
  readonly resolve: (response: FetchResponse) => void
  readonly reject: (error: Error) => void
  answer: Uint8Array | null
}

/** One connection between two lives of nodes: what is sent arrives in order, or not at all. */
class Wire {
  readonly from: ReplicaNode
  readonly to: ReplicaNode
  readonly #network: Network
  readonly #arrived: { bytes: Uint8Array; waiting: Waiting }[] = []
  readonly #pending: Waiting[] = []
  #holds = 0
  #lastThere = 0
  #lastBack = 0
  lost = false
  readonly #peer: Peer

  constructor(network: Network, from: ReplicaNode, to: ReplicaNode) {
    this.#network = network
    this.from = from
    this.to = to
    this.#peer = {
      local: { host: 'here', port: 1 },
      remote: { host: 'there', port: 1 },
      software: '',
      node: true,
      own: false,
      closed: false,
      fetching: null,
      hurryFetch: null,
      onClose: () => () => {},
      hold: (until: Promise<unknown>) => {
        this.#holds++
        const release = () => {
          this.#holds--
          this.#serve()
        }
        until.then(release, release)
      },
      finish() {},
    }
  }

  send(bytes: Uint8Array, timeoutMs: number): Promise<FetchResponse> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { resolve, reject, answer: null }
      this.#pending.push(waiting)
      const { time } = this.#network
      time.after(timeoutMs, () => {
        if (this.#pending.includes(waiting)) this.lose()
      })
      if (this.#network.isCut(this.from.id, this.to.id)) return
      const at = Math.max(this.#lastThere, time.ms + this.#network.delay())
      this.#lastThere = at
      time.at(at, () => {
        if (!this.to.alive) return this.lose()
        if (this.lost) return
        this.#arrived.push({ bytes, waiting })
        this.#serve()
      })
    })
  }

  lose(): void {
    if (this.lost) return
    this.lost = true
    this.#network.forget(this)
    for (const { reject } of this.#pending.splice(0)) reject(new KafkaError('NETWORK_EXCEPTION'))
  }

  #serve(): void {
    while (this.#holds === 0 && this.to.alive && !this.lost) {
      const next = this.#arrived.shift()
      if (next === undefined) return
      const answered = (answer: Uint8Array) => {
        next.waiting.answer = answer
        this.#answer()
      }
      const reply = this.to.serve(next.bytes, this.#peer)
      if (reply instanceof Promise) reply.then(answered)
      else answered(reply)
    }
  }

  /** In the order of the requests. */
  #answer(): void {
    while (this.#pending[0]?.answer != null && !this.lost) {
      const { time } = this.#network
      // Whoever waits gives up in time.
      if (!this.to.alive || this.#network.isCut(this.to.id, this.from.id)) return
      const { resolve, answer } = this.#pending.shift() as Waiting
      const at = Math.max(this.#lastBack, time.ms + this.#network.delay())
      this.#lastBack = at
      time.at(at, () => {
        if (this.from.alive) resolve(Fetch.response.read(answer as Uint8Array, fetchVersion))
      })
    }
  }
}

/** All connections. Links are cut in one direction or both; connections break when a node dies. */
export class Network {
  readonly time: VirtualTime
  readonly #dice: Dice
  readonly #nodes: () => ReadonlyMap<number, ReplicaNode>
  readonly #wires = new Set<Wire>()
  readonly #cut = new Set<string>()
  /** ms at most. */
  delayMs = 2

  constructor(time: VirtualTime, dice: Dice, nodes: () => ReadonlyMap<number, ReplicaNode>) {
    this.time = time
    this.#dice = dice
    this.#nodes = nodes
  }

  delay(): number {
    return this.#dice.between(0.05, this.#dice.chance(0.02) ? this.delayMs * 20 : this.delayMs)
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`)
  }

  heal(): void {
    this.#cut.clear()
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire)
  }

  /** Whoever waits for an answer of a process that is gone hears of it. */
  died(node: ReplicaNode): void {
    for (const wire of [...this.#wires])
      if (wire.from === node || wire.to === node) this.time.after(this.delay(), () => wire.lose())
  }

  port(from: () => ReplicaNode): FetchPort {
    return {
      fetch: (to, request, timeoutMs) => {
        const target = this.#nodes().get(to)
        if (target === undefined || !target.alive)
          return new Promise((_, reject) =>
            this.time.after(this.delay(), () => reject(new KafkaError('NETWORK_EXCEPTION'))),
          )
        let wire = [...this.#wires].find(each => each.from === from() && each.to === target)
        if (wire === undefined) {
          wire = new Wire(this, from(), target)
          this.#wires.add(wire)
        }
        return wire.send(Fetch.request.toBytes(fetchVersion, request), timeoutMs)
      },
    }
  }
}
