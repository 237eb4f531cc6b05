import { Agenda, type Entry as Due } from '../../../machine/agenda.test.kit.ts'
import type { Random } from '../../../world/world.ts'
import type { RaftOptions } from './options.ts'
import type { Raft } from './raft.ts'
import { type Entry, SimNode } from './sim-node.test.kit.ts'

/** A whole quorum in one event queue: virtual time, network and disks, all from one seed. */

type RaftClass = new (options: RaftOptions<Entry[]>) => Raft<Entry[]>

export class Violation extends Error {}

export interface Faults {
  /** Of 1,000 messages. */
  readonly loss: number
  readonly duplicates: number
  /** ms. */
  readonly delay: number
  /** A message in so many takes up to 3 s; 0: none. */
  readonly strays: number
  readonly slowDisks: boolean
  readonly crashes: boolean
  readonly partitions: boolean
  readonly pauses: boolean
  readonly changes: boolean
  readonly snapshots: boolean
  readonly fullDisks: boolean
  readonly departures: boolean
}

export class Cluster {
  readonly raft: RaftClass
  readonly random: Random
  readonly faults: Faults
  readonly nodes: SimNode[] = []
  readonly #agenda = new Agenda<Due & { readonly run: () => void }>()
  readonly story: string[] = []
  now = 0
  events = 0
  /** Nothing goes wrong any more. */
  healed = false
  /** (offset → entry) of what anybody has called committed. */
  readonly committed: string[] = []
  /** In which epoch somebody first did. */
  readonly #committedIn: number[] = []
  /** Who leads, by epoch. */
  readonly leaders = new Map<number, number>()
  /** Who was voted for, by `epoch voter`. */
  readonly votes = new Map<string, string>()
  /** What lies at an offset in an epoch, and the epoch before it. */
  readonly written = new Map<string, string>()
  readonly #cut = new Set<string>()
  #order = 0
  #values = 0

  constructor(raft: RaftClass, random: Random, faults: Faults, nodes: number, voters: number) {
    this.raft = raft
    this.random = random
    this.faults = faults
    for (let id = 1; id <= nodes; id++) this.nodes.push(new SimNode(this, id))
    const first = this.nodes.slice(0, voters).map(({ voter }) => voter)
    for (const node of this.nodes) node.begin(node.id <= voters ? first : [])
  }

  chance(of1000: number): boolean {
    return this.random.int(1000) < of1000
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!
  }

  after(ms: number, run: () => void): void {
    this.#agenda.push({ at: this.now + ms, order: this.#order++, run })
  }

  tell(what: string): void {
    this.story.push(`${this.now.toFixed(0).padStart(6)} ${what}`)
    if (this.story.length > 400) this.story.shift()
  }

  /** Runs until `until` (ms); false when there were more than `limit` events. */
  run(until: number, limit: number): boolean {
    for (;;) {
      const { next: event } = this.#agenda
      if (event === undefined) return true
      if (event.at > until) {
        this.now = until
        return true
      }
      this.#agenda.pop()
      this.now = event.at
      event.run()
      if (++this.events > limit) return false
    }
  }

  linked(from: number, to: number): boolean {
    return this.healed || !this.#cut.has(`${from}>${to}`)
  }

  /** A message on its way; it may get lost, come twice, or late. */
  deliver(from: number, to: number, run: () => void): void {
    const { loss, duplicates, delay, strays } = this.faults
    const copies = this.healed ? 1 : this.chance(loss) ? 0 : this.chance(duplicates) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const stray = !this.healed && strays > 0 && this.random.int(strays) === 0
      const ms = 0.3 + this.random.int(this.healed ? 3 : delay) + (stray ? this.random.int(3000) : 0)
      this.after(ms, () => {
        if (this.linked(from, to)) this.nodes[to - 1]!.receive(run)
      })
    }
  }

  /** One thing that clients or fate do; comes again. */
  stir(): void {
    if (this.healed) return
    this.after(20 + this.random.int(100), () => this.stir())
    const { crashes, partitions, pauses, changes, snapshots, fullDisks, departures } = this.faults
    const node = this.pick(this.nodes)
    if (crashes && this.chance(20)) node.crash()
    if (partitions && this.chance(20)) this.#partition()
    if (pauses && this.chance(10)) node.pause(this.random.int(4000))
    if (changes && this.chance(60)) this.changeVoters()
    if (snapshots && this.chance(60)) node.compact()
    if (fullDisks && this.chance(10)) node.fillDisk()
    if (departures && this.chance(10)) node.leave()
    this.produce()
  }

  produce(): void {
    for (const node of this.nodes) {
      let burst = this.chance(100) ? 1 + this.random.int(30) : 1
      while (burst-- > 0 && node.up && node.raft.mayAppend) node.append(`v${++this.#values}`)
    }
  }

  heal(): void {
    this.healed = true
    this.tell('healed')
    for (const node of this.nodes) node.heal()
  }

  /** An operator who cannot wait. */
  elected(): void {
    if (!this.healed && this.faults.changes && this.chance(300))
      this.after(this.random.int(3), () => this.changeVoters())
  }

  changeVoters(): void {
    for (const leader of this.nodes) {
      if (!leader.up || leader.raft.voterChangeProblem() !== null) continue
      const { voters } = leader.raft
      const others = this.nodes.filter(({ id }) => !voters.some(voter => voter.id === id))
      const caughtUp = others.filter(({ voter }) => {
        const known = [...leader.raft.replicas].find(({ key }) => key.directoryId === voter.directoryId)
        return known !== undefined && this.now - known.lastFetch < 1000 && known.offset >= leader.raft.highWatermark
      })
      if (caughtUp.length > 0 && (voters.length < 3 || this.chance(500))) {
        const added = this.pick(caughtUp)
        this.tell(`${leader.id} adds voter ${added.id}`)
        leader.changeVoters([...voters, added.voter])
      } else if (voters.length > 1) {
        const removed = this.pick(voters)
        this.tell(`${leader.id} removes voter ${removed.id}`)
        leader.changeVoters(voters.filter(({ id }) => id !== removed.id))
      }
    }
  }

  #partition(): void {
    this.#cut.clear()
    if (this.chance(300)) return
    const oneWay = this.chance(400)
    for (const a of this.nodes) {
      for (const b of this.nodes) if (a.id < b.id && this.chance(350)) this.#cutBetween(a.id, b.id, oneWay)
    }
    this.tell(`cut ${[...this.#cut].join(' ')}`)
  }

  #cutBetween(a: number, b: number, oneWay: boolean): void {
    if (!oneWay || this.chance(500)) this.#cut.add(`${a}>${b}`)
    if (!oneWay || this.chance(500)) this.#cut.add(`${b}>${a}`)
  }

  fail(what: string): never {
    this.tell(`VIOLATION ${what}`)
    throw new Violation(what)
  }

  /** Somebody says that everything below `upTo` is committed. */
  checkCommitted(node: SimNode, from: number, upTo: number): void {
    for (let offset = Math.max(from, node.cache.start); offset < upTo; offset++) {
      const entry = node.entry(offset)
      const known = this.committed[offset]
      if (known === undefined) {
        this.committed[offset] = entry
        this.#committedIn[offset] = node.raft.epoch
      } else if (known !== entry) this.fail(`committed at ${offset} was ${known}, ${node.id} says ${entry}`)
    }
  }

  /** A majority of the voters has [0, upTo) on the platter. */
  checkPlatters(node: SimNode, upTo: number): void {
    const { voters } = node.raft
    const epoch = node.epochAt(upTo - 1)
    const holders = voters.filter(({ id }) => {
      const { platter } = this.nodes[id - 1]!
      if (platter.snapshot !== null && platter.snapshot.endOffset >= upTo) return true
      return platter.entries[upTo - 1 - platter.start]?.epoch === epoch
    })
    if (holders.length <= voters.length / 2) {
      this.fail(`${node.id} commits ${upTo} which only ${holders.map(({ id }) => id).join() || 'nobody'} has safely`)
    }
  }

  checkLeader(node: SimNode): void {
    const { epoch } = node.raft
    const other = this.leaders.get(epoch)
    if (other === node.id) this.fail(`${node.id} leads in epoch ${epoch} again`)
    if (other !== undefined) this.fail(`${other} and ${node.id} lead in epoch ${epoch}`)
    this.leaders.set(epoch, node.id)
    for (let offset = node.cache.start; offset < this.committed.length; offset++) {
      // Votes may come so late that a newer leader has committed something since: that is nothing to this one.
      if (this.#committedIn[offset]! > epoch) continue
      const entry = offset < node.end ? node.entry(offset) : 'nothing'
      if (this.committed[offset] !== undefined && this.committed[offset] !== entry)
        this.fail(`${node.id} leads in ${epoch} with ${entry} at ${offset}, committed is ${this.committed[offset]}`)
    }
  }
}
