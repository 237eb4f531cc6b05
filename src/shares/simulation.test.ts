import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Trial } from '../machine/trial.test.kit.ts'
import {
  type Answers,
  type Granted,
  Refused,
  type SettleItem,
  type ShareAnswer,
  type ShareCommand,
} from './commands.ts'
import { defaultShareConfig } from './config.ts'
import type { ShareRecord } from './facts.ts'
import { shareCodec } from './records.ts'
import { ShareMachine } from './share-machine.ts'
import { partitionsOf } from './state.ts'

/**
 * Workers with moods against a coordinator that loses its lead now and then, to another one whose clock is wrong, from a
 * seed. What must hold: nobody gets a record that somebody else has, by his own clock; what was accepted is not handed out
 * again; no record is handed out more often than the limit says; everybody is answered; and when all is calm, every record
 * was accepted or is a dead letter, and nobody has one.
 */

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const config = {
  ...defaultShareConfig,
  deliveryLimit: 3,
  maxInFlight: 12,
  backoffMs: 20,
  maxBackoffMs: 50,
  minLockMs: 10,
}
const partitions = 3
const seeds = 20

/** What is read is what was written. */
function written(record: ShareRecord): ShareRecord {
  const { key, value } = shareCodec.encode(record)
  return shareCodec.decode(key, value, -1)
}

interface Held {
  readonly worker: number
  readonly lease: number
  until: number
}

class Cluster extends Trial<ShareCommand, ShareRecord, ShareAnswer, ShareMachine> {
  readonly ends = new Array<number>(partitions).fill(0)
  /** `partition/offset` → who believes to have it. */
  readonly held = new Map<string, Held>()
  readonly accepted = new Set<string>()
  readonly buried = new Set<string>()
  grants = 0

  constructor(seed: number) {
    super(
      seed,
      () => new ShareMachine(config),
      () => new Refused('NOT_COORDINATOR'),
      written,
    )
  }

  ask<Type extends keyof Answers>(
    command: Extract<ShareCommand, { type: Type }>,
    then: (answer: Answers[Type] | null) => void,
  ): void {
    this.submit(command, answer => then(answer instanceof Refused ? null : (answer as Answers[Type])))
  }

  produce(): void {
    this.ends[this.random.int(partitions)]! += 1 + this.random.int(4)
  }

  /** A worker asks, and counts its lease from there. */
  pull(worker: number, lockMs: number, then: (records: readonly Granted[]) => void): void {
    const asked = this.time.mono()
    const tails = this.ends.map((end, partition) => ({ partition, start: 0, end }))
    const wants = [{ max: 1 + this.random.int(3), lockMs }]
    const command = { type: 'Acquire', groupId: 'g', topic: 't', topicId, begin: 'earliest', tails, wants } as const
    this.ask<'Acquire'>(command, answer => {
      const records = answer?.grants[0]?.records ?? []
      for (const { partition, offset, lease, deliveryCount } of records) {
        const key = `${partition}/${offset}`
        const holder = this.held.get(key)
        assert.ok(
          holder === undefined || holder.until <= this.time.mono(),
          `${key} is ${holder?.worker}'s for ${(holder?.until ?? 0) - this.time.mono()} ms, and given to ${worker}`,
        )
        assert.ok(!this.accepted.has(key), `${key} was accepted, and is handed out again`)
        assert.ok(!this.buried.has(key), `${key} is dead, and is handed out again`)
        assert.ok(deliveryCount <= config.deliveryLimit, `${key} is handed out for the ${deliveryCount}th time`)
        this.held.set(key, { worker, lease, until: asked + lockMs })
        this.grants++
      }
      then(records)
    })
  }

  settle(worker: number, what: SettleItem['what'], { partition, offset, lease }: Granted, lockMs: number): void {
    const key = `${partition}/${offset}`
    const asked = this.time.mono()
    // Who says that he is done, is.
    const held = this.held.get(key)
    const mine = held?.worker === worker && held.lease === lease ? held : null
    if (mine !== null && what !== 'renew') this.held.delete(key)
    const items = [{ partition, offset, lease, what, ms: what === 'renew' ? lockMs : -1, why: '' }]
    this.ask<'Settle'>({ type: 'Settle', groupId: 'g', topicId, items }, answer => {
      if (answer?.results[0] !== 'NONE') return
      if (what === 'accept') this.accepted.add(key)
      if (what === 'renew' && mine !== null) mine.until = Math.max(mine.until, asked + lockMs)
    })
  }

  /** What the dead-letter writer does: it looks, waits until that is safe, writes, says so. */
  bury(): void {
    this.ask<'Describe'>({ type: 'Describe', groups: [] }, answer => {
      if (answer === null || !this.host.leading) return
      const group = this.machine.state.groups.get('g')
      for (const share of group === undefined ? [] : partitionsOf(group)) {
        const dying = [...share.unfinished].filter(([, { state }]) => state === 'dying').map(([offset]) => offset)
        if (dying.length === 0) continue
        const { partition } = share
        this.ask<'Bury'>({ type: 'Bury', groupId: 'g', topicId, partition, offsets: dying }, answer => {
          if (answer !== null) for (const offset of dying) this.buried.add(`${partition}/${offset}`)
        })
      }
    })
  }

  failOver(): void {
    this.log.depose(this.log.someEnd(this.random))
    if (this.random.int(2) === 0) this.time.advance(this.random.int(200))
    this.skew = this.random.int(4001) - 2000
    this.log.elect()
  }
}

/** Pulls, works for a while, and says what came of it; or dies. */
function work(cluster: Cluster, worker: number, calm: boolean): void {
  const { random, time } = cluster
  const lockMs = 50 + random.int(200)
  cluster.pull(worker, lockMs, records => {
    for (const record of records) {
      const mood = calm ? 0 : random.int(10)
      if (mood === 1) continue
      const what = mood === 2 ? 'release' : mood === 3 ? 'reject' : mood === 4 ? 'return' : 'accept'
      if (mood === 5) time.after(random.int(lockMs), () => cluster.settle(worker, 'renew', record, lockMs))
      // Sometimes too late.
      time.after(random.int(calm ? lockMs : 2 * lockMs), () => cluster.settle(worker, what, record, lockMs))
    }
  })
}

function run(seed: number): Cluster {
  const cluster = new Cluster(seed)
  const { random, time, log } = cluster
  for (let step = 0; step < 300; step++) {
    const event = random.int(20)
    if (event < 4) cluster.produce()
    else if (event < 11) work(cluster, step, false)
    else if (event < 13) cluster.bury()
    else if (event < 17) log.commit(log.someEnd(random))
    else if (event === 17 && random.int(3) === 0) cluster.failOver()
    else time.advance(random.int(60))
    if (random.int(40) === 0 && log.committed === log.end) cluster.host.compact()
  }
  // Calm: everything commits at once, and workers do their work.
  for (let step = 0; step < 250; step++) {
    log.commit()
    work(cluster, 1000 + step, true)
    cluster.bury()
    log.commit()
    time.advance(20)
    log.commit()
  }
  return cluster
}

test('workers, crashes, and coordinators that come and go', () => {
  let grants = 0
  let dead = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const cluster = run(seed)
    assert.equal(cluster.unanswered, 0, `seed ${seed}: somebody is not answered`)
    for (const [partition, end] of cluster.ends.entries())
      for (let offset = 0; offset < end; offset++) {
        const key = `${partition}/${offset}`
        const [done, buried] = [cluster.accepted.has(key), cluster.buried.has(key)]
        // An answer that was lost with a coordinator leaves the worker in doubt, never the record.
        const finished = !cluster.machine.state.find('g', topicId, partition)?.unfinished.has(offset)
        assert.ok(finished, `seed ${seed}: ${key} is not finished`)
        assert.ok(!(done && buried), `seed ${seed}: ${key} was accepted, and is a dead letter`)
        if (buried) dead++
      }
    for (const share of partitionsOf(cluster.machine.state.groups.get('g')!)) {
      assert.deepEqual([share.acquired, share.dying, share.ready.size, share.resting.size], [0, 0, 0, 0])
      assert.deepEqual([share.start, share.end], [cluster.ends[share.partition], cluster.ends[share.partition]])
    }
    grants += cluster.grants
  }
  assert.ok(
    grants > 80 * seeds && dead > seeds,
    `the simulation does something: ${grants} grants, ${dead} dead letters`,
  )
})
