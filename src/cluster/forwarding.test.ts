import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { ErrorCode, errorName, KafkaError } from '../protocol/errors.ts'
import type { Api } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { commandApis } from './command-apis.ts'
import { CommittedMetadata } from './committed.ts'
import { ForwardingController } from './forwarding.ts'
import type { OrdererLeader } from './orderer/orderer.ts'
import type { PeerSendOptions } from './peers.ts'

interface Sent {
  readonly to: unknown
  readonly api: string
  readonly request: Record<string, unknown>
  readonly options: PeerSendOptions
  answer(response: object): void
  fail(error: Error): void
}

/** Node 1, beside others whose answers the test gives. */
class Scene {
  readonly time = new VirtualTime()
  readonly metadata = new CommittedMetadata()
  readonly sent: Sent[] = []
  readonly locally: string[] = []
  leader: OrdererLeader | null = null
  leading = false
  #watchers: ((leader: OrdererLeader | null) => void)[] = []
  readonly controller = new ForwardingController({
    nodeId: 1,
    local: {
      leading: false,
      ask: (name: string) => {
        this.locally.push(name)
        return Promise.resolve({ topics: [{ name: 't', errorCode: this.leading ? 0 : ErrorCode.NOT_CONTROLLER }] })
      },
    } as never,
    orderer: {
      leader: () => this.leader,
      onLeader: run => {
        this.#watchers.push(run)
        return () => {
          this.#watchers = this.#watchers.filter(other => other !== run)
        }
      },
    },
    peers: {
      send: (to: unknown, api: Api, request: object, options: PeerSendOptions) =>
        new Promise((resolve, reject) => {
          this.sent.push({
            to,
            api: api.name,
            request: request as Record<string, unknown>,
            options,
            answer: resolve as never,
            fail: reject,
          })
        }),
    } as never,
    metadata: this.metadata,
    clock: this.time,
    timers: this.time,
  })

  elect(id: number | null): void {
    this.leader = id === null ? null : { id, epoch: 1 }
    for (const run of [...this.#watchers]) run(this.leader)
  }

  topic(name: string): void {
    const upTo = this.metadata.state.offset + 1
    this.metadata.commit([{ type: 'TopicRecord', name, topicId: `${name.padEnd(21, '-')}A` }], upTo, 0)
  }

  create(timeoutMs = 10_000) {
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    return this.controller.ask('createTopics', { topics: [topic], timeoutMs })
  }

  async settle(ms = 0): Promise<void> {
    for (const step of [0, ms]) {
      this.time.advance(step)
      for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
    }
  }
}

// Messages are loaded when they are needed first, which takes its time.
before(() => Promise.all(Object.values(commandApis).map(load => load())))

const done = { topics: [{ name: 't', errorCode: 0 }] }
const notController = { topics: [{ name: 't', errorCode: ErrorCode.NOT_CONTROLLER }] }

test('a question waits for a leader, goes to it, and its answer until the node itself has what was done', async () => {
  const scene = new Scene()
  const asked = scene.create()
  await scene.settle()
  assert.equal(scene.sent.length, 0)
  scene.elect(3)
  await scene.settle()
  assert.deepEqual([scene.sent[0]?.to, scene.sent[0]?.api, scene.sent[0]?.options.lane], [3, 'CreateTopics', 'admin'])
  let answered = false
  void asked.then(() => {
    answered = true
  })
  scene.sent[0]?.answer(done)
  await scene.settle()
  assert.equal(answered, false)
  scene.topic('t')
  assert.equal((await asked).topics[0]?.errorCode, 0)
})

test('an answer does not wait for ever for what this node may never see', async () => {
  const scene = new Scene()
  scene.elect(3)
  const asked = scene.create()
  await scene.settle()
  scene.sent[0]?.answer(done)
  await scene.settle(1000)
  assert.equal((await asked).topics[0]?.errorCode, 0)
})

test('whoever does not lead any more is not waited for: the next leader is asked', async () => {
  const scene = new Scene()
  scene.elect(3)
  const asked = scene.create()
  await scene.settle()
  scene.elect(2)
  await scene.settle(50)
  assert.deepEqual(
    scene.sent.map(({ to }) => to),
    [3, 2],
  )
  scene.sent[1]?.answer(notController)
  await scene.settle(50)
  scene.sent[2]?.fail(new KafkaError('NETWORK_EXCEPTION'))
  await scene.settle(50)
  scene.topic('t')
  scene.sent[3]?.answer(done)
  assert.equal((await asked).topics[0]?.errorCode, 0)
})

test('without a leader, or one that never answers, the asker hears so in time', async () => {
  const scene = new Scene()
  const asked = scene.create(3000)
  await scene.settle(3000)
  assert.equal(errorName((await asked).topics[0]?.errorCode ?? 0), 'NOT_CONTROLLER')
  scene.elect(3)
  const again = scene.create(3000)
  await scene.settle()
  assert.equal(scene.sent[0]?.options.timeoutMs, 3000)
  scene.time.advance(3000)
  scene.sent[0]?.fail(new KafkaError('REQUEST_TIMED_OUT'))
  await scene.settle(50)
  assert.equal(errorName((await again).topics[0]?.errorCode ?? 0), 'REQUEST_TIMED_OUT')
})

test('a node that was elected is asked itself, and asked again until it leads', async () => {
  const scene = new Scene()
  scene.elect(1)
  const asked = scene.create()
  await scene.settle()
  scene.leading = true
  await scene.settle(50)
  assert.equal((await asked).topics[0]?.errorCode, 0)
  assert.deepEqual(scene.locally, ['createTopics', 'createTopics'])
  assert.equal(scene.sent.length, 0)
})

test('what came in an old version is sent on in the newest, with all that it says', async () => {
  const scene = new Scene()
  scene.elect(2)
  void scene.controller.ask('deleteTopics', { topics: [], topicNames: ['a'], timeoutMs: 1000 })
  void scene.controller.ask('updateFeatures', {
    timeoutMs: 1000,
    featureUpdates: [{ feature: 'f', maxVersionLevel: 1, allowDowngrade: true }],
  })
  await scene.settle()
  assert.deepEqual(
    scene.sent.map(({ request }) => request.topics ?? request.featureUpdates),
    [[{ name: 'a', topicId: ZERO_UUID }], [{ feature: 'f', maxVersionLevel: 1, upgradeType: 2 }]],
  )
})

test('so many questions may wait, and no more', async () => {
  const scene = new Scene()
  const controller = new ForwardingController({
    nodeId: 1,
    local: { leading: false } as never,
    orderer: { leader: () => null, onLeader: () => () => {} },
    peers: {} as never,
    metadata: scene.metadata,
    clock: scene.time,
    timers: scene.time,
    maxWaiting: 2,
  })
  const ask = () => controller.ask('deleteTopics', { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
  const waiting = [ask(), ask()]
  assert.equal(errorName((await ask()).responses[0]?.errorCode ?? 0), 'REQUEST_TIMED_OUT')
  scene.time.advance(1000)
  for (const { responses } of await Promise.all(waiting))
    assert.equal(errorName(responses[0]?.errorCode ?? 0), 'NOT_CONTROLLER')
})
