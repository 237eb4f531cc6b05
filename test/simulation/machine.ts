import type { Logger } from '../../src/world/logger.ts'
import { MemoryDisk } from '../../src/world/memory-disk.ts'
import type { Clock, Timers, World } from '../../src/world/world.ts'
import type { Dice } from './dice.ts'
import type { Actor, Events, Loop } from './events.ts'
import type { Network, NetworkEnd } from './network.ts'
import type { Story } from './story.ts'

/** How a machine's disk behaves, ms for one trip to the platter. */
export interface DiskManners {
  least: number
  most: number
}

/** Some iterations of a loop are longer than others: a heap is tidied, or there is much to do. */
const longShare = 0.02
const longTimes = 10

/** A computer: its clock, disk and address outlive the processes on it. */
export class Machine {
  readonly name: string
  readonly host: string
  readonly events: Events
  readonly network: Network
  readonly story: Story
  readonly dice: Dice
  /** Without power nothing answers, not even with a refusal. */
  up = true
  disk: MemoryDisk
  readonly manners: DiskManners = { least: 0.05, most: 1 }
  /** What one iteration of a program's loop takes at most, ms: what comes meanwhile is handled in one go after it. */
  loopMs = 0
  /** How fast its clock runs. */
  rate = 1
  /** Of its wall clock, ms. */
  wallOffset = 0
  process: Process | null = null
  /** Its disk has failed on purpose, or was full, in the life of the present process: that explains much. */
  troubled = false
  /** Something on its disk was damaged on purpose, some time. */
  damaged = false
  /** Told of what a living process calls an error. */
  onError: (process: Process, what: string) => void = () => {}
  /** What is on its way when a connection is closed is lost: a commit that arrives long after its repetition is no fault. */
  closesHard = false
  /** Of its own: a longer loop moves no other draw. */
  readonly loopDice: Dice
  #bootedAt = 0
  #incarnations = 0

  constructor(name: string, host: string, events: Events, network: Network, story: Story, dice: Dice) {
    this.name = name
    this.host = host
    this.events = events
    this.network = network
    this.story = story
    this.dice = dice
    this.loopDice = dice.fork('loop')
    this.disk = new MemoryDisk(run => this.#deviceAnswers(run))
    network.machines.set(host, this)
  }

  #deviceAnswers(run: () => void): void {
    const { least, most } = this.manners
    this.events.in(this.dice.between(least, most), this.process, run, this.process)
  }

  /** Monotonic ms since it was switched on. */
  mono(): number {
    return 1000 + (this.events.now - this.#bootedAt) * this.rate
  }

  /** A new process, with nothing of the old one but the disk. */
  spawn(): Process {
    this.process = new Process(this, ++this.#incarnations)
    const { room, failingNew, failingSyncs } = this.disk
    this.troubled = Number.isFinite(room) || failingNew !== null || failingSyncs > 0
    return this.process
  }

  /** kill -9: the kernel lives on, closes the sockets and keeps its page cache. */
  kill(): void {
    const { process } = this
    if (process === null) return
    process.alive = false
    this.process = null
    this.disk = this.disk.killed()
    this.network.processDied(process)
  }

  /** The cord is pulled: nobody is told, and what was not synced is in God's hand. */
  powerCut(dice: Dice): void {
    this.up = false
    const { process } = this
    if (process !== null) {
      process.alive = false
      this.network.vanished(process)
    }
    this.process = null
    this.disk = this.disk.powerCut(dice)
  }

  powerOn(): void {
    this.up = true
    this.#bootedAt = this.events.now
    this.network.retransmit()
  }
}

/** One life of a program, with the world as it sees it. When it is dead nothing happens to it and nothing it does counts. */
export class Process implements Actor, Loop {
  readonly machine: Machine
  readonly name: string
  readonly world: World
  readonly backlog: (() => void)[] = []
  readonly sockets = new Set<NetworkEnd>()
  alive = true
  paused = false
  /** The present iteration of its loop, or the last one: when it began, and until when it lasts. */
  #began = -1
  #busyUntil = -1

  constructor(machine: Machine, incarnation: number) {
    this.machine = machine
    this.name = incarnation === 1 ? machine.name : `${machine.name}#${incarnation}`
    const { events, network } = machine
    const clock: Clock = {
      now: () => Math.floor(1_700_000_000_000 + machine.wallOffset + events.now * machine.rate),
      mono: () => machine.mono(),
    }
    const timers: Timers = {
      after: (ms, run) => {
        // A timer is late by up to a ms, never early.
        const late = machine.dice.fraction()
        const event = events.in((Math.min(Math.max(ms, 0), 0x7fffffff) + late) / machine.rate, this, run, this)
        return { cancel: () => events.cancel(event) }
      },
      soon: run => void events.in(0, this, run),
    }
    const random = machine.dice.fork(this.name)
    this.world = { clock, timers, random, disk: machine.disk, net: network.of(this) }
  }

  get turns(): boolean {
    return this.alive && !this.paused && this.machine.loopMs > 0
  }

  takesUp(now: number): number {
    if (now < this.#busyUntil) return now === this.#began ? now : this.#busyUntil
    this.#began = now
    const { loopMs, loopDice } = this.machine
    this.#busyUntil = now + loopDice.fraction() * loopMs * (loopDice.chance(longShare) ? longTimes : 1)
    return now
  }

  /** SIGSTOP: time goes on without it. */
  pause(): void {
    this.paused = true
  }

  /** SIGCONT: what came meanwhile comes now, in order. */
  resume(): void {
    if (!this.paused) return
    this.paused = false
    const { events } = this.machine
    for (const run of this.backlog.splice(0)) events.in(0, this, run)
  }

  logger(): Logger {
    const { story } = this.machine
    const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
      story.tell(this.name, () => `${level}${message}${fields === undefined ? '' : ` ${show(fields)}`}`)
    const error = (message: string, fields?: Record<string, unknown>) => {
      say('error: ')(message, fields)
      if (this.alive) this.machine.onError(this, `${message}${fields === undefined ? '' : ` ${show(fields)}`}`)
    }
    return { debug() {}, info: say(''), warn: say('warn: '), error }
  }
}

function show(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.message : JSON.stringify(value)}`)
    .join(' ')
}
