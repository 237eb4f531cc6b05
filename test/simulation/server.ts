import { resolveConfig } from '../../src/config/sources.ts'
import { type Inside, type RunningNode, startNode } from '../../src/node.ts'
import type { Dice } from './dice.ts'
import type { Machine, Process } from './machine.ts'
import type { OutsideStore } from './outside-store.ts'

/** One broker on a machine of its own, through all its lives. */
export class Server {
  readonly machine: Machine
  readonly port = 9092
  readonly settings: Readonly<Record<string, string>>
  /** The present life's floors, as soon as they stand. */
  inside: Inside | null = null
  node: RunningNode | null = null
  /** Also while it is down; −1 before its first life told. */
  lastNodeId = -1
  /** Stopping in order; nobody may start it meanwhile. */
  stopping = false
  /** Something was committed to the metadata, or somebody else leads. */
  metadataMoved = false
  /** It is down, and somebody has been told to start it. */
  awaited = false
  /** How often it came to life. */
  lives = 0
  /** Called before a life ends, however it does. */
  onDeath: () => void = () => {}
  /** Called when a node ends by itself, or fails to stop in order. */
  onFailure: (process: Process, error: Error) => void = () => {}

  readonly #store: OutsideStore | null

  /** `store`: where the metadata log lives, if that is not the servers' own matter. */
  constructor(machine: Machine, settings: Readonly<Record<string, string>>, store: OutsideStore | null) {
    this.machine = machine
    this.settings = settings
    this.#store = store
  }

  /** The servers themselves put the metadata in order, and have it on their disks. */
  get ownsMetadata(): boolean {
    return this.#store === null
  }

  get process(): Process | null {
    return this.machine.process
  }

  get address() {
    return { host: this.machine.host, port: this.port }
  }

  start(): void {
    const { machine } = this
    const store = this.#store
    machine.powerOn()
    const process = machine.spawn()
    const settings = { ...this.settings, host: machine.host, port: String(this.port), data: '/data' }
    const flags = Object.entries(settings).map(([name, value]) => ({ name, value, origin: name }))
    this.lives++
    this.awaited = false
    this.inside = null
    this.node = null
    machine.story.tell(process.name, () => 'starts')
    machine.events.in(0, process, () => {
      startNode({
        config: resolveConfig({ flags }),
        world: process.world,
        logger: process.logger(),
        ...(store === null ? {} : { fencedLog: () => store.reachedFrom(process) }),
        inspect: inside => {
          if (!process.alive) return
          this.inside = inside
          this.lastNodeId = inside.nodeId
          const moved = () => {
            this.metadataMoved = true
          }
          inside.metadata.subscribe({ load: moved, commit: moved })
          inside.orderer.onLeader(moved)
        },
      }).then(
        node => this.#started(process, node),
        error => this.#failed(process, error),
      )
    })
  }

  #started(process: Process, node: RunningNode): void {
    if (!process.alive) return
    this.node = node
    this.machine.story.tell(process.name, () => `serves, as node ${node.nodeId}`)
    node.failed.catch(error => this.#failed(process, error))
  }

  /** As the command line does: a node that cannot go on ends. */
  #failed(process: Process, error: Error): void {
    if (!process.alive) return
    this.machine.story.tell(process.name, () => `ends: ${error.stack ?? error.message}`)
    this.onFailure(process, error)
    this.kill()
  }

  kill(): void {
    this.#leave()
    this.machine.kill()
  }

  powerCut(dice: Dice): void {
    this.#leave()
    this.machine.powerCut(dice)
  }

  #leave(): void {
    this.onDeath()
    this.inside = null
    this.node = null
  }

  /** SIGTERM. */
  stop(): void {
    const { node, process } = this
    if (node === null || process === null || this.stopping) return
    this.stopping = true
    const over = () => {
      this.stopping = false
      if (process.alive) this.kill()
    }
    const failed = (error: Error) => {
      if (process.alive) this.onFailure(process, error)
      over()
    }
    this.machine.events.enter(process, () => void node.stop().then(over, failed))
  }
}
