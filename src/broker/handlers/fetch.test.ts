import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '../../log/log.ts'
import { defaultLogConfig, storeOptions } from '../../log/log-config.ts'
import { VirtualTime } from '../../machine/testing.ts'
import { buildBatch } from '../../protocol/batches/build.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Fetch } from '../../protocol/messages/fetch.ts'
import type { RequestInput } from '../../protocol/schema.ts'
import { Partition } from '../../replication/partition.ts'
import { Replicas } from '../../replication/replicas.ts'
import type { PartitionRole } from '../../replication/role.ts'
import { quietSurroundings as around } from '../../replication/surroundings.test.kit.ts'
import { TokenBucket } from '../../replication/throttle.ts'
import { FileVolume } from '../../store/file/file-volume.ts'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld as world } from '../../world/node.ts'
import { DelayedOperations } from '../delayed.ts'
import { FetchSessions } from '../fetch/session.ts'
import type { RequestContext, RequestOf, ResponseOf } from '../handler.ts'
import handler from './fetch.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'

/** A leader of as many partitions as there are roles, each with one record of a kilobyte. */
async function leader(roles: readonly Partial<PartitionRole>[]) {
  const volume = await FileVolume.open('/data', { ...world, disk: new MemoryDisk() }, silent)
  const replicas = new Replicas()
  const partitions: Partition[] = []
  for (const [index, role] of roles.entries()) {
    const place = { topic: 't', partition: index }
    const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
    const log = Log.open(store, place, topicId, defaultLogConfig, world, silent, { clean: volume.clean })
    const all = { leader: 1, leaderEpoch: 1, partitionEpoch: 0, replicas: [1, 2], isr: [1, 2], ...role }
    const partition = new Partition('t', topicId, index, log, 1, all, { around })
    replicas.add(partition)
    partitions.push(partition)
    await append(partition)
  }
  const time = new VirtualTime()
  /** Apart from the deadlines. */
  const rests = new VirtualTime()
  const broker = {
    world: { clock: time, timers: rests, random: world.random },
    logger: silent,
    delayed: new DelayedOperations(time, time),
    fetchSessions: new FetchSessions(10, world.random),
    stopping: false,
    moves: new TokenBucket(
      () => time.mono(),
      () => 100,
    ),
    mayFetch: () => 1,
    fetchedUnsent: 0,
    metrics: { fetched() {}, fetchErrors: 0 },
  }
  const node = {
    replicas,
    volume,
    cluster: { topicsById: new Map([[topicId, { name: 't', partitions: [] }]]) },
    config: { get: () => '' },
  }
  /** As node 2 when `replicaId` is, else as a consumer. */
  const fetch = async (replicaId: number, offsets: readonly number[], maxWaitMs = 0) => {
    const peer = { node: replicaId >= 0, fetching: null, hurryFetch: null, onClose: () => () => {}, hold() {} }
    const context = { broker, node, peer, version: 17, clientId: '', onSent() {} } as unknown as RequestContext
    const named = offsets.map((fetchOffset, partition) => ({
      ...{
        partition,
        currentLeaderEpoch: 1,
        fetchOffset,
        lastFetchedEpoch: fetchOffset > 0 ? 1 : -1,
        logStartOffset: 0,
      },
      ...{ partitionMaxBytes: 1e6, downstream: [] },
    }))
    const request: RequestInput<typeof Fetch> = {
      ...{ replicaId: -1, replicaState: { replicaId, replicaEpoch: 1 }, maxWaitMs, minBytes: 1, maxBytes: 1e6 },
      ...{
        sessionId: 0,
        sessionEpoch: -1,
        topics: [{ topicId, partitions: named }],
        forgottenTopicsData: [],
        rackId: '',
      },
    }
    return (await handler.handle(request as RequestOf<typeof Fetch>, context)) as ResponseOf<typeof Fetch>
  }
  return { volume, partitions, time, rests, fetch }
}

async function append(partition: Partition): Promise<void> {
  const { lastOffset } = partition.append(buildBatch({ records: [{ timestamp: 1, value: Buffer.alloc(1000) }] }), -1, 1)
  await new Promise(done => partition.whenFlushed(lastOffset + 1, done))
}

const sizes = (response: ResponseOf<typeof Fetch>): number[] =>
  response.responses.flatMap(({ partitions }) =>
    partitions.map(({ records }) => (records as readonly Uint8Array[]).reduce((sum, { length }) => sum + length, 0)),
  )

test('what consumers do not take keeps no follower from reading', async () => {
  const { volume, partitions, fetch } = await leader([{}, {}])
  const [first, second] = sizes(await fetch(2, [0, 0]))
  assert.ok(first! > 1000 && second! > 1000, `${first} ${second}`)
  // Now all is committed, and consumers may read it: as much as there is room for, but at least something.
  await fetch(2, [1, 1])
  assert.deepEqual(
    partitions.map(({ highWatermark }) => highWatermark),
    [1, 1],
  )
  assert.deepEqual(sizes(await fetch(-1, [0, 0])), [first, 0])
  await volume.close()
})

test('a copy that is moved and must rest sets one alarm, however often others wake its Fetch', async () => {
  const moving = { replicas: [1, 2], isr: [1], addingReplicas: [2] }
  const { volume, partitions, time, rests, fetch } = await leader([moving])
  // It takes more than it may for the next ten seconds.
  const [bytes] = sizes(await fetch(2, [0], 60_000))
  await append(partitions[0]!)
  const waiting = fetch(2, [0], 60_000)
  for (let i = 0; i < 20; i++) await append(partitions[0]!)
  assert.equal(rests.pending, 1)
  time.advance(11_000)
  rests.advance(11_000)
  assert.ok(sizes(await waiting)[0]! > bytes!)
  assert.equal(rests.pending, 0)
  // Who has what it waited for, or goes, leaves none; a rest that is longer than the wait needs none.
  const called = fetch(2, [22], 200_000_000)
  await append(partitions[0]!)
  assert.equal(rests.pending, 1)
  partitions[0]!.setRole({ ...partitions[0]!.role, leader: 2, leaderEpoch: 2, partitionEpoch: 1 })
  assert.equal((await called).responses[0]!.partitions[0]!.errorCode, ErrorCode.FENCED_LEADER_EPOCH)
  assert.equal(rests.pending, 0)
  await volume.close()
})

test('a copy that must rest for longer than its Fetch waits sets no alarm', async () => {
  const { volume, partitions, time, rests, fetch } = await leader([{ isr: [1], addingReplicas: [2] }])
  await fetch(2, [0], 500)
  const short = fetch(2, [1], 500)
  await append(partitions[0]!)
  assert.equal(rests.pending, 0)
  time.advance(500)
  assert.deepEqual(sizes(await short), [0])
  await volume.close()
})

test('what the disk refuses of one partition keeps the others of the same Fetch from nothing', async () => {
  const { volume, partitions, fetch } = await leader([{}, {}])
  const { log } = partitions[0]!
  log.endOffsetForEpoch = () => {
    throw Object.assign(new Error('EIO: read'), { code: 'EIO' })
  }
  const { responses } = await fetch(2, [1, 1])
  assert.deepEqual(
    responses[0]!.partitions.map(({ errorCode }) => errorCode),
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NONE],
  )
  log.endOffsetForEpoch = () => {
    throw new TypeError('a bug')
  }
  await assert.rejects(fetch(2, [1, 1]), TypeError)
  await volume.close()
})
