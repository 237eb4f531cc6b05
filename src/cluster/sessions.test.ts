import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLog } from '../machine/memory-log.ts'
import { dice, VirtualTime } from '../machine/testing.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { silent } from '../world/logger.ts'
import type { Fact } from './commands/command.ts'
import { CommittedMetadata } from './committed.ts'
import { ControllerClient, sureMsOf } from './controller-client.ts'
import { bootstrapRecords } from './features.ts'
import type { Orderer } from './orderer/orderer.ts'
import { testSettings, uuid } from './testing.ts'

/** A controller on a log and a clock, and brokers that beat when the test lets them. */
class Scene {
  readonly time = new VirtualTime()
  /** Null: it is the controller for sure. */
  wholeAsOf: number | null = null
  readonly log = new MemoryLog<Fact>({ autoCommit: true })
  readonly metadata = new CommittedMetadata()
  readonly controller: ControllerClient

  constructor(sureMs: number) {
    this.controller = this.#newController(sureMs)
  }

  #newController(sureMs: number) {
    return new ControllerClient({
      orderer: Object.assign(this.log, { wholeAsOf: () => this.wholeAsOf ?? this.time.mono() }) as unknown as Orderer,
      sureMs,
      settings: testSettings,
      bootstrap: bootstrapRecords(),
      snapshotBytes: 1e9,
      observer: this.metadata,
      clock: this.time,
      timers: this.time,
      random: dice(1),
      logger: silent,
    })
  }

  async join(brokerId: number): Promise<void> {
    await this.controller.ask('registerBroker', {
      brokerId,
      clusterId: 'cluster',
      incarnationId: uuid(`${brokerId}i`),
      listeners: [],
      features: [],
      rack: null,
      logDirs: [],
    })
    await this.beat(brokerId)
  }

  async beat(...ids: number[]): Promise<void> {
    for (const brokerId of ids) await this.heartbeat(brokerId)
  }

  heartbeat(brokerId: number) {
    return this.controller.ask('brokerHeartbeat', {
      brokerId,
      brokerEpoch: this.metadata.state.brokers.get(brokerId)!.epoch,
      currentMetadataOffset: this.metadata.state.offset - 1,
      wantFence: false,
      wantShutDown: false,
    })
  }

  get fenced(): number[] {
    return [...this.metadata.state.brokers.values()].filter(({ fenced }) => fenced).map(({ id }) => id)
  }
}

async function scene(sureMs = 1000): Promise<Scene> {
  const made = new Scene(sureMs)
  made.log.elect()
  for (const id of [1, 2, 3]) await made.join(id)
  assert.deepEqual(made.fenced, [])
  return made
}

test('who does not beat for a session is fenced, and nobody else', async () => {
  const all = await scene()
  for (let ms = 0; ms < 5000; ms += 500) {
    await all.beat(3)
    all.time.advance(500)
    assert.deepEqual(all.fenced, ms + 500 >= 3000 ? [2] : [], `after ${ms + 500} ms`)
  }
})

test('a controller that stood still itself expires nobody at once', async () => {
  const all = await scene()
  all.time.advance(2000)
  all.time.stall(60_000)
  assert.deepEqual(all.fenced, [])
  await all.beat(3)
  all.time.advance(2500)
  assert.deepEqual(all.fenced, [2], 'who is silent afterwards, too, is')
})

test('a new controller gives everybody a full session', async () => {
  const all = await scene()
  all.time.advance(2900)
  all.log.depose()
  all.time.advance(10_000)
  assert.deepEqual(all.fenced, [])
  all.log.elect()
  all.time.advance(2900)
  assert.deepEqual(all.fenced, [])
  await all.beat(2)
  all.time.advance(200)
  assert.deepEqual(all.fenced, [3])
})

test('a controller that may have been deposed answers no heartbeat', async () => {
  const all = await scene()
  const beat = () => all.heartbeat(2)
  all.wholeAsOf = all.time.mono()
  all.time.advance(1000)
  assert.equal((await beat()).errorCode, ErrorCode.NONE)
  all.time.advance(1)
  assert.equal((await beat()).errorCode, ErrorCode.NOT_CONTROLLER)
  all.wholeAsOf = null
  assert.equal((await beat()).errorCode, ErrorCode.NONE)
})

test('a controller by a lease answers no heartbeat from the end of that on', async () => {
  // A successor may have it from then on; a quorum's waits for the fetch timeout.
  const all = await scene(sureMsOf('redis://localhost:6379', 1500))
  const beat = () => all.heartbeat(2)
  const leaseEnd = all.time.mono() + 500
  all.time.advance(500)
  all.wholeAsOf = leaseEnd
  assert.equal((await beat()).errorCode, ErrorCode.NONE)
  all.time.advance(1)
  assert.equal((await beat()).errorCode, ErrorCode.NOT_CONTROLLER)
  assert.equal(sureMsOf('raft', 1500), 1000)
})
