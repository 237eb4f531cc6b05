import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { silent } from '../world/logger.ts'
import { CommittedMetadata } from './committed.ts'
import { BrokerLifecycle } from './lifecycle.ts'
import type { MetadataRecord } from './records/records.ts'

const incarnationId = 'incarnation-of-this--A'

type Asked = { readonly name: string; readonly request: Record<string, unknown>; readonly timeoutMs: number }

/** Node 2 before a controller whose answers the test gives. */
class Scene {
  readonly time = new VirtualTime()
  readonly metadata = new CommittedMetadata()
  readonly asked: Asked[] = []
  readonly failures: string[] = []
  answers: object[] = []
  /** Null: the metadata is always what there is. */
  wholeAsOf: number | null = null
  readonly lifecycle = new BrokerLifecycle({
    nodeId: 2,
    incarnationId,
    controller: {
      ask: async (name: string, request: object, { timeoutMs = 0 } = {}) => {
        this.asked.push({ name, request: request as Record<string, unknown>, timeoutMs })
        const answer = this.answers.shift()
        if (answer instanceof Error) throw answer
        return (answer ?? { errorCode: 0, isFenced: false, shouldShutDown: false }) as never
      },
    } as never,
    metadata: this.metadata,
    wholeAsOf: () => this.wholeAsOf ?? this.time.mono(),
    registration: () => ({ clusterId: 'c', listeners: [], features: [], rack: null, logDirs: [] }),
    clock: this.time,
    timers: this.time,
    logger: silent,
    heartbeatMs: 500,
    sessionMs: 3000,
    registrationMs: 10_000,
    failed: error => this.failures.push(error.message),
  })

  commit(...records: MetadataRecord[]): void {
    this.metadata.commit(records, this.metadata.state.offset + records.length, 0)
  }

  register(brokerId: number, id = incarnationId): void {
    const { offset } = this.metadata.state
    this.commit({
      type: 'RegisterBrokerRecord',
      brokerId,
      incarnationId: id,
      brokerEpoch: offset,
      endPoints: [{ name: 'PLAINTEXT', host: 'other', port: 9092, securityProtocol: 0 }],
      features: [],
      rack: null,
      fenced: true,
      logDirs: [],
    })
  }

  change(brokerId: number, change: { fenced?: number; inControlledShutdown?: number }): void {
    const brokerEpoch = this.metadata.state.brokers.get(brokerId)!.epoch
    this.commit({ type: 'BrokerRegistrationChangeRecord', brokerId, brokerEpoch, ...change })
  }

  async settle(ms = 0): Promise<void> {
    this.time.advance(ms)
    for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  }

  /** Registered, unfenced, and beating. */
  async serving(): Promise<void> {
    this.register(1, 'somebody-else---------A')
    this.change(1, { fenced: -1 })
    this.answers = [{ errorCode: 0, brokerEpoch: 2 }]
    const registered = this.lifecycle.register()
    await this.settle()
    this.register(2)
    await registered
    const served = this.lifecycle.serve()
    await this.settle()
    this.change(2, { fenced: -1 })
    await served
    await this.settle()
    this.asked.length = 0
  }

  get heartbeats(): Asked[] {
    return this.asked.filter(({ name }) => name === 'brokerHeartbeat')
  }
}

test('a broker registers, waits for its own registration, says how far it is, and serves when it may', async () => {
  const scene = new Scene()
  scene.answers = [{ errorCode: 0, brokerEpoch: 7 }]
  let registered = false
  const registering = scene.lifecycle.register().then(() => {
    registered = true
  })
  await scene.settle()
  assert.deepEqual([registered, scene.lifecycle.brokerEpoch], [false, 7])
  scene.register(2)
  await registering
  assert.equal(scene.heartbeats.length, 0)
  scene.answers = [{ errorCode: 0, isFenced: true, shouldShutDown: false }]
  let serving = false
  const served = scene.lifecycle.serve().then(() => {
    serving = true
  })
  await scene.settle()
  assert.deepEqual(scene.heartbeats[0]?.request, {
    brokerId: 2,
    brokerEpoch: 7,
    currentMetadataOffset: 0,
    wantFence: false,
    wantShutDown: false,
  })
  await scene.settle(500)
  assert.deepEqual([scene.heartbeats.length, serving], [2, false])
  scene.change(2, { fenced: -1 })
  await served
})

test('a broker registers again when a registration of its former life came late', async () => {
  const scene = new Scene()
  for (let i = 0; i < 8; i++) scene.register(1, 'somebody-else---------A')
  scene.answers = [
    { errorCode: 0, brokerEpoch: 7 },
    { errorCode: 0, brokerEpoch: 9 },
  ]
  const registering = scene.lifecycle.register()
  await scene.settle()
  scene.register(2, 'former-life-----------A')
  await scene.settle()
  assert.deepEqual([scene.asked.length, scene.lifecycle.brokerEpoch], [2, 9])
  scene.register(2)
  await registering
  assert.equal(scene.failures.length, 0)
})

test('heartbeats come regularly, and at once when others wait for what we know', async () => {
  const scene = new Scene()
  await scene.serving()
  await scene.settle(499)
  assert.equal(scene.heartbeats.length, 0)
  await scene.settle(1)
  assert.equal(scene.heartbeats.length, 1)
  scene.change(1, { inControlledShutdown: 1 })
  await scene.settle()
  assert.equal(scene.heartbeats.length, 2)
  assert.equal(scene.heartbeats[1]?.request.currentMetadataOffset, scene.metadata.state.offset - 1)
  // The regular one counts from there.
  await scene.settle(499)
  assert.equal(scene.heartbeats.length, 2)
})

test('a broker that goes asks until it may, and not for longer than it wants to', async () => {
  const scene = new Scene()
  await scene.serving()
  const stay = { errorCode: 0, isFenced: false, shouldShutDown: false }
  scene.answers = [stay, stay, { ...stay, shouldShutDown: true }]
  const left = scene.lifecycle.leave(3000)
  for (let i = 0; i < 3; i++) await scene.settle(10)
  await left
  assert.deepEqual(
    scene.heartbeats.map(({ request }) => request.wantShutDown),
    [true, true, true],
  )
  const other = new Scene()
  await other.serving()
  const never = other.lifecycle.leave(100)
  for (let i = 0; i < 12; i++) await other.settle(10)
  await never
})

test('a broker that is alone goes without a word', async () => {
  const scene = new Scene()
  await scene.serving()
  scene.change(1, { fenced: 1 })
  await scene.settle()
  scene.asked.length = 0
  await scene.lifecycle.leave(3000)
  assert.equal(scene.asked.length, 0)
})

test('a number that another node has is waited for, for a while', async () => {
  const scene = new Scene()
  scene.register(2, 'another-one-----------A')
  const duplicate = { errorCode: ErrorCode.DUPLICATE_BROKER_REGISTRATION, brokerEpoch: -1 }
  scene.answers = Array.from({ length: 200 }, () => duplicate)
  const refused = assert.rejects(
    scene.lifecycle.register(),
    /two nodes have the number 2: another one \(at other:9092\)/,
  )
  for (let i = 0; i < 103; i++) await scene.settle(100)
  await refused
})

test('a broker that the cluster forgot, or gave its number to another one, must stop', async () => {
  for (const [errorCode, said] of [
    [ErrorCode.BROKER_ID_NOT_REGISTERED, /was taken out of the cluster/],
    [ErrorCode.STALE_BROKER_EPOCH, /two nodes have the number 2/],
  ] as const) {
    const scene = new Scene()
    await scene.serving()
    scene.answers = [{ errorCode, shouldShutDown: false }]
    await scene.settle(500)
    assert.match(scene.failures[0] ?? '', said)
    await scene.settle(5000)
    assert.equal(scene.heartbeats.length, 1)
  }
})

test('a broker stops as soon as the metadata gives its number to another one, before it is asked for anything', async () => {
  const scene = new Scene()
  await scene.serving()
  scene.register(2, 'another-one-----------A')
  assert.match(scene.failures[0] ?? '', /two nodes have the number 2: another one \(at other:9092\)/)
  await scene.settle(5000)
  assert.equal(scene.heartbeats.length, 0)
})

test('a controller that cannot answer now is asked again', async () => {
  const scene = new Scene()
  await scene.serving()
  scene.answers = [{ errorCode: ErrorCode.NOT_CONTROLLER }, { errorCode: ErrorCode.REQUEST_TIMED_OUT }]
  await scene.settle(500)
  await scene.settle(500)
  await scene.settle(500)
  assert.equal(scene.heartbeats.length, 3)
  assert.deepEqual(scene.failures, [])
})

test('a broker that was stopped has no say before it knows what was decided meanwhile, heard again or not', async () => {
  const scene = new Scene()
  await scene.serving()
  const before = scene.time.mono()
  scene.wholeAsOf = before
  await scene.settle(500)
  assert.equal(scene.lifecycle.isHeard, true)
  await scene.settle(20_000)
  await scene.settle(500)
  assert.ok(scene.heartbeats.length >= 2)
  assert.equal(scene.lifecycle.isHeard, false)
  scene.wholeAsOf = scene.time.mono()
  await scene.settle(500)
  assert.equal(scene.lifecycle.isHeard, true)
})

test('a broker that is not heard for a session may have a successor; one that is alone never has', async () => {
  const scene = new Scene()
  await scene.serving()
  for (let beat = 0; beat < 10; beat++) {
    await scene.settle(500)
    assert.equal(scene.lifecycle.isHeard, true)
  }
  scene.answers = Array.from({ length: 20 }, () => ({ errorCode: ErrorCode.NOT_CONTROLLER }))
  await scene.settle(500)
  await scene.settle(2000)
  assert.equal(scene.lifecycle.isHeard, true)
  await scene.settle(600)
  assert.equal(scene.lifecycle.isHeard, false)
  scene.answers = []
  await scene.settle(500)
  assert.equal(scene.lifecycle.isHeard, true)
  scene.change(1, { fenced: 1 })
  scene.answers = Array.from({ length: 20 }, () => ({ errorCode: ErrorCode.NOT_CONTROLLER }))
  await scene.settle(500)
  await scene.settle(4000)
  assert.equal(scene.lifecycle.isHeard, true)
})

test('who thinks that he is alone, by metadata from before a pause, has no say', async () => {
  const scene = new Scene()
  await scene.serving()
  scene.change(1, { fenced: 1 })
  await scene.settle(500)
  scene.wholeAsOf = scene.time.mono()
  // Stopped for 20 s; meanwhile node 1 came back, and leads as an eligible replica what we led.
  scene.answers = Array.from({ length: 20 }, () => ({ errorCode: ErrorCode.NOT_CONTROLLER }))
  await scene.settle(20_000)
  assert.equal(scene.lifecycle.isHeard, false)
})

test('who was silent for a session has no say before he knows what was decided until he was heard again', async () => {
  const scene = new Scene()
  await scene.serving()
  await scene.settle(500)
  // Heartbeats fail for more than a session (fenced at 3.0 s, others lead), Fetches of metadata come through until 2.9 s.
  const last = scene.time.mono()
  scene.answers = Array.from({ length: 6 }, () => ({ errorCode: ErrorCode.NOT_CONTROLLER }))
  scene.wholeAsOf = last + 2900
  for (let beat = 0; beat < 6; beat++) await scene.settle(500)
  assert.equal(scene.lifecycle.isHeard, false)
  // This one is answered, and lets us in again; what was decided at 3.0 s is still on its way to us.
  await scene.settle(500)
  assert.equal(scene.answers.length, 0)
  assert.equal(scene.lifecycle.isHeard, false)
})

test('a controller that does not understand heartbeats is asked again: another one may be there by then', async () => {
  const scene = new Scene()
  await scene.serving()
  scene.answers = [new KafkaError('UNSUPPORTED_VERSION'), new KafkaError('ILLEGAL_SASL_STATE')]
  for (let i = 1; i <= 3; i++) {
    await scene.settle(500)
    assert.equal(scene.heartbeats.length, i)
  }
  assert.deepEqual(scene.failures, [])
})
