import { type DoorName, type Doors, doorNames, type Guest } from '../broker/guest.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { OpenDoors } from '../gateway/doors.ts'
import type { GatewayNode } from '../gateway/gateway.ts'
import type { Address } from '../world/world.ts'

/** The name of the listener as which a node registers a port of a door's own. */
const listenerOf = (door: DoorName) => door.toUpperCase()

export const isDoorListener = (name: string): boolean => doorNames.some(door => listenerOf(door) === name)

/** Where a node of the cluster serves a door: its own port for it, else its first one. Null: it is not known, or not up. */
export function doorAddress(cluster: ClusterState, nodeId: number, door: DoorName): Address | null {
  const broker = cluster.brokers.get(nodeId)
  if (broker === undefined || broker.fenced) return null
  const found = broker.endPoints.find(({ name }) => name === listenerOf(door)) ?? broker.endPoints[0]
  return found === undefined ? null : { host: found.host, port: found.port }
}

/** The doors besides Kafka's, none of which is loaded before somebody stands before it. */
export class LazyDoors implements Doors {
  readonly #node: GatewayNode
  #opening: Promise<OpenDoors> | null = null
  #open: OpenDoors | null = null
  #closed = false

  constructor(node: GatewayNode) {
    this.#node = node
  }

  enter(guest: Guest, first: Uint8Array, door: DoorName | null): void {
    // A door on a port of its own is open; on the common port the settings say which are.
    const open = door !== null || doorNames.some(name => this.#isOpen(name))
    if (this.#closed || !open) guest.destroy()
    else if (this.#open !== null) this.#open.enter(guest, first, door)
    else {
      this.#opening ??= this.#load()
      this.#opening.then(
        open => open.enter(guest, first, door),
        () => guest.destroy(),
      )
    }
  }

  #isOpen(name: DoorName): boolean {
    return this.#node.config.get('doors').includes(name)
  }

  async #load(): Promise<OpenDoors> {
    try {
      const { OpenDoors } = await import('../gateway/doors.ts')
      this.#open = new OpenDoors(this.#node, name => this.#isOpen(name))
      return this.#open
    } catch (error) {
      this.#node.logger.error('the doors do not open', { error: (error as Error).stack })
      throw error
    }
  }

  /** Nobody new; who is inside gets `graceMs` to finish. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    const open = await this.#opening?.catch(() => null)
    await open?.close(graceMs)
  }
}
