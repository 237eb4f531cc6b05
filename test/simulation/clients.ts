import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer, type ConsumerOptions } from '../../src/client/consumer.ts'
import { fetchOffsets } from '../../src/client/group-offsets.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import { Producer } from '../../src/client/producer.ts'
import { sleep } from '../../src/client/retry.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import type { World } from '../../src/world/world.ts'
import type { Read } from '../checker/history.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { Machine, Process } from './machine.ts'

/** What all clients of a run know. */
export interface ClientPlan {
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
  readonly topics: readonly { readonly name: string; readonly partitions: number }[]
  readonly history: History
  readonly options: Partial<ClientOptions>
}

export const keyOf = (topic: string, partition: number): string => `${topic}-${partition}`

/** A program that uses the broker. A new life of it forgets everything but its name. */
export abstract class Client {
  readonly plan: ClientPlan
  readonly machine: Machine
  readonly dice: Dice
  #lives = 0
  stopped = false

  constructor(plan: ClientPlan, machine: Machine, dice: Dice) {
    this.plan = plan
    this.machine = machine
    this.dice = dice
  }

  get now(): number {
    return this.machine.events.now
  }

  /** Its name in the history: another one in each life. */
  get identity(): string {
    return `${this.machine.name}.${this.#lives}`
  }

  start(): void {
    const process = this.machine.spawn()
    this.machine.events.in(0, process, () => void this.#live(process))
  }

  async #live(process: Process): Promise<void> {
    while (!this.stopped) {
      this.#lives++
      const { bootstrap, options } = this.plan
      const cluster = new Cluster(process.world, { bootstrap, ...options })
      try {
        await this.run(cluster, process.world)
      } catch (error) {
        this.mustBeKnown(error)
        this.machine.story.tell(process.name, () => `begins anew: ${(error as Error).message}`)
      }
      cluster.close()
      this.plan.history.add({ ...this.stamp(this.now), type: 'info', f: 'crash' })
      await sleep(process.world, 100)
    }
  }

  /** Until `stopped`, or until it throws what makes it begin anew. */
  protected abstract run(cluster: Cluster, world: World): Promise<void>

  /** A server that does not know what is wrong is one with a bug. */
  protected mustBeKnown(error: unknown): void {
    if (error instanceof KafkaError && error.errorName === 'UNKNOWN_SERVER_ERROR')
      this.machine.onError(this.machine.process as Process, `was told UNKNOWN_SERVER_ERROR: ${error.message}`)
  }

  protected stamp(t0: number) {
    return { t0, t1: this.now, process: this.identity }
  }
}

interface Target {
  readonly name: string
  readonly partition: number
}

/** Sends numbers, each only once in the whole run. */
export class ProducerClient extends Client {
  pauseMs = 40
  burstEveryMs = 0
  #bursts = 0
  deliveryTimeoutMs = 60_000
  acknowledged = 0
  lastAcknowledged = 0

  protected async run(cluster: Cluster, world: World): Promise<void> {
    const producer = new Producer(cluster, {
      deliveryTimeoutMs: this.deliveryTimeoutMs,
      lingerMs: this.dice.int(2) * 5,
    })
    while (!this.stopped) {
      await this.#burst(producer, world)
      // What is sent from here on nobody would look for.
      if (this.stopped) break
      const sends = Array.from({ length: 1 + this.dice.int(4) }, () => this.send(producer, this.#anywhere()))
      // Sometimes several batches are on their way at once.
      if (this.dice.chance(0.7)) {
        const sure = await Promise.all(sends)
        // Whoever does not know what became of a record must not go on in the same name: it may still be written.
        if (sure.includes(false)) throw new Error('a record whose fate is unknown')
      } else void Promise.all(sends)
      await sleep(world, this.dice.between(0, 2 * this.pauseMs))
    }
    await producer.flush()
  }

  #anywhere(): Target {
    const { name, partitions } = this.dice.pick(this.plan.topics)
    return { name, partition: this.dice.int(partitions) }
  }

  /**
   * At the same time as all other producers, to the same partition, large and small ones: some of them find room on a disk
   * that is almost full, and some do not.
   */
  async #burst(producer: Producer, world: World): Promise<void> {
    const number = this.burstEveryMs === 0 ? 0 : Math.floor(this.now / this.burstEveryMs)
    if (number === this.#bursts) return
    this.#bursts = number
    const { name, partitions } = this.plan.topics[number % this.plan.topics.length] as ClientPlan['topics'][number]
    const target = { name, partition: number % partitions }
    for (let records = 10 + this.dice.int(40); records > 0 && !this.stopped; records--) {
      void this.send(producer, target, this.dice.chance(0.4) ? 3000 : 0)
      await sleep(world, this.dice.between(0, 4))
    }
  }

  /** True when the fate of the record is known. */
  protected async send(producer: Producer, { name, partition }: Target, most = 0): Promise<boolean> {
    const { history } = this.plan
    const value = history.nextValue()
    const op = { f: 'send', key: keyOf(name, partition), value } as const
    const t0 = this.now
    const process = this.identity
    const record = history.begin({ t0, t1: t0, process, f: 'send', ops: [op] })
    try {
      // Some reach across sectors of a disk.
      const size = most === 0 && this.dice.chance(0.15) ? this.dice.int(3000) : this.dice.int(most + 1)
      const { offset } = await producer.send({
        topic: name,
        partition,
        value: Buffer.from(String(value).padEnd(size)),
      })
      if (offset < 0) record.end(this.now, 'info', [op])
      else {
        record.end(this.now, 'ok', [{ ...op, offset }])
        this.acknowledged++
        this.lastAcknowledged = this.now
      }
      return true
    } catch (error) {
      this.mustBeKnown(error)
      this.machine.story.tell(process, () => `${op.key}: ${value} may be lost: ${(error as Error).message}`)
      record.end(this.now, 'info', [op])
      return false
    }
  }
}

/** After everything was mended: one record to every partition. */
export class ProbeClient extends ProducerClient {
  waiting: readonly Target[]

  constructor(plan: ClientPlan, machine: Machine, dice: Dice) {
    super(plan, machine, dice)
    this.waiting = plan.topics.flatMap(({ name, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ name, partition })),
    )
  }

  protected override async run(cluster: Cluster): Promise<void> {
    const producer = new Producer(cluster, { deliveryTimeoutMs: this.deliveryTimeoutMs })
    await Promise.all(this.waiting.map(target => this.#give(producer, target)))
    this.stopped = true
  }

  async #give(producer: Producer, target: Target): Promise<void> {
    // So small that a segment of any size takes it.
    if (!(await this.send(producer, target, 1))) throw new Error('a record whose fate is unknown')
    this.waiting = this.waiting.filter(other => other !== target)
  }
}

function readsOf(records: readonly { topic: string; partition: number; offset: number; value: Uint8Array | null }[]) {
  const reads: { [key: string]: Read[] } = {}
  for (const { topic, partition, offset, value } of records) {
    const key = keyOf(topic, partition)
    reads[key] ??= []
    reads[key].push([offset, Number(Buffer.from(value ?? []).toString())])
  }
  return reads
}

/** Reads partitions that it chooses itself, from the beginning, again and again from elsewhere. */
export class ReaderClient extends Client {
  protected async run(cluster: Cluster): Promise<void> {
    const { history, topics } = this.plan
    const consumer = new Consumer(cluster, { maxWaitMs: 300, maxPollRecords: 50, autoOffsetReset: 'earliest' })
    while (!this.stopped) {
      const all = topics.flatMap(({ name, partitions }) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition, start: 'earliest' as const })),
      )
      const chosen = all.filter(() => this.dice.chance(0.7))
      history.add({ ...this.stamp(this.now), type: 'ok', f: 'assign' })
      await consumer.assign(chosen)
      for (let polls = 20 + this.dice.int(100); polls > 0 && !this.stopped; polls--) {
        const t0 = this.now
        const records = await consumer.poll(500)
        if (records.length > 0)
          history.add({ ...this.stamp(t0), type: 'ok', f: 'poll', ops: [{ f: 'poll', reads: readsOf(records) }] })
      }
    }
  }
}

/** A member of a group, which commits what it has read. */
export class MemberClient extends Client {
  groupId = 'group'

  protected async run(cluster: Cluster, world: World): Promise<void> {
    const { history, topics } = this.plan
    const identity = this.identity
    const options: Partial<ConsumerOptions> = {
      groupId: this.groupId,
      maxWaitMs: 300,
      maxPollRecords: 50,
      autoOffsetReset: 'earliest',
      autoCommitIntervalMs: 500,
      sessionTimeoutMs: 6000,
      heartbeatIntervalMs: 500,
      maxPollIntervalMs: 8000,
      onAssigned: () => history.add({ ...this.stamp(this.now), process: identity, type: 'ok', f: 'subscribe' }),
    }
    const consumer = new Consumer(cluster, options)
    consumer.subscribe(topics.map(({ name }) => name))
    while (!this.stopped) {
      const t0 = this.now
      const records = await consumer.poll(500)
      if (records.length > 0)
        history.add({ ...this.stamp(t0), type: 'ok', f: 'poll', ops: [{ f: 'poll', reads: readsOf(records) }] })
      if (this.dice.chance(0.02)) {
        await consumer.close()
        throw new Error('leaves the group')
      }
      if (records.length === 0) await sleep(world, 20)
    }
    await consumer.close()
  }
}

/** Asks again and again how far the group has come. */
export class AskerClient extends Client {
  groupId = 'group'

  protected async run(cluster: Cluster, world: World): Promise<void> {
    const { history } = this.plan
    const known = new Set<string>()
    while (!this.stopped) {
      const t0 = this.now
      const committed = await fetchOffsets(cluster, this.groupId, null)
      const offsets = new Map(committed.map(each => [keyOf(each.topic, each.partition), each.offset]))
      for (const key of offsets.keys()) known.add(key)
      for (const key of known) {
        const offset = offsets.get(key) ?? -1
        history.add({ ...this.stamp(t0), type: 'ok', f: 'committed', group: this.groupId, key, offset })
      }
      await sleep(world, this.dice.between(100, 1000))
    }
  }
}

/** Makes topics and takes them away, one after the other, and keeps account of what the cluster has said yes to. */
export class OperatorClient extends Client {
  /** What must be there in the end: `null`: nobody knows. */
  readonly topics = new Map<string, 'there' | 'gone' | null>()
  /** Id of each topic when it was said to be there, for an onlooker. */
  readonly ids = new Map<string, string | undefined>()
  readonly #idOf: (name: string) => string | undefined
  #number = 0

  constructor(plan: ClientPlan, machine: Machine, dice: Dice, idOf: (name: string) => string | undefined) {
    super(plan, machine, dice)
    this.#idOf = idOf
  }

  protected async run(cluster: Cluster, world: World): Promise<void> {
    const admin = new Admin(cluster)
    while (!this.stopped) {
      await sleep(world, this.dice.between(100, 1500))
      const there = [...this.topics].filter(([, state]) => state === 'there').map(([name]) => name)
      if (there.length > 2 || (there.length > 0 && this.dice.chance(0.3))) {
        const name = this.dice.pick(there)
        this.topics.set(name, null)
        await admin.deleteTopics([name])
        this.topics.set(name, 'gone')
      } else {
        const name = `made${this.#number++}`
        this.topics.set(name, null)
        await admin.createTopics([{ name, partitions: 1 + this.dice.int(2) }])
        this.topics.set(name, 'there')
        this.ids.set(name, this.#idOf(name))
      }
    }
  }
}

/** At the end: reads one partition from the beginning to an offset, which it must reach. */
export class FinalReader extends Client {
  readonly #wanted: ReadonlyMap<string, { topic: string; partition: number; upTo: number }>
  done = false

  constructor(
    plan: ClientPlan,
    machine: Machine,
    dice: Dice,
    wanted: ReadonlyMap<string, { topic: string; partition: number; upTo: number }>,
  ) {
    super(plan, machine, dice)
    this.#wanted = wanted
  }

  protected async run(cluster: Cluster): Promise<void> {
    const { history } = this.plan
    const consumer = new Consumer(cluster, { maxWaitMs: 300, autoOffsetReset: 'earliest' })
    history.add({ ...this.stamp(this.now), type: 'ok', f: 'assign' })
    const wanted = [...this.#wanted.values()]
    await consumer.assign(wanted.map(({ topic, partition }) => ({ topic, partition, start: 'earliest' as const })))
    const behind = () =>
      wanted.some(({ topic, partition, upTo }) => (consumer.position(topic, partition) ?? -1) <= upTo)
    while (behind()) {
      const t0 = this.now
      const records = await consumer.poll(500)
      const ops = [{ f: 'poll', reads: readsOf(records) }] as const
      history.add({ ...this.stamp(t0), type: 'ok', f: 'poll', final: true, ops })
    }
    this.done = true
    this.stopped = true
  }
}
