import type { AnyHandler } from '../../broker/handler.ts'
import { type ServedApi, servedApis } from '../../broker/served.ts'

/** A client's API, in the versions in which brokers of the same release serve it. Loaded with its first request. */
function proxied(key: number, load: () => Promise<AnyHandler>): ServedApi {
  const served = servedApis.find(each => each.key === key)
  if (served === undefined) throw new Error(`API ${key} is not served by brokers`)
  return { key, min: served.min, max: served.max, load: async () => ({ default: await load() }) }
}

const partitioned = () => import('./partitioned.ts')
const grouped = () => import('./grouped.ts')
const anywhere = () => import('./anywhere.ts')
const named = () => import('./named-nodes.ts')

/** Everything that clients may ask; what nodes ask of each other is not here. */
export const proxiedApis: readonly ServedApi[] = [
  proxied(0, async () => (await partitioned()).produce),
  proxied(1, async () => (await import('./fetch.ts')).fetch),
  proxied(2, async () => (await partitioned()).listOffsets),
  proxied(3, async () => (await anywhere()).metadata),
  proxied(8, async () => (await grouped()).offsetCommit),
  proxied(9, async () => (await grouped()).offsetFetch),
  proxied(10, async () => (await anywhere()).findCoordinator),
  proxied(11, async () => (await grouped()).joinGroup),
  proxied(12, async () => (await grouped()).heartbeat),
  proxied(13, async () => (await grouped()).leaveGroup),
  proxied(14, async () => (await grouped()).syncGroup),
  proxied(15, async () => (await grouped()).describeGroups),
  proxied(16, async () => (await grouped()).listGroups),
  proxied(18, async () => (await import('./api-versions.ts')).apiVersions),
  proxied(19, async () => (await anywhere()).createTopics),
  proxied(20, async () => (await anywhere()).deleteTopics),
  proxied(21, async () => (await partitioned()).deleteRecords),
  proxied(22, async () => (await anywhere()).initProducerId),
  proxied(23, async () => (await partitioned()).offsetForLeaderEpoch),
  proxied(32, async () => (await named()).describeConfigs),
  proxied(33, async () => (await anywhere()).alterConfigs),
  proxied(35, async () => (await named()).describeLogDirs),
  proxied(37, async () => (await anywhere()).createPartitions),
  proxied(42, async () => (await grouped()).deleteGroups),
  proxied(43, async () => (await anywhere()).electLeaders),
  proxied(44, async () => (await anywhere()).incrementalAlterConfigs),
  proxied(45, async () => (await anywhere()).alterPartitionReassignments),
  proxied(46, async () => (await anywhere()).listPartitionReassignments),
  proxied(47, async () => (await grouped()).offsetDelete),
  proxied(55, async () => (await anywhere()).describeQuorum),
  proxied(57, async () => (await anywhere()).updateFeatures),
  proxied(60, async () => (await anywhere()).describeCluster),
  proxied(61, async () => (await partitioned()).describeProducers),
  proxied(64, async () => (await anywhere()).unregisterBroker),
  proxied(71, async () => (await anywhere()).getTelemetrySubscriptions),
  proxied(74, async () => (await anywhere()).listConfigResources),
  proxied(75, async () => (await anywhere()).describeTopicPartitions),
  proxied(80, async () => (await anywhere()).addRaftVoter),
  proxied(81, async () => (await anywhere()).removeRaftVoter),
]
