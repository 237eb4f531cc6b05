import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MetadataRecord } from '../cluster/records/records.ts'
import { ClusterState } from '../cluster/state.ts'
import { resolveConfig } from '../config/sources.ts'
import { LogManager } from '../log/log-manager.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import type { Partition } from '../replication/partition.ts'
import { Replicas } from '../replication/replicas.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld as world } from '../world/node.ts'
import { ReplicaManager } from './replica-manager.ts'

const ids = { first: 'AAECAwQFBgcICQoLDA0ODw', second: 'EBAQEBAQEBAQEBAQEBAQEA', other: 'ICAgICAgICAgICAgICAgIA' }

function topicRecords(name: string, topicId: string, node = 1): MetadataRecord[] {
  const placed = {
    replicas: [node],
    isr: [node],
    addingReplicas: [],
    removingReplicas: [],
    leader: node,
    leaderEpoch: 0,
  }
  return [
    { type: 'TopicRecord', name, topicId },
    { type: 'PartitionRecord', partitionId: 0, topicId, partitionEpoch: 0, ...placed },
  ]
}

class NodeOnDisk {
  readonly replicas = new Replicas()
  readonly cluster = new ClusterState()
  /** Topics of which it was said that they are gone. */
  readonly deleted: string[] = []
  readonly resigned: string[] = []
  readonly #volume: FileVolume
  readonly #logs: LogManager
  readonly #manager: ReplicaManager
  #offset = 0

  static async open(root: string, records: readonly MetadataRecord[]): Promise<NodeOnDisk> {
    const volume = await FileVolume.open(root, world, silent)
    const node = new NodeOnDisk(volume)
    node.#apply(records)
    node.#manager.load(node.cluster)
    return node
  }

  constructor(volume: FileVolume) {
    this.#volume = volume
    this.#logs = LogManager.open(volume, world, silent)
    const { config } = resolveConfig({ flags: [] })
    const resigns = ({ topic, isLeader }: Partition) => void this.resigned.push(`${topic} ${isLeader}`)
    const events = { leads() {}, resigns, deleted: (topics: readonly string[]) => this.deleted.push(...topics) }
    this.#manager = new ReplicaManager(1, this.#logs, this.replicas, config, silent, events)
  }

  #apply(records: readonly MetadataRecord[]): void {
    for (const record of records) this.cluster.apply(record, this.#offset++)
  }

  commit(records: readonly MetadataRecord[]): void {
    this.#apply(records)
    this.#manager.commit(this.cluster, records)
  }

  /** The metadata is replaced as a whole. */
  replace(records: readonly MetadataRecord[]): void {
    this.cluster.clear()
    this.#apply(records)
    this.#manager.load(this.cluster)
  }

  append(topic: string): number {
    const bytes = buildBatch({ records: [{ timestamp: 1, value: Buffer.from('v') }] })
    return this.replicas.get(topic, 0).append(bytes, 1, 1).baseOffset
  }

  async close(): Promise<void> {
    await this.#logs.close()
    await this.#volume.close()
  }
}

test('a crash between the record of a deletion and the removal of its folder is not in the way of the next topic', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-replicas-'))
  t.after(() => rmSync(root, { recursive: true }))
  const folders = (): string[] => readdirSync(root).filter(name => name.startsWith('t-') || name.startsWith('kept-'))
  const kept = topicRecords('kept', ids.other)
  let node = await NodeOnDisk.open(root, [...kept, ...topicRecords('t', ids.first)])
  node.append('t')
  node.append('kept')
  await node.close()

  // The metadata has forgotten the topic, the folder is still there.
  node = await NodeOnDisk.open(root, kept)
  node.commit(topicRecords('t', ids.second))
  assert.equal(node.append('t'), 0)
  assert.equal(node.append('kept'), 1)
  await node.close()
  assert.match(folders().sort().join(' '), /^kept-0 t-0 t-0\.[0-9a-f]{32}-stray$/)

  // The same when the topic was made anew before the crash.
  rmSync(join(root, 't-0'), { recursive: true })
  cpSync(join(root, folders().find(name => name.endsWith('-stray'))!), join(root, 't-0'), { recursive: true })
  node = await NodeOnDisk.open(root, [...kept, ...topicRecords('t', ids.second)])
  assert.equal(node.append('t'), 0)
  assert.equal(node.append('kept'), 2)
  await node.close()
})

test('of a deleted topic every node hears, also those without a copy: they may coordinate groups that have read it', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-replicas-'))
  t.after(() => rmSync(root, { recursive: true }))
  const node = await NodeOnDisk.open(root, topicRecords('here', ids.first))
  node.commit(topicRecords('there', ids.second, 2))
  node.commit([{ type: 'RemoveTopicRecord', topicId: ids.second }])
  assert.deepEqual(node.deleted, ['there'])
  node.commit([{ type: 'RemoveTopicRecord', topicId: ids.first }, ...topicRecords('here', ids.other)])
  assert.deepEqual(node.deleted, ['there', 'here'])
  node.replace(topicRecords('there', ids.second, 2))
  assert.deepEqual(node.deleted, ['there', 'here', 'here'])
  node.replace(topicRecords('there', ids.second, 2))
  assert.equal(node.deleted.length, 3)
  await node.close()
})

test('who led a partition of a topic that is deleted leads no more', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-replicas-'))
  t.after(() => rmSync(root, { recursive: true }))
  const node = await NodeOnDisk.open(root, topicRecords('led', ids.first))
  const followed = topicRecords('followed', ids.second, 2).map(record =>
    record.type === 'PartitionRecord' ? { ...record, replicas: [2, 1], isr: [2, 1] } : record,
  )
  node.commit(followed)
  for (const topicId of [ids.second, ids.first]) node.commit([{ type: 'RemoveTopicRecord', topicId }])
  assert.deepEqual(node.resigned, ['led true'])
  await node.close()
})
