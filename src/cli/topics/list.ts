import type { Cluster, PartitionMetadata, TopicMetadata } from '../../client/cluster.ts'
import { failure } from '../../client/failures.ts'
import { findOffsets } from '../../client/offsets.ts'
import { DescribeConfigs } from '../../protocol/messages/describe-configs.ts'
import { type ConnectFlags, withCluster } from '../connect.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { givenTopics, topicsNamed } from '../topic-names.ts'

export interface ListFlags extends ConnectFlags {
  readonly topic?: readonly string[]
  readonly excludeInternal?: boolean
  readonly underReplicatedPartitions?: boolean
  readonly unavailablePartitions?: boolean
  readonly json?: boolean
}

export function list(names: readonly string[], flags: ListFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const topics = await found(cluster, names, flags)
    if (flags.json === true) {
      for (const topic of topics)
        print(terminal, { topic: topic.name, id: topic.topicId, partitions: topic.partitions.length })
    } else if (!terminal.isTerminal) {
      for (const { name } of topics) terminal.stdout.write(`${name}\n`)
    } else if (topics.length === 0) {
      terminal.stdout.write('there are no topics yet; ottla topics create NAME makes one\n')
    } else {
      const rows = topics.map(topic => [topic.name, String(topic.partitions.length), String(copies(topic))])
      terminal.stdout.write(table(['topic', 'partitions', 'copies'], rows, terminal))
    }
  })
}

export function describe(names: readonly string[], flags: ListFlags, terminal: Terminal): Promise<void> {
  return withCluster(flags, terminal, async cluster => {
    const topics = await found(cluster, names, flags)
    const settings = await changedSettings(cluster, topics)
    for (const [i, topic] of topics.entries()) {
      const shown = topic.partitions.filter(partition => wanted(partition, flags))
      if (shown.length === 0 && topic.partitions.length > 0) continue
      const offsets = await offsetsOf(cluster, topic.name, shown)
      const described = { topic, partitions: shown, offsets, settings: settings.get(topic.name) ?? new Map() }
      if (flags.json === true) print(terminal, asJson(described))
      else terminal.stdout.write(`${i > 0 && terminal.isTerminal ? '\n' : ''}${asText(described, terminal)}`)
    }
  })
}

interface Described {
  readonly topic: TopicMetadata
  readonly partitions: readonly PartitionMetadata[]
  readonly offsets: Offsets
  readonly settings: ReadonlyMap<string, string>
}

interface Offsets {
  /** −1: not known, because there is no leader. */
  start(partition: number): number
  end(partition: number): number
}

async function found(cluster: Cluster, names: readonly string[], flags: ListFlags): Promise<TopicMetadata[]> {
  const topics = await topicsNamed(cluster, givenTopics(names, flags.topic), { internal: true })
  return flags.excludeInternal === true ? topics.filter(topic => !topic.isInternal) : topics
}

function wanted(partition: PartitionMetadata, flags: ListFlags): boolean {
  if (flags.underReplicatedPartitions === true && partition.isr.length >= partition.replicas.length) return false
  return flags.unavailablePartitions !== true || partition.leaderId < 0
}

const copies = (topic: TopicMetadata) => topic.partitions[0]?.replicas.length ?? 0

async function offsetsOf(cluster: Cluster, topic: string, partitions: readonly PartitionMetadata[]): Promise<Offsets> {
  const led = partitions.filter(each => each.leaderId >= 0).map(({ partition }) => ({ topic, partition }))
  const ask = async (start: 'earliest' | 'latest') => {
    const offsets = await findOffsets(
      cluster,
      led.map(each => ({ ...each, start })),
    )
    return new Map(offsets.map(each => [each.partition, each.offset]))
  }
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')])
  return { start: partition => starts.get(partition) ?? -1, end: partition => ends.get(partition) ?? -1 }
}

/** What was set for the topics themselves. */
async function changedSettings(
  cluster: Cluster,
  topics: readonly TopicMetadata[],
): Promise<Map<string, Map<string, string>>> {
  if (topics.length === 0) return new Map()
  const resources = topics.map(({ name }) => ({ resourceType: 2, resourceName: name, configurationKeys: null }))
  const connection = await cluster.any()
  const answer = await connection.request(DescribeConfigs, { resources })
  return new Map(
    answer.results.map(result => {
      if (result.errorCode !== 0) throw failure(result.errorCode, result.resourceName, result.errorMessage)
      const own = result.configs.filter(
        config => config.configSource === 1 || (config.configSource < 1 && !config.isDefault),
      )
      return [result.resourceName, new Map(own.map(config => [config.name, config.value ?? '']))]
    }),
  )
}

function asJson({ topic, partitions, offsets, settings }: Described): object {
  return {
    topic: topic.name,
    id: topic.topicId,
    internal: topic.isInternal,
    settings: Object.fromEntries(settings),
    partitions: partitions.map(({ partition, leaderId, replicas, isr }) => ({
      partition,
      leader: leaderId,
      replicas,
      isr,
      start: offsets.start(partition),
      end: offsets.end(partition),
    })),
  }
}

function asText({ topic, partitions, offsets, settings }: Described, terminal: Terminal): string {
  const { bold, dim, red } = terminal.paint
  const set = [...settings].map(([name, value]) => `${name}=${value}`).join(' ')
  const rows = partitions.map(({ partition, leaderId, replicas, isr }) => {
    const [start, end] = [offsets.start(partition), offsets.end(partition)]
    const leader = leaderId < 0 ? red('none') : String(leaderId)
    const messages = start < 0 ? '' : String(end - start)
    const place = [leader, replicas.join(','), isr.length < replicas.length ? red(isr.join(',')) : isr.join(',')]
    return [String(partition), ...place, shown(start), shown(end), messages]
  })
  const head = ['partition', 'leader', 'replicas', 'in sync', 'start', 'end', 'messages']
  if (!terminal.isTerminal) return rows.map(row => `${[topic.name, ...row].join('\t')}\n`).join('')
  return `${bold(topic.name)}  ${dim(`id ${topic.topicId}`)}${set === '' ? '' : `  ${set}`}\n${table(head, rows, terminal)}`
}

const shown = (offset: number) => (offset < 0 ? '' : String(offset))
const print = (terminal: Terminal, value: object) => terminal.stdout.write(`${JSON.stringify(value)}\n`)
