import type { BrokerState } from './state.ts'

/** What a controller knows only as long as it leads: who was heard, and how far they are. */
export type SoftFact =
  /** A broker speaks. `metadataOffset`: the last offset that it has applied; null: it did not say. */
  | {
      readonly type: 'BrokerHeard'
      readonly brokerId: number
      readonly brokerEpoch: number
      readonly metadataOffset: number | null
    }
  /** A broker did not speak for a whole session, or its process is gone. */
  | { readonly type: 'BrokerSilent'; readonly brokerId: number }
  /** A broker that wants to stop leads nothing any more: it may go when the others know. */
  | { readonly type: 'BrokerRelieved'; readonly brokerId: number }

interface Contact {
  readonly epoch: number
  readonly live: boolean
  /** The last offset that it has applied; −1: not known. */
  readonly metadataOffset: number
  /** Offset of the last fact that the others must know before it may go; null: it need not go, or is not relieved yet. */
  readonly relievedAt: number | null
}

/** Sessions of brokers. They end with the lead: a new controller gives everybody a full one. */
export class Contacts {
  readonly #contacts = new Map<number, Contact>()

  /** `offset`: after the last record so far. */
  apply(fact: SoftFact, offset: number): void {
    const known = this.#contacts.get(fact.brokerId)
    switch (fact.type) {
      case 'BrokerHeard': {
        const same = known?.epoch === fact.brokerEpoch ? known : null
        this.#contacts.set(fact.brokerId, {
          epoch: fact.brokerEpoch,
          live: true,
          metadataOffset: fact.metadataOffset ?? same?.metadataOffset ?? -1,
          relievedAt: same?.relievedAt ?? null,
        })
        break
      }
      case 'BrokerSilent':
        if (known !== undefined) this.#contacts.set(fact.brokerId, { ...known, live: false })
        break
      case 'BrokerRelieved':
        if (known !== undefined) this.#contacts.set(fact.brokerId, { ...known, relievedAt: offset - 1 })
        break
    }
  }

  /** Whether this life of a broker was heard within its session. */
  isLive({ id, epoch }: BrokerState): boolean {
    const contact = this.#contacts.get(id)
    return contact?.epoch === epoch && contact.live
  }

  metadataOffset({ id, epoch }: BrokerState): number {
    const contact = this.#contacts.get(id)
    return contact?.epoch === epoch ? contact.metadataOffset : -1
  }

  relievedAt({ id, epoch }: BrokerState): number | null {
    const contact = this.#contacts.get(id)
    return contact?.epoch === epoch ? contact.relievedAt : null
  }
}
