import { check } from '../checker/check.ts'
import type { Operation } from '../checker/history.ts'
import {
  AskerClient,
  type Client,
  type ClientPlan,
  FinalReader,
  keyOf,
  MemberClient,
  OperatorClient,
  ProbeClient,
  ProducerClient,
  ReaderClient,
} from './clients.ts'
import { Dice } from './dice.ts'
import { Events } from './events.ts'
import { isExplained } from './explained.ts'
import { Faults } from './faults.ts'
import { History } from './history.ts'
import { Invariants, Liveness, Violation } from './invariants.ts'
import { KeeperClient } from './keeper.ts'
import { Machine, type Process } from './machine.ts'
import { Network } from './network.ts'
import { OutsideStore } from './outside-store.ts'
import { type ClusterOptions, describe, type Plan, planOf } from './plan.ts'
import { Server } from './server.ts'
import { createTopics, settled } from './setup.ts'
import { Story } from './story.ts'
import { TunerClient } from './tuner.ts'
import { needs, notYetWhole } from './wholeness.ts'

export interface SimulationOptions extends ClusterOptions {
  /** Keep the story. */
  readonly story?: boolean
}

export interface Outcome {
  readonly seed: number
  /** What kind of cluster it was. */
  readonly shape: string
  /** Two runs that did the same in the same order have the same. */
  readonly hash: string
  readonly findings: readonly string[]
  readonly story: readonly string[]
  readonly events: number
  readonly simulatedMs: number
  readonly acknowledged: number
  readonly read: number
  /** ms after healing until every partition had taken a record. */
  readonly takenMs: number
  readonly moves: number
  readonly faults: ReadonlyMap<string, number>
  readonly history: readonly Operation[]
}

/** A mutant, or a bug, may keep itself busy for ever. */
const mostEvents = 400_000
/** ms after healing: until every producer is acknowledged again, and until everything is read. */
const progressWithinMs = 60_000
/** ms after healing: until every partition has taken a record. Who asked a machine that lost its power then waits 10 s for it. */
const everywhereWithinMs = 15_000
/** The same while one server is gone for good, with the time until the others are sure of it. */
const withoutOneWithinMs = 20_000
/** Where one was late, and another took its place, there may be one too many for a minute (`growth.ts`). */
const quorumWithinMs = 90_000
const readWithinMs = 60_000
/** ms after that until all replicas are in sync and know the same. */
const wholeWithinMs = 60_000
/** ms of quiet life after healing. */
const afterlifeMs = 2000

/** The simulation that runs now: there is one at a time, and promises that nobody caught belong to it. */
let current: Simulation | null = null
process.on('unhandledRejection', error => current?.crashed(error))

/** One seed, from an empty cluster to the verdict. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Outcome> {
  // Errors are made by the thousand, and their stacks are dear.
  Error.stackTraceLimit = options.story === true ? 10 : 0
  const simulation = new Simulation(seed, options)
  current = simulation
  try {
    return await simulation.run()
  } finally {
    current = null
  }
}

class Simulation {
  readonly #seed: number
  readonly #plan: Plan
  readonly #events: Events
  readonly #story: Story
  readonly #network: Network
  readonly #store: OutsideStore | null
  readonly #servers: Server[]
  readonly #byName = new Map<string, Server>()
  readonly #invariants: Invariants
  readonly #faults: Faults
  readonly #history = new History()
  readonly #dice: Dice
  readonly #clientPlan: ClientPlan
  readonly #clients: Client[] = []
  readonly #producers: ProducerClient[] = []
  #operator: OperatorClient | null = null
  /** ms after healing until every partition had taken a record. */
  #takenMs = 0
  readonly #findings: string[] = []
  readonly #clientMachines: Machine[] = []

  constructor(seed: number, options: SimulationOptions) {
    this.#seed = seed
    const dice = new Dice(seed)
    this.#dice = dice
    this.#plan = planOf(dice.fork('plan'), options)
    this.#events = new Events(
      () => this.#after(),
      error => this.crashed(error),
    )
    this.#story = new Story(options.story ?? false, () => this.#events.now)
    this.#network = new Network(this.#events, dice.fork('network'), this.#story)
    Object.assign(this.#network.manners, this.#plan.network)
    this.#store = this.#plan.orderer === 'store' ? this.#newStore() : null
    this.#servers = Array.from({ length: this.#plan.servers }, (_, i) => this.#newServer(i + 1))
    this.#invariants = new Invariants(this.#servers)
    this.#history.onShown = (key, offset) => this.#mustHold(() => this.#invariants.shown(key, offset))
    this.#clientPlan = {
      bootstrap: this.#servers.map(({ address }) => address),
      topics: this.#plan.topics,
      history: this.#history,
      options: { requestTimeoutMs: 5000, connectTimeoutMs: 2000, apiTimeoutMs: 120_000, metadataMaxAgeMs: 10_000 },
    }
    this.#makeClients()
    this.#faults = new Faults(this.#plan, {
      servers: this.#servers,
      clients: this.#clientMachines,
      network: this.#network,
      events: this.#events,
      story: this.#story,
      dice: dice.fork('faults'),
    })
  }

  async run(): Promise<Outcome> {
    this.#story.tell('world', () => `seed ${this.#seed}: ${describe(this.#plan)}`)
    try {
      await this.#begin()
      await this.#unsafe()
      await this.#heal()
      await this.#end()
    } catch (error) {
      this.#find(error)
    }
    const verdict = this.#verdict()
    const { servers, orderer, joinsAfter, keeper } = this.#plan
    return {
      seed: this.#seed,
      shape: `${servers}${joinsAfter < 0 ? '' : '+1'} ${orderer}${keeper ? ' kept' : ''}`,
      hash: this.#events.hash.toString(16).padStart(8, '0'),
      findings: this.#findings,
      story: this.#story.lines,
      events: this.#events.count,
      simulatedMs: this.#events.now,
      acknowledged: verdict.acknowledged,
      read: verdict.read,
      takenMs: this.#takenMs,
      moves: this.#invariants.moves,
      faults: this.#faults.counts,
      history: this.#history.operations,
    }
  }

  /** A promise of a living process was rejected and nobody cared, or a callback threw: in earnest, the process would end. */
  crashed(error: unknown): void {
    const alive = this.#events.actors.filter(actor => actor.alive)
    if (alive.length === 0) return
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#find(new Error(`${alive.map(({ name }) => name).join(', ')} crashed: ${what}`))
  }

  /** What the house itself calls an error is one, unless it was done to it on purpose. */
  #complains(process: Process, what: string): void {
    if (isExplained(process.machine, what, this.#plan)) return
    this.#find(new Violation(`${process.name} ${what}`))
  }

  /** For looks from within what the simulated do, who must not meet the error. */
  #mustHold(look: () => void): void {
    try {
      look()
    } catch (error) {
      this.#find(error)
    }
  }

  #find(error: unknown): void {
    const { name, message, stack } = error as Error
    const text = name === 'Violation' || name === 'Liveness' ? `${name}: ${message}` : (stack ?? message)
    this.#story.tell('world', () => `FOUND ${text}`)
    this.#findings.push(text)
  }

  #newServer(number: number): Server {
    const name = `server${number}`
    const machine = new Machine(
      name,
      `10.0.0.${number}`,
      this.#events,
      this.#network,
      this.#story,
      this.#dice.fork(name),
    )
    Object.assign(machine.manners, this.#plan.disk)
    machine.loopMs = this.#plan.loopMs
    machine.rate = 1 + this.#plan.drift * this.#dice.fork(`${name} clock`).between(-1, 1)
    machine.wallOffset = this.#dice.fork(`${name} clock`).int(1000)
    const server = new Server(machine, this.#settingsOf(number), this.#store)
    machine.onError = (process, what) => this.#complains(process, what)
    server.onFailure = (process, error) => this.#complains(process, `ends by itself: ${error.stack ?? error.message}`)
    server.onDeath = () => this.#mustHold(() => this.#invariants.dies(server))
    this.#byName.set(name, server)
    return server
  }

  #newStore(): OutsideStore {
    const dice = this.#dice.fork('store')
    return new OutsideStore(new Machine('store', '10.0.2.1', this.#events, this.#network, this.#story, dice))
  }

  /** The first server begins the cluster, the others are told of all; with a store outside that is where they meet. */
  #settingsOf(number: number): Record<string, string> {
    const { settings, servers, orderer } = this.#plan
    if (orderer === 'store') return { ...settings, 'node.id': String(number) }
    if (number === 1) return settings
    const all = Array.from({ length: servers }, (_, i) => `10.0.0.${i + 1}:9092`)
    return { ...settings, join: all.filter((_, i) => i + 1 !== number).join(',') }
  }

  #newMachine(name: string): Machine {
    const host = `10.0.1.${this.#clientMachines.length + 1}`
    const machine = new Machine(name, host, this.#events, this.#network, this.#story, this.#dice.fork(name))
    machine.loopMs = this.#plan.loopMs
    machine.onError = (process, what) => this.#complains(process, what)
    this.#clientMachines.push(machine)
    return machine
  }

  #makeClients(): void {
    const { producers, readers, members, operator, keeper, tuner } = this.#plan
    for (let i = 1; i <= producers; i++) {
      const machine = this.#newMachine(`producer${i}`)
      const producer = new ProducerClient(this.#clientPlan, machine, this.#dice.fork(`${machine.name} acts`))
      producer.pauseMs = this.#plan.producerPauseMs
      producer.burstEveryMs = this.#plan.burstEveryMs
      this.#producers.push(producer)
      this.#clients.push(producer)
    }
    for (let i = 1; i <= readers; i++) {
      const machine = this.#newMachine(`reader${i}`)
      this.#clients.push(new ReaderClient(this.#clientPlan, machine, this.#dice.fork(`${machine.name} acts`)))
    }
    if (members > 0) {
      const machine = this.#newMachine('asker')
      this.#clients.push(new AskerClient(this.#clientPlan, machine, this.#dice.fork('asker acts')))
    }
    if (operator) {
      this.#operator = new OperatorClient(
        this.#clientPlan,
        this.#newMachine('operator'),
        this.#dice.fork('operator acts'),
        name =>
          this.#servers.map(({ inside }) => inside?.metadata.state.topics.get(name)?.id).find(id => id !== undefined),
      )
      this.#clients.push(this.#operator)
    }
    if (keeper) {
      const machine = this.#newMachine('keeper')
      this.#clients.push(new KeeperClient(this.#clientPlan, machine, this.#dice.fork('keeper acts')))
    }
    for (let i = 1; i <= members; i++) {
      const machine = this.#newMachine(`member${i}`)
      machine.closesHard = true
      this.#clients.push(new MemberClient(this.#clientPlan, machine, this.#dice.fork(`${machine.name} acts`)))
    }
    if (tuner) {
      const machine = this.#newMachine('tuner')
      this.#clients.push(new TunerClient(this.#clientPlan, machine, this.#dice.fork('tuner acts')))
    }
  }

  /** After each event: whoever it happened to must have kept all promises; whoever died is started again some time. */
  #after(): void {
    for (const actor of this.#events.actors) {
      const server = this.#byName.get(actor.name.split('#')[0] as string)
      if (server !== undefined && actor.alive) this.#invariants.check(server)
    }
    for (const server of this.#servers) {
      if (server.machine.process !== null || server.awaited) continue
      server.awaited = true
      this.#faults.watch(server)
    }
    if (this.#events.count > mostEvents) throw new Liveness(`${mostEvents} events and no end`)
  }

  #until(ms: number, done: () => boolean = () => false): Promise<void> {
    return this.#events.run(this.#events.now + ms, () => this.#findings.length > 0 || done())
  }

  async #begin(): Promise<void> {
    for (const server of this.#servers) server.start()
    await this.#until(30_000, () => this.#servers.every(({ node }) => node !== null))
    if (this.#findings.length > 0) return
    if (this.#servers.some(({ node }) => node === null)) throw new Liveness('not all servers came up')
    if (this.#plan.completeFirst) await this.#complete()
    if (this.#findings.length > 0) return
    const machine = this.#newMachine('founder')
    const ready = createTopics(machine, this.#clientPlan, this.#plan)
    await this.#until(30_000, settled(ready))
    if (this.#findings.length > 0) return
    await ready
    this.#story.tell('world', () => 'the topics are there')
  }

  /** The quorum has as many members as it will. */
  async #complete(): Promise<void> {
    const { servers, settings, orderer } = this.#plan
    const wanted = orderer === 'store' ? 1 : Math.min(servers - 1 + (servers % 2), Number(settings['quorum.voters']))
    let looked = this.#events.now
    let complete = false
    await this.#until(quorumWithinMs, () => {
      if (this.#events.now - looked < 100) return false
      looked = this.#events.now
      complete = this.#servers.every(({ inside }) => inside?.orderer.describe().voters.length === wanted)
      return complete
    })
    if (this.#findings.length > 0) return
    if (!complete) {
      const voters = this.#servers.map(({ inside }) =>
        inside?.orderer
          .describe()
          .voters.map(({ id }) => id)
          .join(),
      )
      throw new Liveness(`the quorum did not grow to ${wanted}: the servers know the voters ${voters.join(' | ')}`)
    }
    this.#story.tell('world', () => `the quorum has ${wanted} members`)
  }

  async #unsafe(): Promise<void> {
    if (this.#findings.length > 0) return
    for (const client of this.#clients) client.start()
    this.#faults.begin()
    const { joinsAfter, unsafeMs, servers } = this.#plan
    if (joinsAfter >= 0) {
      this.#events.in(joinsAfter, null, () => {
        const server = this.#newServer(servers + 1)
        this.#servers.push(server)
        server.start()
      })
    }
    await this.#until(unsafeMs)
  }

  async #heal(): Promise<void> {
    if (this.#findings.length > 0) return
    const dead = this.#plan.staysDead ? this.#faults.takeAway() : null
    this.#faults.heal()
    let healed = this.#events.now
    const probe = new ProbeClient(this.#clientPlan, this.#newMachine('probe'), this.#dice.fork('probe acts'))
    probe.start()
    if (dead !== null) {
      const without = () => probe.waiting.filter(({ name, partition }) => !needs(this.#servers, dead, name, partition))
      await this.#until(withoutOneWithinMs, () => without().length === 0)
      this.#takenMs = this.#events.now - healed
      if (this.#findings.length > 0) return
      if (without().length > 0) {
        const names = without().map(({ name, partition }) => keyOf(name, partition))
        throw new Liveness(
          `${withoutOneWithinMs} ms without ${dead.machine.name}, nothing was acknowledged in ${names}`,
        )
      }
      this.#faults.giveBack(dead)
      healed = this.#events.now
    }
    await this.#until(everywhereWithinMs, () => probe.waiting.length === 0)
    this.#takenMs = Math.max(this.#takenMs, this.#events.now - healed)
    if (this.#findings.length > 0) return
    if (probe.waiting.length > 0) {
      const names = probe.waiting.map(({ name, partition }) => keyOf(name, partition)).join(', ')
      throw new Liveness(`${everywhereWithinMs} ms after everything was mended, nothing was acknowledged in ${names}`)
    }
    const waiting = () => this.#producers.filter(({ lastAcknowledged }) => lastAcknowledged <= healed)
    await this.#until(progressWithinMs, () => waiting().length === 0)
    if (this.#findings.length > 0) return
    const stuck = waiting()
    if (stuck.length > 0) {
      const names = stuck.map(({ machine }) => machine.name).join(', ')
      throw new Liveness(`${progressWithinMs} ms after everything was mended, ${names} got no acknowledgement`)
    }
    await this.#until(afterlifeMs)
    for (const client of this.#clients) client.stopped = true
    // A producer that was given up still tries for its own time.
    await this.#until(2 * progressWithinMs, () => this.#history.open === 0)
    if (this.#history.open > 0 && this.#findings.length === 0)
      throw new Liveness(`${this.#history.open} records are neither acknowledged nor given up`)
  }

  async #end(): Promise<void> {
    if (this.#findings.length > 0) return
    const wanted = new Map<string, { topic: string; partition: number; upTo: number }>()
    const acknowledged = this.#history.acknowledged()
    for (const { name, partitions } of this.#plan.topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const upTo = acknowledged.get(keyOf(name, partition))
        if (upTo !== undefined) wanted.set(keyOf(name, partition), { topic: name, partition, upTo })
      }
    }
    const reader = new FinalReader(this.#clientPlan, this.#newMachine('auditor'), this.#dice.fork('auditor'), wanted)
    reader.start()
    await this.#until(readWithinMs, () => reader.done)
    if (this.#findings.length > 0) return
    if (!reader.done) throw new Liveness(`${readWithinMs} ms were not enough to read everything at the end`)
    let looked = this.#events.now
    let reason = notYetWhole(this.#servers)
    await this.#until(wholeWithinMs, () => {
      if (reason === null || this.#events.now - looked < 100) return reason === null
      looked = this.#events.now
      reason = notYetWhole(this.#servers)
      return reason === null
    })
    if (this.#findings.length > 0) return
    if (reason !== null) throw new Liveness(`${wholeWithinMs} ms were not enough to make the cluster whole: ${reason}`)
    this.#compareTopics()
    this.#invariants.final()
  }

  /** What the operator was told is so, as every server knows it. */
  #compareTopics(): void {
    for (const [name, state] of this.#operator?.topics ?? []) {
      const found = this.#servers[0]?.inside?.metadata.state.topics.get(name)
      const there = found !== undefined
      // A question that was asked again, and read by a frozen node long after the topic was deleted, makes another topic.
      if (state === 'gone' && there && found.id !== this.#operator?.ids.get(name)) continue
      if (state !== null && there !== (state === 'there'))
        throw new Violation(`the topic ${name} was told to be ${state}, and it is${there ? '' : ' not'} there`)
    }
  }

  #verdict() {
    const verdict = check(this.#history.operations)
    for (const { kind, key, text } of verdict.findings) this.#find(new Violation(`${kind} in ${key}: ${text}`))
    return verdict
  }
}
