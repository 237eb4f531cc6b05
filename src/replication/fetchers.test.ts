import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig, storeOptions } from '../log/log-config.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import type { FieldsIn } from '../protocol/schema.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { silent } from '../world/logger.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import { nodeWorld as world } from '../world/node.ts'
import type { FetchPort, FetchResponse } from './fetcher.ts'
import { type CopyLane, Fetchers } from './fetchers.ts'
import { Partition } from './partition.ts'
import type { PartitionRole } from './role.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const version = Fetch.versions.max

/** A Fetch that has arrived at node 2. */
interface Arrived {
  readonly node: number
  readonly lane: CopyLane
  /** Partitions that it names. */
  readonly named: number[]
  answer(partition?: number, offset?: number): void
}

/** Node 1, which copies from others what the tests let them answer. */
class Follower {
  readonly #waiting: Arrived[] = []
  #arrived: (() => void) | null = null
  readonly fetchers = new Fetchers({
    node: 1,
    brokerEpoch: () => 1,
    port: lane => this.#port(lane),
    settings: {
      waitMs: 500,
      minBytes: 1,
      responseBytes: 1 << 20,
      partitionBytes: 1 << 20,
      timeoutMs: 30_000,
      backoffMs: 1000,
    },
    clock: world.clock,
    timers: world.timers,
    logger: silent,
  })

  /** The next Fetch over this lane; null when none comes within `withinMs`. */
  async next(lane: CopyLane, withinMs = 2_000): Promise<Arrived | null> {
    for (const until = performance.now() + withinMs; performance.now() < until; ) {
      const at = this.#waiting.findIndex(each => each.lane === lane)
      if (at >= 0) return this.#waiting.splice(at, 1)[0]!
      await new Promise<void>(resolve => {
        this.#arrived = resolve
        setTimeout(resolve, 20)
      })
    }
    return null
  }

  #port(lane: CopyLane): FetchPort {
    let session = 0
    return {
      fetch: (node, request) =>
        new Promise(resolve => {
          const { topics } = Fetch.request.read(Fetch.request.toBytes(version, request), version)
          this.#waiting.push({
            node,
            lane,
            named: topics.flatMap(topic => topic.partitions.map(each => each.partition)),
            answer: (partition, offset = 0) => {
              session ||= lane === 'in-sync' ? 7 : 8
              resolve(answerOf(session, partition, offset))
            },
          })
          this.#arrived?.()
        }),
    }
  }
}

function answerOf(sessionId: number, partition: number | undefined, offset: number): FetchResponse {
  const records = [
    buildBatch({ baseOffset: offset, leaderEpoch: 0, records: [{ timestamp: 1, value: Buffer.from('v') }] }),
  ]
  const part = { partitionIndex: partition ?? 0, errorCode: 0, highWatermark: 0, logStartOffset: 0, records }
  const answer: FieldsIn<typeof Fetch.response.fields> = {
    sessionId,
    responses: partition === undefined ? [] : [{ topicId, partitions: [part] }],
  }
  return Fetch.response.read(Fetch.response.toBytes(version, answer), version)
}

const role = (isr: number[]): PartitionRole => ({ leader: 2, leaderEpoch: 0, partitionEpoch: 0, replicas: [2, 1], isr })

async function copies(...roles: PartitionRole[]): Promise<Partition[]> {
  const volume = await FileVolume.open('/data', { ...world, disk: new MemoryDisk() }, silent)
  return roles.map((each, partition) => {
    const place = { topic: 't', partition }
    const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
    const log = Log.open(store, place, topicId, defaultLogConfig, world, silent, { clean: volume.clean })
    return new Partition('t', topicId, partition, log, 1, each)
  })
}

test('what is in sync goes on while what is not takes its time', async t => {
  const follower = new Follower()
  t.after(() => follower.fetchers.close())
  const [inSync, behind] = (await copies(role([2, 1]), role([2]))) as [Partition, Partition]
  follower.fetchers.follow(inSync, 2)
  follower.fetchers.follow(behind, 2)
  const slow = (await follower.next('catching-up'))!
  assert.deepEqual(slow.named, [1])
  for (let offset = 0; offset < 3; offset++) {
    const fetch = (await follower.next('in-sync'))!
    assert.deepEqual(fetch.named, [0])
    fetch.answer(0, offset)
  }
  assert.equal(behind.log.logEndOffset, 0)
  slow.answer(1)
  assert.deepEqual((await follower.next('catching-up'))!.named, [1])
  assert.equal(behind.log.logEndOffset, 1)
})

test('who has become in sync changes lanes, and so does who is no more; answers in the lane before are not theirs', async t => {
  const follower = new Follower()
  t.after(() => follower.fetchers.close())
  const [partition] = (await copies(role([2]))) as [Partition]
  follower.fetchers.follow(partition, 2)
  const before = (await follower.next('catching-up'))!
  partition.setRole({ ...role([2, 1]), partitionEpoch: 1 })
  follower.fetchers.follow(partition, 2)
  const now = (await follower.next('in-sync'))!
  assert.deepEqual(now.named, [0])
  before.answer(0)
  now.answer()
  assert.equal(await follower.next('catching-up', 100), null, 'nothing is copied there any more')
  assert.equal(partition.log.logEndOffset, 0)
  partition.setRole({ ...role([2]), partitionEpoch: 2 })
  follower.fetchers.follow(partition, 2)
  assert.deepEqual((await follower.next('catching-up'))!.named, [0])
})
