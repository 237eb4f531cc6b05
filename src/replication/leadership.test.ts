import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IsrAnswer, IsrProposal } from './isr-changes.ts'
import { Leadership, type LedLog } from './leadership.ts'
import type { PartitionRole } from './role.ts'

const lagMaxMs = 5000
const slowAfterMs = 10_000
const slowProbationMs = 60_000

/** Broker 1 leads, as its node sees it; all brokers are registered with epoch 7. */
class Scene {
  ms = 1000
  highWatermark = 100
  damagedAt: number | null = null
  hasRoom = true
  role: PartitionRole
  readonly log: { -readonly [Key in keyof LedLog]: LedLog[Key] } = {
    logEndOffset: 100,
    flushedOffset: 100,
    config: { minInsyncReplicas: 2, replicationTopology: 'isr' },
  }
  readonly asked: (Pick<IsrProposal, 'lacking'> & { readonly isr: readonly number[] })[] = []
  answer: (answer: IsrAnswer) => void = () => {}
  readonly leadership: Leadership

  constructor(role: Partial<PartitionRole> = {}) {
    this.role = { leader: 1, leaderEpoch: 3, partitionEpoch: 9, replicas: [1, 2, 3], isr: [1, 2, 3], ...role }
    const scene = this
    const host = {
      ...{ node: 1, topic: 't', topicId: 'id', index: 0, log: this.log },
      get highWatermark() {
        return scene.highWatermark
      },
      get damagedAt() {
        return scene.damagedAt
      },
      get hasRoom() {
        return scene.hasRoom
      },
      isrChanged: (isr: readonly number[], partitionEpoch: number) =>
        scene.decided({ isr, eligibleLeaderReplicas: [], partitionEpoch }),
    }
    const around = {
      isrChanges: {
        propose: ({ isr, lacking }: IsrProposal, _: () => boolean, answered: (answer: IsrAnswer) => void) => {
          this.asked.push({ isr: isr.map(({ brokerId }) => brokerId), lacking })
          this.answer = answered
        },
      },
      eligibleEpoch: () => 7,
      mono: () => this.ms,
      lagMaxMs,
      slowAfterMs,
      slowProbationMs,
      warn() {},
    }
    this.leadership = new Leadership(host, around, this.role, 50)
  }

  /** For `ms`: a record every 10 ms; each replica writes all that there is in so many ms, and then says so. */
  load(ms: number, took: Readonly<Record<number, number>>): void {
    const { log, leadership } = this
    const writes = new Map([1, 2, 3].map(id => [id, { upTo: log.logEndOffset, untilMs: this.ms }]))
    for (const end = this.ms + ms; this.ms < end; this.ms += 10) {
      log.logEndOffset++
      this.highWatermark = leadership.committed()
      for (const [id, write] of writes) {
        if (this.ms < write.untilMs) continue
        if (id === 1) log.flushedOffset = write.upTo
        else leadership.fetched(id, 7, write.upTo)
        writes.set(id, { upTo: log.logEndOffset, untilMs: this.ms + (took[id] ?? 10) })
      }
      this.highWatermark = leadership.committed()
      if (this.ms % 1000 === 0) leadership.check()
    }
  }

  /** The metadata says so. */
  decided(role: Partial<PartitionRole>): void {
    this.role = { ...this.role, ...role }
    this.leadership.changed(this.role)
  }
}

test('a follower that asks for what it must have has lost it: it leaves, and is not eligible', () => {
  const scene = new Scene({ isr: [1, 2] })
  scene.leadership.fetched(2, 7, 100)
  assert.deepEqual(scene.asked, [])
  scene.leadership.fetched(2, 7, 40)
  assert.deepEqual(scene.asked, [{ isr: [1], lacking: [2] }])
})

test('so does one that is eligible only; who is neither may copy what it likes', () => {
  const scene = new Scene({ isr: [1], eligibleLeaderReplicas: [2] })
  scene.leadership.fetched(3, 7, 40)
  scene.leadership.fetched(2, 7, 100)
  // It has all: it may join.
  assert.deepEqual(scene.asked, [{ isr: [1, 2], lacking: [] }])
  scene.answer({ is: 'refused' })
  scene.ms += 300
  scene.leadership.fetched(2, 7, 99)
  assert.deepEqual(scene.asked.at(-1), { isr: [1], lacking: [2] })
})

test('what a chain says of a replica before its leader knows of it counts as soon as it does', () => {
  const scene = new Scene({ replicas: [1, 2], isr: [1, 2] })
  scene.leadership.reported({ replicaId: 3, replicaEpoch: 7, logEndOffset: 90 })
  scene.leadership.reported({ replicaId: 3, replicaEpoch: 7, logEndOffset: 100 })
  for (let id = 10; id < 100; id++) scene.leadership.reported({ replicaId: id, replicaEpoch: 7, logEndOffset: 100 })
  assert.deepEqual(scene.asked, [])
  scene.decided({ replicas: [1, 2, 3], addingReplicas: [3], partitionEpoch: 10 })
  assert.deepEqual(scene.asked, [{ isr: [1, 2, 3], lacking: [] }])
})

test('a laggard leaves, and stays eligible', () => {
  const scene = new Scene()
  scene.leadership.fetched(2, 7, 100)
  scene.ms += lagMaxMs + 1
  scene.leadership.fetched(2, 7, 100)
  scene.leadership.check()
  assert.deepEqual(scene.asked, [{ isr: [1, 2], lacking: [] }])
})

test('a leader whose copy is damaged goes, if there is anybody who has all of it', () => {
  const cases: [Partial<PartitionRole>, object[]][] = [
    [{ isr: [1, 2] }, [{ isr: [2], lacking: [1] }]],
    [{ isr: [1], eligibleLeaderReplicas: [3] }, [{ isr: [], lacking: [1] }]],
    [{ isr: [1], eligibleLeaderReplicas: [] }, []],
  ]
  for (const [role, asked] of cases) {
    const scene = new Scene(role)
    scene.damagedAt = 60
    scene.leadership.check()
    assert.deepEqual(scene.asked, asked, JSON.stringify(role))
  }
})

test('a leader without room for records goes, if enough others are in sync', () => {
  for (const [isr, left] of [
    [
      [1, 2, 3],
      [2, 3],
    ],
    [[1, 2], null],
  ] as const) {
    const scene = new Scene({ isr })
    scene.hasRoom = false
    scene.leadership.check()
    assert.deepEqual(scene.asked, left === null ? [] : [{ isr: left, lacking: [] }])
  }
})

test('a follower that holds up all others leaves after a while, and comes back after its probation', () => {
  const scene = new Scene()
  scene.load(9000, { 3: 200 })
  assert.deepEqual(scene.asked, [])
  scene.load(5000, { 3: 200 })
  assert.deepEqual(scene.asked, [{ isr: [1, 2], lacking: [] }])
  scene.answer({ is: 'changed', isr: [1, 2], leaderEpoch: 3, partitionEpoch: 10 })
  scene.load(1000, { 3: 200 })
  assert.ok(scene.highWatermark >= scene.log.logEndOffset - 2, 'it holds up nobody any more')
  scene.load(slowProbationMs - 10_000, {})
  assert.equal(scene.asked.length, 1)
  scene.load(10_000, {})
  assert.deepEqual(scene.asked.at(-1), { isr: [1, 2, 3], lacking: [] })
})

test('it may come back sooner where one is missing', () => {
  const scene = new Scene()
  scene.load(14_000, { 3: 200 })
  scene.answer({ is: 'changed', isr: [1, 2], leaderEpoch: 3, partitionEpoch: 10 })
  scene.decided({ isr: [1], partitionEpoch: 11 })
  scene.leadership.fetched(3, 7, scene.log.logEndOffset)
  assert.deepEqual(scene.asked.at(-1), { isr: [1, 2, 3], lacking: [] })
})

test('a slow follower stays where too few would be left, and where nobody is faster', () => {
  const needed = new Scene()
  needed.log.config = { minInsyncReplicas: 3, replicationTopology: 'isr' }
  needed.load(20_000, { 3: 200 })
  assert.deepEqual(needed.asked, [])
  const allSlow = new Scene()
  allSlow.load(20_000, { 1: 200, 2: 200, 3: 250 })
  assert.deepEqual(allSlow.asked, [])
})

test('a leader whose own disk holds up all others goes', () => {
  const scene = new Scene()
  scene.load(14_000, { 1: 200 })
  assert.deepEqual(scene.asked, [{ isr: [2, 3], lacking: [] }])
})
