import type { CommandName, CommandRequest, CommandResponse } from '../cluster/commands/command.ts'
import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { Quorum } from '../cluster/orderer/raft/quorum.ts'
import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { LogCounters } from '../log/counters.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { ShareCoordinator } from '../shares/coordinator.ts'
import type { Shares } from '../shares/shares.ts'
import type { Volume } from '../store/store.ts'
import type { Address } from '../world/world.ts'

/** Lease groups: those that are coordinated here, and the way to all of the cluster. */
export interface LeaseGroups {
  readonly coordinator: ShareCoordinator
  readonly shares: Shares
  stop(): void
}

/** Lease groups, which are loaded with their first use. */
export interface LeasePort {
  /** Null: nobody has used any. */
  readonly opened: LeaseGroups | null
  /** Those that are coordinated here are loaded, or are being loaded. Null: there are none. */
  readonly opening: Promise<LeaseGroups> | null
  open(): Promise<LeaseGroups>
}

/** The floors below, as handlers need them. */
export interface Services {
  readonly nodeId: number
  readonly clusterId: string
  readonly config: BrokerConfig
  /** Committed metadata. */
  readonly cluster: ClusterState
  /** Decides about changes of metadata. Rejects with KafkaError when it cannot now (NOT_CONTROLLER and its kin). */
  readonly controller: {
    ask<Name extends CommandName>(name: Name, request: CommandRequest<Name>): Promise<CommandResponse<Name>>
  }
  /** Makes `__consumer_offsets` when it is not there yet. */
  createOffsetsTopic(): Promise<void>
  /** Who puts the metadata in order. */
  readonly orderer: Pick<Orderer, 'describe' | 'leader' | 'onLeader'>
  /** Our part in the quorum, as others may ask of it; null: the metadata is put in order elsewhere. */
  quorum(): Promise<Quorum | null>
  /** Other nodes of the cluster. */
  readonly peers: Pick<Peers, 'send'>
  readonly replicas: Replicas
  readonly groups: GroupCoordinator
  readonly leases: LeasePort
  readonly producerIds: { next(): Promise<number> }
  readonly volume: Volume
  /** What all logs of this node did. */
  readonly logCounters: LogCounters
  /** As DescribeLogDirs shows it. */
  readonly dataDirectory: string
  /** The secret of the cluster: who knows it is a node. */
  joinToken(): string
  /** The node that decides about metadata now; null: nobody does. */
  leader(): number | null
  /** A connection of another broker ended: it may be gone. */
  suspect(brokerId: number): void
  /** Of a listening port. */
  listenerName(port: number): string
  /** What clients of a listening port are told; a port without an entry tells the address at which it was reached. */
  readonly advertised: ReadonlyMap<number, Address>
}
