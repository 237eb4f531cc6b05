import type { BrokerConfig } from '../../config/broker-config.ts'
import type { World } from '../../world/world.ts'
import type { ClusterClient } from '../cluster-client.ts'
import type { EventDesk } from '../events/desk.ts'
import type { Puller } from '../leases/puller.ts'
import type { Turns } from '../turns.ts'

/** What the calls of this door stand on. */
export interface DoorContext {
  readonly client: ClusterClient
  /** Loaded when somebody wants leases. */
  puller(): Promise<Puller>
  /** Loaded with the first subscriber. */
  events(): Promise<EventDesk>
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly config: Pick<BrokerConfig, 'get'>
  /**
   * What large answers that are made in one turn of the event loop may cost, in fields. Requests that are read have turns of
   * their own: what is begun shall not wait behind what comes, and be held meanwhile.
   */
  readonly telling: Turns
  /** Clients are served. */
  serving(): boolean
  /** Aborted when the node stops. */
  readonly stopping: AbortSignal
}
