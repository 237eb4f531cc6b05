import { distrustName } from '../../src/store/file/names.ts'
import { damageCopy, nobodyCountsOn } from './damage.ts'
import type { Dice } from './dice.ts'
import type { Events } from './events.ts'
import type { Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { FaultKind, Plan } from './plan.ts'
import type { Server } from './server.ts'
import type { Story } from './story.ts'

/** Lets happen what a plan says, until it is told to make everything whole again. */
export class Faults {
  readonly counts = new Map<FaultKind, number>()
  readonly #plan: Plan
  readonly #servers: readonly Server[]
  readonly #clients: readonly Machine[]
  readonly #network: Network
  readonly #events: Events
  readonly #story: Story
  readonly #dice: Dice
  /** Down, and to come back with a copy that is not what it was. */
  readonly #ailing = new Set<Server>()
  #over = false
  /** Whoever is down and stays so. */
  #away: Server | null = null

  constructor(
    plan: Plan,
    parts: {
      servers: readonly Server[]
      clients: readonly Machine[]
      network: Network
      events: Events
      story: Story
      dice: Dice
    },
  ) {
    this.#plan = plan
    this.#servers = parts.servers
    this.#clients = parts.clients
    this.#network = parts.network
    this.#events = parts.events
    this.#story = parts.story
    this.#dice = parts.dice
  }

  begin(): void {
    for (const [kind, every] of this.#plan.faults) this.#again(kind, every)
  }

  /** Some server goes down, and stays so until somebody watches over it again. */
  takeAway(): Server {
    const server = this.#dice.pick(this.#servers)
    const pulled = this.#dice.chance(0.5)
    this.#tell(`${server.machine.name} ${pulled ? 'loses its power' : 'is killed'}, for long`)
    if (pulled) server.powerCut(this.#dice)
    else server.kill()
    this.#away = server
    return server
  }

  /** It is started again. */
  giveBack(server: Server): void {
    this.#away = null
    this.watch(server)
  }

  /** Everything works again from now on, but for whoever is taken away. */
  heal(): void {
    this.#over = true
    this.#story.tell('world', () => 'everything is mended')
    this.#network.heal()
    this.#network.manners.loss = 0
    for (const server of this.#servers) {
      this.#mend(server)
      if (server.machine.process === null && server !== this.#away) this.watch(server)
    }
  }

  #mend(server: Server): void {
    const { machine } = server
    machine.disk.room = Number.POSITIVE_INFINITY
    machine.disk.failingSyncs = 0
    machine.disk.failingNew = null
    machine.disk.beforeChange = null
    machine.wallOffset = 0
    machine.manners.most = Math.min(this.#plan.disk.most, 4)
    machine.manners.least = 0.05
    machine.process?.resume()
  }

  /** A server that went down comes back, sooner or later. */
  watch(server: Server): void {
    const { machine } = server
    if (machine.process !== null) return
    const pause = this.#over ? 50 : this.#pause(server)
    const { lives } = server
    this.#events.in(pause, null, () => {
      if (machine.process !== null || server.lives !== lives || server === this.#away) return
      if (this.#ailing.delete(server)) this.#damage(server)
      this.#mendDisk(server)
      server.start()
    })
  }

  /** ms that a server stays down. Nobody may count any more on a copy that is going to be damaged. */
  #pause(server: Server): number {
    const dice = this.#dice
    if (this.#ailing.has(server)) return dice.between(1500, 3500)
    return dice.chance(0.2) ? dice.between(500, 4000) : dice.between(5, 500)
  }

  /** Of each byte that is committed a good copy stays: with all the others there, nobody takes this one for in sync. */
  #damage(server: Server): void {
    const others = this.#servers.filter(other => other !== server)
    if (this.#over || !this.#network.whole) return
    if (others.some(({ node, process }) => node === null || process?.paused === true)) return
    // What was not synced is gone or safe before anything is damaged.
    server.powerCut(this.#dice)
    const { disk, name } = server.machine
    const done = damageCopy(disk, nobodyCountsOn(others, server.lastNodeId), this.#dice)
    if (done === null) return
    server.machine.damaged = true
    this.#tell(`${name}: ${done}`)
  }

  /**
   * What the kernel shows of a disk that failed and what it has are two things: the node notes that before it ends. One that
   * came to its end before it could gets a machine that is started anew.
   */
  #mendDisk(server: Server): void {
    const { disk } = server.machine
    disk.failingSyncs = 0
    const warned = disk.exists(`/data/${distrustName}`)
    if (disk.lostSomething && (!warned || this.#dice.chance(0.5))) server.powerCut(this.#dice)
  }

  #again(kind: FaultKind, every: number): void {
    this.#events.in(-Math.log(1 - this.#dice.fraction()) * every, null, () => {
      if (this.#over) return
      if (this.#inject(kind)) this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
      this.#again(kind, every)
    })
  }

  #tell(what: string): true {
    this.#story.tell('world', () => what)
    return true
  }

  /** False when there was nobody to do it to. */
  #inject(kind: FaultKind): boolean {
    const dice = this.#dice
    const server = dice.pick(this.#servers)
    const { machine } = server
    const { process } = machine
    switch (kind) {
      case 'kill':
        if (process === null) return false
        this.#tell(`${process.name} is killed`)
        server.kill()
        return true
      case 'kill in mid-write':
        return process !== null && this.#killWithin(server, 1 + dice.int(12))
      case 'power cut':
        if (process === null) return false
        this.#tell(`the power of ${machine.name} is cut`)
        server.powerCut(dice)
        return true
      case 'power cut of all':
        this.#tell('the power of all is cut')
        for (const each of this.#servers) each.powerCut(dice)
        return true
      case 'stop':
        if (server.node === null) return false
        this.#tell(`${machine.name} is stopped in order`)
        server.stop()
        return true
      case 'pause': {
        if (process === null || process.paused) return false
        const ms = dice.magnitude(20, 8000)
        this.#tell(`${process.name} is frozen for ${Math.round(ms)} ms`)
        process.pause()
        this.#events.in(ms, null, () => process.resume())
        return true
      }
      case 'slow disk': {
        const ms = dice.magnitude(500, 5000)
        const least = dice.magnitude(5, 400)
        this.#tell(`the disk of ${machine.name} takes ${Math.round(least)} ms for everything, for ${Math.round(ms)} ms`)
        machine.manners.least = least
        machine.manners.most = least * 1.5
        this.#events.in(ms, null, () => Object.assign(machine.manners, this.#plan.disk))
        return true
      }
      case 'partition':
      case 'one-way partition':
        return this.#partition(kind === 'partition')
      case 'cut pairs':
        return this.#cutPairs()
      case 'slow network': {
        const ms = dice.magnitude(5, 500)
        this.#tell(`everything from and to ${machine.name} takes ${Math.round(ms)} ms longer`)
        this.#network.slow.set(machine.host, ms)
        this.#events.in(dice.magnitude(200, 4000), null, () => this.#network.slow.delete(machine.host))
        return true
      }
      case 'reset':
      case 'half-open': {
        const end = this.#network.pick(dice)
        if (end === null) return false
        this.#tell(`the connection ${end.local.host} > ${end.remote.host}:${end.remote.port} breaks (${kind})`)
        end.reset(kind === 'half-open')
        return true
      }
      case 'clock jump': {
        const ms = (dice.chance(0.5) ? 1 : -1) * dice.magnitude(100, 3_000_000)
        this.#tell(`the clock of ${machine.name} jumps by ${Math.round(ms)} ms`)
        machine.wallOffset += Math.round(ms)
        return true
      }
      case 'disk full': {
        const { disk } = machine
        if (Number.isFinite(disk.room)) return false
        disk.room = dice.int(4000)
        machine.troubled = true
        const ms = dice.magnitude(100, 4000)
        this.#tell(`the disk of ${machine.name} is full for ${Math.round(ms)} ms`)
        this.#events.in(ms, null, () => {
          machine.disk.room = Number.POSITIVE_INFINITY
        })
        return true
      }
      case 'disk now full, now not': {
        if (Number.isFinite(machine.disk.room)) return false
        machine.troubled = true
        const until = this.#events.now + dice.magnitude(100, 2000)
        this.#tell(`others write and delete on the disk of ${machine.name}, which is almost full`)
        this.#flicker(server, until)
        return true
      }
      case 'no descriptors': {
        if (process === null || machine.disk.failingNew !== null) return false
        const { disk } = machine
        const ms = dice.magnitude(20, 1000)
        this.#tell(`${process.name} may make no more files for ${Math.round(ms)} ms`)
        disk.failingNew = 'EMFILE'
        machine.troubled = true
        this.#events.in(ms, null, () => {
          disk.failingNew = null
        })
        return true
      }
      case 'failing sync':
        if (process === null) return false
        this.#tell(`the next sync of ${machine.name} fails`)
        machine.disk.failingSyncs = 1
        machine.troubled = true
        return true
      case 'damaged file':
        if (process === null || this.#servers.length < 3) return false
        this.#tell(`${process.name} is killed; what it has may come back damaged`)
        this.#ailing.add(server)
        server.kill()
        return true
    }
  }

  /** Large batches find no room and small ones do, and a moment later it is the other way round. */
  #flicker(server: Server, until: number): void {
    const { machine } = server
    const over = this.#over || this.#events.now >= until
    machine.disk.room = over ? Number.POSITIVE_INFINITY : this.#dice.int(4000)
    if (!over) this.#events.in(this.#dice.magnitude(2, 100), null, () => this.#flicker(server, until))
  }

  /** Dies between two changes of its files, in the middle of whatever it does then. */
  #killWithin(server: Server, changes: number): boolean {
    const { machine } = server
    const { disk } = machine
    let left = changes
    this.#tell(`${machine.name} will die at its change of files no. ${changes} from now`)
    disk.beforeChange = () => {
      if (--left > 0) return
      disk.beforeChange = null
      this.#tell(`${machine.name} dies`)
      server.kill()
    }
    return true
  }

  /** Two that do not reach each other may both reach a third. */
  #cutPairs(): boolean {
    const dice = this.#dice
    const machines = [...this.#network.machines.values()]
    const share = dice.magnitude(0.1, 0.6)
    const ms = dice.magnitude(100, 8000)
    const names: string[] = []
    for (const { machine } of this.#servers) {
      for (const other of machines) {
        if (other === machine || !dice.chance(share)) continue
        const [from, to] = dice.chance(0.5) ? [machine, other] : [other, machine]
        this.#network.cut(from, to)
        if (dice.chance(0.5)) this.#network.cut(to, from)
        names.push(`${from.name} > ${to.name}`)
      }
    }
    if (names.length === 0) return false
    this.#tell(`no way for ${Math.round(ms)} ms: ${names.join(', ')}`)
    this.#events.in(ms, null, () => this.#network.heal())
    return true
  }

  #partition(twoWay: boolean): boolean {
    const dice = this.#dice
    const machines = [...this.#servers.map(({ machine }) => machine), ...this.#clients]
    const apart = this.#servers.filter(() => dice.chance(0.4)).map(({ machine }) => machine)
    if (apart.length === 0) return false
    // Clients are on either side.
    const side = new Set([...apart, ...this.#clients.filter(() => dice.chance(0.3))])
    const ms = dice.magnitude(100, 8000)
    const names = [...side].map(({ name }) => name).join(', ')
    this.#tell(`${names}: ${twoWay ? 'cut off from the others' : 'hear the others no more'} for ${Math.round(ms)} ms`)
    for (const one of side) {
      for (const other of machines) {
        if (side.has(other)) continue
        this.#network.cut(other, one)
        if (twoWay) this.#network.cut(one, other)
      }
    }
    this.#events.in(ms, null, () => {
      if (!this.#over) this.#tell('the network is whole again')
      this.#network.heal()
    })
    return true
  }
}
