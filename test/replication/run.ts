import assert from 'node:assert/strict'
import type { MetadataRecord } from '../../src/cluster/records/records.ts'
import { buildBatch } from '../../src/protocol/batches/build.ts'
import { crc } from '../../src/protocol/batches/header.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { ModelController } from './controller.ts'
import { CrashDisk } from './disk.ts'
import { entriesOf, Invariants } from './invariants.ts'
import { Network } from './network.ts'
import { ReplicaNode } from './node.ts'
import { Dice, VirtualTime } from './time.ts'

export interface RunOptions {
  readonly nodes?: number
  readonly minIsr?: number
  readonly topology?: string
  /** ms of faults, then of healing. */
  readonly faultyMs?: number
  readonly healingMs?: number
  readonly faults?: boolean
  /** How often what happens; else each seed draws its own. */
  readonly mix?: Mix | null
}

export interface RunReport {
  readonly acknowledged: number
  readonly failed: number
  readonly steps: number
  readonly elections: number
  readonly story: readonly string[]
}

/** ms at the end in which nobody writes. */
const quietMs = 250

export interface Mix {
  readonly kill: number
  readonly power: number
  readonly allPower: number
  readonly cut: number
  readonly elect: number
  readonly rot: number
  readonly slow: number
}

/** One seed: a partition and its replicas, clients that write, and all that may happen to them. Throws what was violated. */
export class Run {
  readonly seed: number
  readonly time = new VirtualTime()
  readonly dice: Dice
  readonly controller: ModelController
  readonly network: Network
  readonly nodes = new Map<number, ReplicaNode>()
  readonly disks = new Map<number, CrashDisk>()
  readonly invariants: Invariants
  readonly story: string[] = []
  readonly #options: Required<RunOptions>
  readonly #deliveries = new Map<ReplicaNode, number>()
  #steps = 0
  #acknowledged = 0
  #failed = 0
  #written = 0

  constructor(seed: number, options: RunOptions = {}) {
    this.seed = seed
    this.dice = new Dice(seed)
    this.#options = {
      nodes: 3,
      minIsr: 2,
      topology: 'isr',
      faultyMs: 3000,
      healingMs: 4000,
      faults: true,
      mix: null,
      ...options,
    }
    this.controller = new ModelController(this.dice, records => this.#publish(records))
    this.network = new Network(this.time, this.dice, () => this.nodes)
    this.invariants = new Invariants(this.controller, this.disks)
  }

  async run(): Promise<RunReport> {
    const { faultyMs, healingMs, faults } = this.#options
    await this.#begin()
    if (faults) this.#trouble(this.#options.mix ?? this.#mix())
    await this.pass(faultyMs)
    this.#heal()
    await this.pass(healingMs - quietMs)
    this.#quiet = true
    await this.pass(quietMs)
    this.#allWell()
    return {
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      steps: this.#steps,
      elections: this.controller.partition.leaderEpoch,
      story: this.story,
    }
  }

  /** Nodes with empty disks, a partition at all of them, and who writes to it. Returns their ids. */
  async #begin(): Promise<number[]> {
    const { nodes, minIsr, topology } = this.#options
    const ids = Array.from({ length: nodes }, (_, index) => index + 1)
    for (const id of ids) this.disks.set(id, new CrashDisk(this.dice))
    for (const id of ids) this.start(id)
    await this.pass(10)
    this.controller.create(ids, { 'min.insync.replicas': String(minIsr), 'replication.topology': topology })
    this.#produce()
    return ids
  }

  /**
   * Writes for a while, then all nodes but one are gone for good, disks and all, at one blow. Whatever was acknowledged
   * must be there when that one leads. Returns how much that was.
   */
  async loseAllBut(survivor: number): Promise<number> {
    const ids = await this.#begin()
    await this.pass(this.dice.between(150, 400))
    for (const id of ids) {
      const node = this.nodes.get(id)
      if (id === survivor || node === undefined) continue
      node.kill()
      this.nodes.delete(id)
      this.network.died(node)
      this.time.after(this.dice.between(5, 100), () => this.controller.fence(id))
    }
    await this.pass(300)
    const last = this.nodes.get(survivor)?.partition
    assert.ok(last?.isLeader, 'the last one leads')
    const left = new Map(entriesOf(last))
    for (const [baseOffset, sum] of this.#check) {
      const entry = left.get(baseOffset)
      assert.ok(entry?.is.endsWith(`:${sum}`), `acknowledged at ${baseOffset}, and lost`)
    }
    return this.#acknowledged
  }

  say(what: string): void {
    this.story.push(`${this.time.ms.toFixed(2).padStart(9)}  ${what}`)
  }

  /** Lets time pass, looking at everything after each step. */
  async pass(ms: number): Promise<void> {
    const until = this.time.ms + ms
    while (this.time.step(until)) {
      this.#steps++
      await new Promise<void>(resolve => nodeWorld.timers.soon(resolve))
      this.invariants.check(this.nodes.values())
    }
  }

  start(id: number): void {
    const brokerEpoch = this.controller.register(id)
    this.say(`node ${id} starts, broker epoch ${brokerEpoch}`)
    const disk = this.disks.get(id) as CrashDisk
    // Not while anybody counts on it: more copies than may be lost would be.
    const { partition } = this.controller
    if (this.#rotten.delete(id) && !partition.isr.includes(id) && !partition.eligibleLeaderReplicas.includes(id))
      disk.rot()
    const node: ReplicaNode = new ReplicaNode(id, brokerEpoch, disk, {
      time: this.time,
      dice: this.dice,
      port: this.network.port(() => node),
      alterPartition: request => this.#alterPartition(request),
    })
    this.nodes.set(id, node)
    node.load(this.controller.state.records())
    this.time.after(this.dice.between(0.1, 5), () => node.alive && this.controller.unfence(id))
  }

  async crash(id: number, powerCut: boolean): Promise<void> {
    const node = this.nodes.get(id)
    if (node === undefined) return
    this.say(`node ${id} ${powerCut ? 'loses power' : 'is killed'}`)
    node.kill()
    this.nodes.delete(id)
    this.network.died(node)
    await this.disks.get(id)?.crash(powerCut)
    this.time.after(this.dice.between(5, 300), () => !this.nodes.has(id) && this.controller.fence(id))
    this.time.after(this.dice.between(1, 600), () => !this.nodes.has(id) && this.start(id))
  }

  #alterPartition(request: Parameters<ModelController['alterPartition']>[0]) {
    const { time, dice } = this
    return new Promise<ReturnType<ModelController['alterPartition']>>((resolve, reject) => {
      time.after(dice.between(0.1, 20), () => {
        const lost = this.#faulty && dice.chance(0.1)
        if (lost && dice.chance(0.5)) return void time.after(50, () => reject(new KafkaError('NETWORK_EXCEPTION')))
        let answer: ReturnType<ModelController['alterPartition']>
        try {
          answer = this.controller.alterPartition(request)
        } catch (error) {
          return void time.after(1, () => reject(error))
        }
        this.say(`ISR of ${request.brokerId}: ${JSON.stringify(answer.topics[0]?.partitions[0])}`)
        time.after(dice.between(0.1, 20), () => (lost ? reject(new KafkaError('NETWORK_EXCEPTION')) : resolve(answer)))
      })
    })
  }

  /** Committed metadata reaches every node in order, sooner or later. */
  #publish(records: readonly MetadataRecord[]): void {
    const { leader, leaderEpoch, partitionEpoch, isr, replicas } = this.controller.partition ?? {}
    this.say(`decided: leader ${leader} epoch ${leaderEpoch}/${partitionEpoch} isr ${isr} of ${replicas}`)
    for (const node of this.nodes.values()) {
      const slow = this.#faulty && this.dice.chance(0.2)
      const at = Math.max(this.#deliveries.get(node) ?? 0, this.time.ms + this.dice.between(0.1, slow ? 200 : 10))
      this.#deliveries.set(node, at)
      this.time.at(at, () => node.alive && node.commit(records))
    }
  }

  /** Clients write to whom they take for the leader. */
  #produce(): void {
    this.time.after(this.dice.between(0.5, 12), () => {
      if (this.#quiet) return
      this.#produce()
      const nodes = [...this.nodes.values()].filter(({ partition }) => partition?.isLeader)
      if (nodes.length > 0) this.#write(this.dice.pick(nodes))
    })
  }

  #write(node: ReplicaNode): void {
    const { partition } = node
    if (partition === undefined) return
    const records = Array.from({ length: 1 + this.dice.int(3) }, () => ({
      timestamp: 1,
      value: Buffer.from(`${this.#written++}`),
    }))
    const bytes = buildBatch({ records })
    const sum = crc(bytes, 0)
    try {
      const { baseOffset, lastOffset } = partition.append(bytes, -1, this.time.clock.now())
      partition.whenAcknowledged(lastOffset + 1, error => {
        if (!node.alive) return
        if (error !== null) this.#failed++
        else {
          this.#acknowledged++
          this.#check.push([baseOffset, sum])
        }
      })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#failed++
    }
  }

  readonly #check: [number, number][] = []
  #faulty = false
  #quiet = false
  readonly #rotten = new Set<number>()

  /** Each seed draws its own faults: some never happen in it. */
  #mix(): Mix {
    const often = () => (this.dice.chance(0.5) ? this.dice.between(0.05, 1) : 0)
    const mix = {
      kill: often(),
      power: often(),
      allPower: often() / 4,
      cut: often(),
      elect: often(),
      rot: often(),
      slow: often(),
    }
    return mix
  }

  #trouble(mix: Mix): void {
    this.#faulty = true
    this.time.after(this.dice.between(10, 300), () => {
      if (!this.#faulty) return
      this.#trouble(mix)
      const ids = [...this.disks.keys()]
      const { dice } = this
      if (dice.chance(mix.kill / 2)) void this.crash(dice.pick(ids), false)
      if (dice.chance(mix.power / 2)) void this.crash(dice.pick(ids), true)
      if (dice.chance(mix.allPower / 2)) for (const id of ids) void this.crash(id, true)
      if (dice.chance(mix.rot / 2)) this.#rot(dice.pick(ids))
      if (dice.chance(mix.elect / 2)) this.controller.elect()
      if (dice.chance(mix.slow / 2)) {
        const disk = this.disks.get(dice.pick(ids)) as CrashDisk
        disk.syncMs = dice.chance(0.5) ? 3 : 300
      }
      if (dice.chance(mix.cut / 2)) {
        if (dice.chance(0.3)) this.network.heal()
        else {
          const [from, to] = [dice.pick(ids), dice.pick(ids)]
          this.say(`from ${from} to ${to} nothing arrives`)
          this.network.cut(from, to)
          if (dice.chance(0.5)) this.network.cut(to, from)
        }
      }
    })
  }

  /** A copy is found damaged at its next start; there are others enough. */
  #rot(id: number): void {
    const others = this.controller.partition.isr.filter(each => each !== id && this.nodes.has(each))
    if (!this.nodes.has(id) || others.length < this.#options.minIsr) return
    this.say(`the copy of node ${id} is damaged`)
    this.#rotten.add(id)
    void this.crash(id, false)
  }

  #heal(): void {
    this.say('everything heals')
    this.#faulty = false
    this.network.heal()
    for (const disk of this.disks.values()) disk.syncMs = 3
  }

  #allWell(): void {
    const { partition } = this.controller
    for (const [baseOffset, sum] of this.#check) this.invariants.acknowledged(baseOffset, sum)
    assert.deepEqual([...partition.isr].sort(), [...partition.replicas].sort(), 'not everybody came back into the ISR')
    assert.ok(partition.leader !== -1, 'nobody leads')
    const leader = this.nodes.get(partition.leader)?.partition
    assert.ok(leader?.isLeader)
    assert.equal(leader.highWatermark, leader.log.logEndOffset, 'the high watermark does not follow')
    const all = new Map(entriesOf(leader))
    for (const { partition: copy } of this.nodes.values()) {
      if (copy === undefined) continue
      for (const [base, entry] of entriesOf(copy))
        if (entry.end <= copy.highWatermark) assert.deepEqual(entry, all.get(base))
    }
  }
}
