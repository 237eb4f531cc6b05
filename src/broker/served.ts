import type { AnyHandler } from './handler.ts'

/** An API and the versions we serve. The handler is loaded when the first client asks: start-up pays for none. */
export interface ServedApi {
  readonly key: number
  readonly min: number
  readonly max: number
  readonly load: () => Promise<{ default: AnyHandler }>
}

function serve(key: number, versions: `${number}-${number}`, load: ServedApi['load']): ServedApi {
  const [min, max] = versions.split('-').map(Number) as [number, number]
  return { key, min, max, load }
}

/** Everything a client may ask. ApiVersions is answered from this table, so it cannot promise what is not here. */
export const servedApis: readonly ServedApi[] = [
  serve(0, '0-13', () => import('./handlers/produce.ts')),
  serve(1, '0-18', () => import('./handlers/fetch.ts')),
  serve(2, '0-11', () => import('./handlers/list-offsets.ts')),
  serve(3, '0-13', () => import('./handlers/metadata.ts')),
  serve(8, '0-10', () => import('./handlers/offset-commit.ts')),
  serve(9, '0-10', () => import('./handlers/offset-fetch.ts')),
  serve(10, '0-6', () => import('./handlers/find-coordinator.ts')),
  serve(11, '0-9', () => import('./handlers/join-group.ts')),
  serve(12, '0-4', () => import('./handlers/heartbeat.ts')),
  serve(13, '0-5', () => import('./handlers/leave-group.ts')),
  serve(14, '0-5', () => import('./handlers/sync-group.ts')),
  serve(15, '0-6', () => import('./handlers/describe-groups.ts')),
  serve(16, '0-5', () => import('./handlers/list-groups.ts')),
  // Version 0 goes on with bare tokens instead of requests.
  serve(17, '1-1', () => import('./handlers/sasl-handshake.ts')),
  serve(18, '0-5', () => import('./handlers/api-versions.ts')),
  serve(19, '0-7', () => import('./handlers/create-topics.ts')),
  serve(20, '0-6', () => import('./handlers/delete-topics.ts')),
  serve(21, '0-2', () => import('./handlers/delete-records.ts')),
  serve(22, '0-5', () => import('./handlers/init-producer-id.ts')),
  serve(23, '0-4', () => import('./handlers/offset-for-leader-epoch.ts')),
  serve(32, '0-4', () => import('./handlers/describe-configs.ts')),
  serve(33, '0-2', () => import('./handlers/alter-configs.ts')),
  serve(35, '0-5', () => import('./handlers/describe-log-dirs.ts')),
  serve(36, '0-2', () => import('./handlers/sasl-authenticate.ts')),
  serve(37, '0-3', () => import('./handlers/create-partitions.ts')),
  serve(42, '0-3', () => import('./handlers/delete-groups.ts')),
  serve(43, '0-2', () => import('./handlers/elect-leaders.ts')),
  serve(44, '0-1', () => import('./handlers/incremental-alter-configs.ts')),
  serve(45, '0-1', () => import('./handlers/alter-partition-reassignments.ts')),
  serve(46, '0-0', () => import('./handlers/list-partition-reassignments.ts')),
  serve(47, '0-0', () => import('./handlers/offset-delete.ts')),
  serve(52, '0-2', () => import('./handlers/vote.ts')),
  serve(53, '0-1', () => import('./handlers/begin-quorum-epoch.ts')),
  serve(54, '0-1', () => import('./handlers/end-quorum-epoch.ts')),
  serve(55, '0-2', () => import('./handlers/describe-quorum.ts')),
  serve(56, '2-3', () => import('./handlers/alter-partition.ts')),
  serve(57, '0-2', () => import('./handlers/update-features.ts')),
  serve(59, '0-1', () => import('./handlers/fetch-snapshot.ts')),
  serve(60, '0-2', () => import('./handlers/describe-cluster.ts')),
  serve(61, '0-0', () => import('./handlers/describe-producers.ts')),
  serve(62, '0-4', () => import('./handlers/broker-registration.ts')),
  serve(63, '0-2', () => import('./handlers/broker-heartbeat.ts')),
  serve(64, '0-0', () => import('./handlers/unregister-broker.ts')),
  serve(67, '0-0', () => import('./handlers/allocate-producer-ids.ts')),
  serve(71, '0-0', () => import('./handlers/get-telemetry-subscriptions.ts')),
  serve(74, '0-1', () => import('./handlers/list-config-resources.ts')),
  serve(75, '0-0', () => import('./handlers/describe-topic-partitions.ts')),
  serve(80, '0-1', () => import('./handlers/add-raft-voter.ts')),
  serve(81, '0-0', () => import('./handlers/remove-raft-voter.ts')),
  serve(82, '0-0', () => import('./handlers/update-raft-voter.ts')),
]

/** Ours, for other nodes of the cluster; Kafka's clients are not told of them. */
export const nodeApis: readonly ServedApi[] = [
  serve(20_001, '0-0', () => import('./handlers/acquire-leases.ts')),
  serve(20_002, '0-0', () => import('./handlers/settle-leases.ts')),
  serve(20_003, '0-0', () => import('./handlers/describe-leases.ts')),
  serve(20_004, '0-0', () => import('./handlers/alter-leases.ts')),
]
