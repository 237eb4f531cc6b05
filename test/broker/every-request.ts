// A request of every API in every version, small but good enough for more than an error.
import { downConvert } from '../../src/protocol/batches/legacy-write.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { ZERO_UUID } from '../../src/protocol/uuid.ts'
import { batch } from './requests.ts'

/** The topic that requests are about. */
export interface Victim {
  readonly name: string
  readonly topicId: string
}

/** What a request needs besides its smallest form, to be more than an error. */
const bodies: Readonly<Record<string, (version: number, topic: Victim) => object>> = {
  Produce: (version, { name, topicId }) => ({
    acks: -1,
    timeoutMs: 1000,
    topicData: [
      {
        ...(version < 13 ? { name } : { topicId }),
        partitionData: [{ index: 0, records: version < 3 ? downConvert(batch(['v']), 1) : batch(['v']) }],
      },
    ],
  }),
  Fetch: (version, { name, topicId }) => ({
    ...(version < 15 ? { replicaId: -1 } : {}),
    maxWaitMs: 0,
    minBytes: 0,
    topics: [
      {
        ...(version < 13 ? { topic: name } : { topicId }),
        partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }],
      },
    ],
  }),
  ListOffsets: (_, { name }) => ({
    replicaId: -1,
    topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
  }),
  Metadata: (_, { name }) => ({ topics: [{ name }] }),
  ApiVersions: version => (version < 3 ? {} : { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }),
  OffsetCommit: (version, { name, topicId }) => ({
    groupId: 'g',
    topics: [
      {
        ...(version < 10 ? { name } : { topicId }),
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
      },
    ],
  }),
  OffsetFetch: (version, { name, topicId }) =>
    version < 8
      ? { groupId: 'g', topics: [{ name, partitionIndexes: [0] }] }
      : { groups: [{ groupId: 'g', topics: [{ ...(version < 10 ? { name } : { topicId }), partitionIndexes: [0] }] }] },
  FindCoordinator: version => (version < 4 ? { key: 'g' } : { coordinatorKeys: ['g'] }),
  JoinGroup: version => ({
    groupId: `group-${version}`,
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 6000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  }),
  CreateTopics: version => ({
    topics: [{ name: `made-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  }),
  DeleteTopics: version =>
    version < 6 ? { topicNames: [`made-${version}`] } : { topics: [{ name: `made-${version}`, topicId: ZERO_UUID }] },
  DescribeConfigs: (_, { name }) => ({ resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }] }),
  UpdateRaftVoter: () => ({ kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 } }),
  IncrementalAlterConfigs: (_, { name }) => ({ resources: [{ resourceType: 2, resourceName: name, configs: [] }] }),
}

/** Every field at its smallest, for the request's version; `bodies` adds what makes it useful. */
export function validRequest(api: Api, version: number, topic: Victim): object {
  const fields: Record<string, unknown> = {}
  for (const [field, { spec }] of Object.entries(api.request.fields)) {
    const present = version >= spec.versions.min && version <= spec.versions.max && spec.tag < 0
    if (!present || spec.default !== undefined) continue
    const nullable = version >= spec.nullable.min && version <= spec.nullable.max
    const { kind } = spec.type
    if (nullable) fields[field] = null
    else if (kind === 'array') fields[field] = []
    else if (kind === 'string') fields[field] = ''
    else if (kind === 'bool') fields[field] = false
    else if (kind === 'uuid') fields[field] = ZERO_UUID
    else if (kind === 'bytes') fields[field] = Buffer.alloc(0)
    else if (kind !== 'struct') fields[field] = 0
  }
  return { ...fields, ...bodies[api.name]?.(version, topic) }
}
