import type { Address } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'

/** Nodes are few; whoever made them many should not take our memory. */
const mostHeard = 1000

/** Where nodes are, as far as the quorum knows: voters by the log, others by what was heard of them. */
export class Whereabouts {
  readonly #voters: () => readonly Voter[]
  readonly #heard = new Map<number, Address>()

  constructor(voters: () => readonly Voter[]) {
    this.#voters = voters
  }

  of(node: number): Address | null {
    const endpoint = this.#voters().find(({ id }) => id === node)?.endpoints[0]
    return endpoint ?? this.heard(node)
  }

  /** What others said; null: nobody did. */
  heard(node: number): Address | null {
    return this.#heard.get(node) ?? null
  }

  learn(node: number, { host, port }: Address): void {
    this.#heard.set(node, { host, port })
    if (this.#heard.size > mostHeard) this.#heard.delete(this.#heard.keys().next().value!)
  }

  /** How a node is asked: by its id, where the cluster knows its address, otherwise at the one that was heard. */
  target(node: number): number | Address {
    const known = this.#voters().some(({ id, endpoints }) => id === node && endpoints.length > 0)
    return known ? node : (this.heard(node) ?? node)
  }
}
