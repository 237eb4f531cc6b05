import type { Cluster } from '../../client/cluster.ts'
import { failure } from '../../client/failures.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { CreatePartitions } from '../../protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../protocol/messages/create-topics.ts'
import { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { Failure } from '../failure.ts'
import { bracketedPairs, pairsOf } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'
import { givenTopics, topicsNamed } from '../topic-names.ts'
import { parseCount } from '../when.ts'

const TIMEOUT_MS = 30_000

interface CreateFlags extends ConnectFlags {
  readonly topic?: readonly string[]
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly replicaAssignment?: string
  readonly config?: readonly string[]
  readonly ifNotExists?: boolean
}

export function create(names: readonly string[], flags: CreateFlags, terminal: Terminal): Promise<void> {
  const topics = named(names, flags)
  const configs = [...pairsOf('--config', flags.config)].map(([name, value]) => ({ name, value }))
  const assignments = assignmentOf(flags)
  const numPartitions =
    flags.partitions === undefined ? -1 : parseCount('--partitions', flags.partitions, 1, 2 ** 31 - 1)
  const factor = flags.replicationFactor
  const replicationFactor = factor === undefined ? -1 : parseCount('--replication-factor', factor, 1, 2 ** 15 - 1)
  const counts =
    assignments.length > 0 ? { numPartitions: -1, replicationFactor: -1 } : { numPartitions, replicationFactor }
  return withCluster(flags, terminal, async cluster => {
    const connection = await cluster.controller()
    const answer = await connection.request(CreateTopics, {
      topics: topics.map(name => ({ name, ...counts, assignments, configs })),
      timeoutMs: TIMEOUT_MS,
      validateOnly: false,
    })
    for (const { name, errorCode, errorMessage, numPartitions: partitions } of answer.topics) {
      const there = errorCode === ErrorCode.TOPIC_ALREADY_EXISTS
      if (there && flags.ifNotExists === true) continue
      if (there) throw new Failure(`topic ${name} exists already`)
      if (errorCode !== 0) throw failure(errorCode, `topic ${name}`, errorMessage)
      const count = partitions > 0 ? ` with ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}` : ''
      say(terminal, `created topic ${terminal.paint.bold(name)}${count}`)
    }
  })
}

interface AlterFlags extends ConnectFlags {
  readonly topic?: readonly string[]
  readonly partitions?: string
  readonly config?: readonly string[]
  readonly addConfig?: readonly string[]
  readonly deleteConfig?: readonly string[]
  readonly ifExists?: boolean
}

const SET = 0
const DELETE = 1

export function alter(names: readonly string[], flags: AlterFlags, terminal: Terminal): Promise<void> {
  const wanted = named(names, flags)
  const set = [...(flags.config ?? []), ...(flags.addConfig ?? [])].flatMap(text => [
    ...bracketedPairs('--config', text),
  ])
  const configs = [
    ...set.map(([name, value]) => ({ name, value, configOperation: SET })),
    ...(flags.deleteConfig ?? [])
      .flatMap(text => text.split(','))
      .map(name => ({ name, value: null, configOperation: DELETE })),
  ]
  const count = flags.partitions === undefined ? null : parseCount('--partitions', flags.partitions, 1, 2 ** 31 - 1)
  if (count === null && configs.length === 0) throw new Failure('say what to change: --partitions or --config', 2)
  return withCluster(flags, terminal, async cluster => {
    const missing = flags.ifExists === true ? 'pass' : 'fail'
    const topics = (await topicsNamed(cluster, wanted, { missing })).map(topic => topic.name)
    if (topics.length === 0) return
    if (count !== null) await grow(cluster, topics, count)
    if (configs.length > 0) await configure(cluster, topics, configs)
    for (const name of topics) say(terminal, `changed topic ${terminal.paint.bold(name)}`)
  })
}

async function grow(cluster: Cluster, topics: readonly string[], count: number): Promise<void> {
  const connection = await cluster.controller()
  const answer = await connection.request(CreatePartitions, {
    topics: topics.map(name => ({ name, count, assignments: null })),
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  })
  for (const { name, errorCode, errorMessage } of answer.results) {
    if (errorCode !== 0) throw failure(errorCode, `topic ${name}`, errorMessage)
  }
}

async function configure(
  cluster: Cluster,
  topics: readonly string[],
  configs: readonly { name: string; value: string | null; configOperation: number }[],
): Promise<void> {
  const connection = await cluster.controller()
  const resources = topics.map(resourceName => ({ resourceType: 2, resourceName, configs }))
  const answer = await connection.request(IncrementalAlterConfigs, { resources, validateOnly: false })
  for (const { resourceName, errorCode, errorMessage } of answer.responses) {
    if (errorCode !== 0) throw failure(errorCode, `topic ${resourceName}`, errorMessage)
  }
}

interface DeleteFlags extends ConnectFlags {
  readonly topic?: readonly string[]
  readonly ifExists?: boolean
}

export function remove(names: readonly string[], flags: DeleteFlags, terminal: Terminal): Promise<void> {
  const wanted = named(names, flags)
  return withCluster(flags, terminal, async cluster => {
    const missing = flags.ifExists === true ? 'pass' : 'fail'
    const topics = (await topicsNamed(cluster, wanted, { missing })).map(topic => topic.name)
    if (topics.length === 0) return
    const connection = await cluster.controller()
    // Old versions name topics in a field of their own.
    const answer = await connection.request(DeleteTopics, {
      topics: topics.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
      topicNames: topics,
      timeoutMs: TIMEOUT_MS,
    })
    for (const { name, errorCode, errorMessage } of answer.responses) {
      if (errorCode !== 0) throw failure(errorCode, `topic ${name}`, errorMessage)
      say(terminal, `deleted topic ${terminal.paint.bold(name ?? '')}`)
    }
  })
}

function named(names: readonly string[], flags: { readonly topic?: readonly string[] }): string[] {
  const topics = givenTopics(names, flags.topic)
  if (topics.length === 0) throw new Failure('say which topic', 2)
  return topics
}

/** `1:2,2:3`: partition 0 on brokers 1 and 2, partition 1 on 2 and 3. */
function assignmentOf(flags: CreateFlags): { partitionIndex: number; brokerIds: number[] }[] {
  if (flags.replicaAssignment === undefined) return []
  return flags.replicaAssignment.split(',').map((text, partitionIndex) => ({
    partitionIndex,
    brokerIds: text.split(':').map(id => parseCount('--replica-assignment', id.trim())),
  }))
}

const say = (terminal: Terminal, text: string) => terminal.stdout.write(`${text}\n`)
