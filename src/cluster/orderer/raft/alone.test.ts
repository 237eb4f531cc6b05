import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configSchema } from '../../../config/schema.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { MemoryVolume } from '../../../store/memory.ts'
import type { Store, StoreObserver, Volume } from '../../../store/store.ts'
import { silent } from '../../../world/logger.ts'
import { nodeWorld } from '../../../world/node.ts'
import { lonelySettings } from '../../commands/context.ts'
import { CommittedMetadata } from '../../committed.ts'
import { ControllerClient } from '../../controller-client.ts'
import { bootstrapRecords, supportedFeatures } from '../../features.ts'
import { ring } from '../../placement/ring.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { controlBatch, RecordEncoder, readMetadataBatches } from '../batches.ts'
import { metadataTopic, metadataTopicId } from '../metadata-log.ts'
import { snapshotIds } from '../snapshot.ts'
import { RaftOrderer } from './raft-orderer.ts'

const voter = {
  id: 1,
  directoryId: 'AauM3WNygOvKsnjDZCnatA',
  endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
}
const options = { segmentBytes: 1 << 30, segmentMs: 1e12, indexIntervalBytes: 4096, segmentIndexBytes: 1 << 20 }

/** A volume whose disk can be stopped: what is appended meanwhile is neither durable nor safe from being dropped. */
class StoppableDisk {
  readonly volume: Volume
  readonly #memory = new MemoryVolume(nodeWorld.timers)
  readonly #observers: StoreObserver[] = []
  #store: Store | null = null
  #stoppedAt = -1
  /** Nothing can be begun on it any more. */
  failed = false

  constructor() {
    this.volume = this.#wrap(this.#memory, { open: (...args: Parameters<Volume['open']>) => this.#open(...args) })
  }

  stop(): void {
    this.#stoppedAt = this.#store!.endOffset
  }

  goOn(): void {
    const end = this.#store!.endOffset
    this.#stoppedAt = -1
    for (const observer of this.#observers) observer.durable(end)
  }

  /** The disk was full. */
  async drop(): Promise<void> {
    const from = this.#stoppedAt
    await this.#store!.truncate(from)
    this.#stoppedAt = -1
    for (const observer of this.#observers) observer.dropped(from, new Error('no space left'))
  }

  #open(...args: Parameters<Volume['open']>): Store {
    const store = this.#memory.open(...args)
    this.#store = store
    store.observe({ written() {}, durable: upTo => this.#durable(upTo), dropped() {}, failed() {} })
    return this.#wrap(store, {
      observe: (observer: StoreObserver) => void this.#observers.push(observer),
      roll: () => {
        if (this.failed) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The disk failed: EIO: sync')
        store.roll()
      },
      durableOffset: () => (this.#stoppedAt >= 0 ? this.#stoppedAt : store.durableOffset),
    })
  }

  #durable(upTo: number): void {
    if (this.#stoppedAt < 0) for (const observer of this.#observers) observer.durable(upTo)
  }

  /** `target` with some methods (and one getter) replaced. */
  #wrap<T extends object>(target: T, replaced: { [name: string]: unknown }): T {
    return new Proxy(target, {
      get: (_, name) => {
        if (name === 'durableOffset') return (replaced.durableOffset as () => number)()
        const value = replaced[name as string] ?? Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
      set: (_, name, value) => Reflect.set(target, name, value, target),
    })
  }
}

async function startNode(volume: Volume, more: { snapshotBytes?: number; directoryId?: string } = {}) {
  const failures: Error[] = []
  const orderer = new RaftOrderer({
    volume,
    world: nodeWorld,
    logger: silent,
    voter: { ...voter, directoryId: more.directoryId ?? voter.directoryId },
    failed: error => failures.push(error),
    clusterId: 'cluster',
    peers: null,
    settings: { electionTimeoutMs: 5 },
  })
  const committed = new CommittedMetadata()
  const controller = new ControllerClient({
    sureMs: 1000,
    clock: nodeWorld.clock,
    timers: nodeWorld.timers,
    random: nodeWorld.random,
    logger: silent,
    orderer,
    observer: committed,
    bootstrap: bootstrapRecords(),
    snapshotBytes: more.snapshotBytes ?? 1e9,
    settings: {
      clusterId: 'cluster',
      schema: configSchema,
      placement: ring,
      ...lonelySettings,
      nodeId: 1,
      numPartitions: 1,
      defaultReplicationFactor: 1,
      deleteTopicEnable: true,
      supportedFeatures,
      describeTopic: () => [],
    },
  })
  await orderer.start()
  const incarnationId = Buffer.from(nodeWorld.random.bytes(16)).toString('base64url')
  const registered = await controller.ask('registerBroker', {
    brokerId: 1,
    clusterId: 'cluster',
    incarnationId,
    listeners: [],
    features: [],
    rack: null,
    logDirs: [voter.directoryId],
  })
  assert.equal(registered.errorCode, 0)
  return {
    orderer,
    controller,
    committed,
    failures,
    create: (count: number, prefix = 't', numPartitions = 1) =>
      controller.ask('createTopics', {
        topics: Array.from({ length: count }, (_, index) => ({
          name: `${prefix}${index}`,
          numPartitions,
          replicationFactor: 1,
          assignments: [],
          configs: [],
        })),
      }),
    /** As a crash would: nothing is said to anybody. */
    async stop() {
      controller.stop()
      await orderer.close()
    },
  }
}

/** Everything in the log, by kind. */
async function logged(volume: Volume): Promise<string[]> {
  const store = volume.open(metadataTopic, metadataTopicId, options)
  const kinds: string[] = []
  for (const chunk of await store.read(store.startOffset, 1e9, store.endOffset)) {
    for (const { control, records, leaderEpoch } of readMetadataBatches(chunk)) {
      for (const { type } of [...control, ...records]) kinds.push(`${leaderEpoch} ${type}`)
    }
  }
  return kinds
}

const text = (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? new Uint8Array())

describe('a quorum of one', () => {
  it('begins a log as Kafka does', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    const node = await startNode(volume)
    await node.create(1)
    assert.deepEqual(await logged(volume), [
      '1 leaderChange',
      '1 kraftVersion',
      '1 voters',
      '1 FeatureLevelRecord',
      '1 RegisterBrokerRecord',
      '1 TopicRecord',
      '1 PartitionRecord',
    ])
    const store = volume.open(metadataTopic, metadataTopicId, options)
    assert.deepEqual(JSON.parse(text(store.get('quorum-state'))), {
      leaderId: 1,
      leaderEpoch: 1,
      votedId: -1,
      votedDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA',
      data_version: 1,
    })
    assert.deepEqual(node.orderer.describe(), {
      leaderId: 1,
      leaderEpoch: 1,
      highWatermark: 7,
      logEndOffset: 7,
      voters: [{ ...voter, logEndOffset: 7, lastFetchTimestamp: -1, lastCaughtUpTimestamp: -1 }],
      observers: [],
    })
    await node.stop()
  })

  it('replays, and leads in a new epoch each time', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    let node = await startNode(volume)
    await node.create(3)
    await node.stop()
    for (const epoch of [2, 3]) {
      node = await startNode(volume)
      assert.equal(node.orderer.describe().leaderEpoch, epoch)
      assert.deepEqual([...node.committed.state.topics.keys()], ['t0', 't1', 't2'])
      assert.equal(node.committed.state.topics.get('t1')!.partitions[0]!.leaderEpoch, epoch - 1)
      await node.stop()
    }
  })

  it('shows to readers what is committed, and to nobody what is refused', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    const node = await startNode(volume)
    const seen: string[] = []
    node.committed.subscribe({ load() {}, commit: (_, records) => seen.push(...records.map(({ type }) => type)) })
    await node.create(1)
    assert.deepEqual(seen, ['TopicRecord', 'PartitionRecord'])
    const late = node.create(1, 'late')
    await node.stop()
    assert.equal((await late).topics[0]!.errorCode, 41, 'NOT_CONTROLLER')
    assert.equal((await node.create(1, 'later')).topics[0]!.errorCode, 41)
  })

  it('starts from the latest snapshot and the log behind it', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    let node = await startNode(volume, { snapshotBytes: 2000 })
    for (let round = 0; round < 6; round++) await node.create(10, `r${round}-`)
    await node.controller.ask('deleteTopics', { topicNames: ['r0-0'], timeoutMs: 1 })
    await node.stop()
    const store = volume.open(metadataTopic, metadataTopicId, options)
    const ids = snapshotIds(store.names())
    assert.equal(ids.length, 2, 'the latest and the one before it')
    assert.ok(store.startOffset > 0 && store.startOffset <= ids[1]!.endOffset, `the head is gone: ${store.startOffset}`)
    const before = [...node.committed.state.records()]
    node = await startNode(volume)
    assert.equal(node.committed.state.topics.size, 59)
    assert.equal(node.committed.state.metadataVersion, 30)
    assert.equal([...node.committed.state.records()].length, before.length)
    await node.stop()
  })

  it('writes no snapshot on a disk that has failed: the log is still whole', async () => {
    const disk = new StoppableDisk()
    const node = await startNode(disk.volume, { snapshotBytes: 2000 })
    disk.failed = true
    await node.create(50)
    const store = disk.volume.open(metadataTopic, metadataTopicId, options)
    assert.deepEqual(snapshotIds(store.names()), [])
    disk.failed = false
    for (let round = 0; round < 6; round++) await node.create(50, `r${round}-`)
    await node.stop()
    assert.equal(snapshotIds(store.names()).length > 0, true)
    assert.equal(node.committed.state.topics.size, 350)
  })

  it('uses the snapshot before a damaged one, and says so when none is left', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    const node = await startNode(volume, { snapshotBytes: 2000 })
    for (let round = 0; round < 6; round++) await node.create(10, `r${round}-`)
    await node.stop()
    const store = volume.open(metadataTopic, metadataTopicId, options)
    const names = store
      .names()
      .filter(name => name.endsWith('.checkpoint'))
      .sort()
    const damage = async (name: string) => {
      const bytes = Uint8Array.from(store.get(name)!)
      bytes[200]! ^= 1
      await store.put(name, bytes)
    }
    await damage(names[1]!)
    const again = await startNode(volume)
    assert.equal(again.committed.state.topics.size, 60)
    await again.stop()
    await damage(names[0]!)
    await assert.rejects(startNode(volume), /metadata of this node, .* cannot be read.*restore that folder/)
  })

  it('does not go on with the log of a quorum', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    await (await startNode(volume)).stop()
    await assert.rejects(
      startNode(volume, { directoryId: 'BauM3WNygOvKsnjDZCnatA' }),
      /belongs to a quorum of the nodes 1 \(directory Aau/,
    )
  })

  it('leaves out what a transaction of Kafka has not ended', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    await (await startNode(volume)).stop()
    const topic = (name: string): MetadataRecord => ({
      type: 'TopicRecord',
      name,
      topicId: `${name}`.padEnd(21, 'x').concat('A'),
    })
    const store = volume.open(metadataTopic, metadataTopicId, options)
    const append = (...records: MetadataRecord[]) => {
      const bytes = new RecordEncoder().dataBatch(records, 1, store.endOffset, 1)
      const lastOffset = store.endOffset + records.length - 1
      store.append(bytes, [
        { baseOffset: store.endOffset, lastOffset, sizeInBytes: bytes.length, maxTimestamp: 1, leaderEpoch: 1 },
      ])
    }
    append(topic('before'), { type: 'BeginTransactionRecord', name: 'x' }, topic('ended'))
    append(topic('alsoended'), { type: 'EndTransactionRecord' })
    append({ type: 'BeginTransactionRecord' }, topic('aborted'), { type: 'AbortTransactionRecord' })
    append({ type: 'BeginTransactionRecord' }, topic('unfinished'))
    const node = await startNode(volume)
    assert.deepEqual([...node.committed.state.topics.keys()], ['before', 'ended', 'alsoended'])
    assert.ok((await logged(volume)).includes('2 AbortTransactionRecord'))
    await node.stop()
  })

  it('answers and shows nothing before it is durable', async () => {
    const disk = new StoppableDisk()
    const node = await startNode(disk.volume)
    disk.stop()
    let answered = false
    const asked = node.create(1).then(response => {
      answered = true
      return response
    })
    await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(answered, false)
    assert.equal(node.committed.state.topics.size, 0)
    disk.goOn()
    assert.equal((await asked).topics[0]!.errorCode, 0)
    assert.equal(node.committed.state.topics.size, 1)
    await node.stop()
  })

  it('refuses what a full disk has dropped, and goes on in a new epoch', async () => {
    const disk = new StoppableDisk()
    const node = await startNode(disk.volume)
    await node.create(1, 'kept')
    disk.stop()
    const dropped = node.create(1, 'dropped')
    await disk.drop()
    assert.equal((await dropped).topics[0]!.errorCode, 41, 'NOT_CONTROLLER: ask again')
    while (!node.controller.leading) await new Promise(resolve => setTimeout(resolve, 5))
    assert.equal((await node.create(1, 'later')).topics[0]!.errorCode, 0)
    assert.deepEqual([...node.committed.state.topics.keys()], ['kept0', 'later0'])
    assert.equal(node.orderer.describe().leaderEpoch, 2)
    assert.deepEqual(node.failures, [])
    await node.stop()
  })

  it('refuses a batch that was damaged', () => {
    const bytes = controlBatch([{ type: 'leaderChange', leaderId: 1, voterIds: [1] }], 1)
    bytes[70]! ^= 1
    assert.throws(() => [...readMetadataBatches(bytes)], /metadata at offset 0 is damaged/)
  })

  it('makes 5,000 partitions and finds them again', async () => {
    const volume = new MemoryVolume(nodeWorld.timers)
    let node = await startNode(volume)
    await node.create(1000, 'a')
    await node.create(40, 'b', 100)
    assert.equal(node.committed.state.partitionCount, 5000)
    await node.stop()
    node = await startNode(volume)
    assert.equal(node.committed.state.partitionCount, 5000)
    await node.stop()
  })
})
