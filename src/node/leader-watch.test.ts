import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OrdererLeader, QuorumReplica } from '../cluster/orderer/orderer.ts'
import type { Liveness } from '../cluster/peers.ts'
import { VirtualTime } from '../machine/testing.ts'
import { silent } from '../world/logger.ts'
import { LeaderWatch } from './leader-watch.ts'

/** Node 1 of three voters, of which the others are as `found` says. */
class Scene {
  readonly time = new VirtualTime()
  readonly said: string[] = []
  leader: OrdererLeader | null = null
  found: Record<number, Liveness> = { 2: 'alive', 3: 'alive' }
  #watchers: ((leader: OrdererLeader | null) => void)[] = []
  readonly watch: LeaderWatch

  constructor(ids: readonly number[] = [1, 2, 3]) {
    const voters = ids.map(id => {
      const endpoints = [{ name: 'PLAINTEXT', host: '10.0.0.1', port: 9091 + id }]
      return { id, directoryId: '', endpoints } as unknown as QuorumReplica
    })
    const say = (message: string, fields?: object) =>
      this.said.push(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`)
    this.watch = new LeaderWatch({
      nodeId: 1,
      orderer: {
        leader: () => this.leader,
        onLeader: run => {
          this.#watchers.push(run)
          return () => {
            this.#watchers = this.#watchers.filter(each => each !== run)
          }
        },
        describe: () => ({ leaderId: -1, leaderEpoch: 1, highWatermark: 0, logEndOffset: 0, voters, observers: [] }),
      },
      peers: { probe: async node => this.found[node] ?? 'unknown' },
      timers: this.time,
      logger: { ...silent, info: say, warn: say },
    })
  }

  lead(id: number | null): void {
    this.leader = id === null ? null : { id, epoch: 1 }
    for (const run of [...this.#watchers]) run(this.leader)
  }

  async pass(ms: number): Promise<void> {
    this.time.advance(ms)
    await new Promise(resolve => setImmediate(resolve))
  }
}

const sentence =
  'nobody decides about the metadata: that takes 2 of 3 voters, and nodes 2 (10.0.0.1:9093), 3 (10.0.0.1:9094) cannot ' +
  'be reached; topics, leaders and members stay as they are until then (a node that has a new address finds the others ' +
  'with --join and one of theirs)'

test('who waits for a leader is told which voters are missing, after a while and not too often', async () => {
  const scene = new Scene()
  scene.found = { 2: 'refused', 3: 'unknown' }
  await scene.pass(4_900)
  assert.deepEqual(scene.said, [])
  await scene.pass(200)
  assert.deepEqual(scene.said, [sentence])
  await scene.pass(59_000)
  assert.equal(scene.said.length, 1)
  await scene.pass(1_000)
  assert.deepEqual(scene.said, [sentence, sentence])
  scene.lead(3)
  assert.equal(scene.said[2], 'the metadata of the cluster is led again {"node":3}')
  await scene.pass(100_000)
  assert.equal(scene.said.length, 3)
})

test('an election is nothing to speak of, nor a leader that is lost and found', async () => {
  const scene = new Scene()
  scene.found = { 2: 'refused', 3: 'alive' }
  await scene.pass(3_000)
  scene.lead(1)
  await scene.pass(10_000)
  scene.lead(null)
  await scene.pass(4_000)
  scene.lead(3)
  await scene.pass(10_000)
  assert.deepEqual(scene.said, [])
})

test('a leader that is lost for long is missed; nobody speaks after the end', async () => {
  const scene = new Scene([1, 2])
  scene.lead(1)
  scene.found = { 2: 'refused' }
  scene.lead(null)
  await scene.pass(5_000)
  assert.match(scene.said[0] ?? '', /that takes 2 of 2 voters, and node 2 \(10\.0\.0\.1:9093\) cannot be reached;/)
  scene.watch.stop()
  await scene.pass(100_000)
  scene.lead(1)
  assert.equal(scene.said.length, 1)
})
