import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { alive, signal } from '../children.ts'
import { brokerEnvironment, root } from '../clients/programs.ts'
import type { Lan } from './lan.ts'
import { answers } from './status.ts'

/** One node of a cluster: a process that can be started, stopped, killed, frozen. */
export interface Member {
  /** Its node id. */
  readonly node: number
  readonly host: string
  readonly port: number
  readonly pid: number
  readonly running: boolean
  /** The checkout that it runs from; one that is set counts from its next start on. */
  root?: string
  /** With a new directory it joins, later it comes back. Resolves when it answers; rejects with the end of its output. */
  start(): Promise<void>
  /** kill -9: resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM: resolves with the exit code, null when it had to be killed. */
  stop(): Promise<number | null>
  freeze(): void
  thaw(): void
  /** Resolves with the exit code when it ends by itself; null when it did not within `ms`. */
  ended(ms: number): Promise<number | null>
  /** Its disk is lost: the directory of a node that is down is gone, and it joins the others as a new one at its next start. */
  wipe?(): void
}

export interface Members {
  readonly kind: 'ottla' | 'kafka'
  readonly all: readonly Member[]
  readonly bootstrap: string
  /** Its data directory, where it is known. */
  folderOf?(node: number): string | undefined
  /** From empty directories; resolves with the ms until each node answers and knows of all of them. */
  start(): Promise<number>
  stop(): Promise<void>
}

const startLimitMs = 60_000
const stopLimitMs = 30_000

export interface OttlaClusterOptions {
  readonly nodes: number
  /** Loopback: of the first node, the others take the next ones. On a network of machines: of all. */
  readonly port: number
  /** A folder for each node, and their output. */
  readonly place: string
  /** More words after `ottla start`. */
  readonly args?: readonly string[]
  /** A checkout with a build, in place of this one. */
  readonly root?: string
  /** Where a node keeps its data. Default: in `place`. */
  readonly data?: (node: number) => string
  readonly lan?: Lan
}

export class OttlaCluster implements Members {
  readonly kind = 'ottla'
  readonly all: OttlaMember[]
  readonly #options: OttlaClusterOptions

  constructor(options: OttlaClusterOptions) {
    this.#options = options
    this.all = Array.from({ length: options.nodes }, (_, i) => new OttlaMember(options, i + 1))
  }

  get bootstrap(): string {
    return this.all.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  async start(): Promise<number> {
    const begun = performance.now()
    await Promise.all(this.all.map(member => member.start()))
    await untilAllKnow(this.all)
    return performance.now() - begun
  }

  folderOf(node: number): string | undefined {
    return this.all.find(member => member.node === node)?.data
  }

  /** One node more; it is not started yet. */
  add(): OttlaMember {
    const member = new OttlaMember(this.#options, this.all.length + 1)
    this.all.push(member)
    return member
  }

  async stop(): Promise<void> {
    for (const member of this.all.toReversed()) if (member.running) await member.stop()
  }
}

/** The same for all nodes, so that all can be started at once. */
const token = 'ottla_token_of_the_clusters_of_tests'

export class OttlaMember implements Member {
  readonly node: number
  readonly host: string
  readonly port: number
  root: string
  readonly #options: OttlaClusterOptions
  #child: ChildProcess | null = null
  #pid = 0
  #exit: Promise<number | null> = Promise.resolve(null)
  #wiped = false

  constructor(options: OttlaClusterOptions, node: number) {
    const { lan, port } = options
    this.#options = options
    this.node = node
    this.root = options.root ?? root
    this.host = lan?.hosts[node - 1]?.address ?? '127.0.0.1'
    this.port = lan === undefined ? port + node - 1 : port
  }

  get pid(): number {
    return this.#pid
  }

  get running(): boolean {
    return alive.has(this.#pid)
  }

  get data(): string {
    return this.#options.data?.(this.node) ?? join(this.#options.place, `node${this.node}`)
  }

  get log(): string {
    return join(this.#options.place, `node${this.node}.log`)
  }

  async start(): Promise<void> {
    const { lan, place, args = [] } = this.#options
    mkdirSync(place, { recursive: true })
    const words = [
      ...[join(this.root, 'bin/ottla.js'), 'start', '--port', String(this.port), '--data', this.data],
      ...(lan === undefined ? [] : ['--host', this.host]),
      ...this.#joins(),
      ...['--set', `node.id=${this.node}`, ...args],
    ]
    const [program, ...rest] = [...(lan?.hosts[this.node - 1]?.inside ?? []), process.execPath, ...words]
    const output = openSync(this.log, 'a')
    // A new group: what reaches us from the terminal is not for them. nsenter becomes the node: the pid is the node's.
    const child = spawn(program!, rest, {
      env: { ...brokerEnvironment, OTTLA_TOKEN: token },
      stdio: ['ignore', output, output],
      detached: true,
    })
    const pid = child.pid ?? 0
    this.#child = child
    this.#pid = pid
    alive.add(pid)
    this.#exit = new Promise(resolve =>
      child.once('exit', code => {
        alive.delete(pid)
        resolve(code)
      }),
    )
    for (const end = Date.now() + startLimitMs; !(await answers(this)); await sleep(5)) {
      if (!this.running) throw new Error(`node ${this.node} ended at its start:\n${tail(this.log)}`)
      if (Date.now() > end) throw new Error(`node ${this.node} does not answer:\n${tail(this.log)}`)
    }
  }

  /** The first node begins the cluster, unless it has lost its disk: then any of the others tells it of the cluster. */
  #joins(): string[] {
    if (existsSync(join(this.data, 'meta.properties')) || (this.node === 1 && !this.#wiped)) return []
    const others = this.#wiped ? Array.from({ length: this.#options.nodes }, (_, i) => i + 1) : [1]
    const seeds = others.filter(node => node !== this.node).map(node => new OttlaMember(this.#options, node))
    return ['--join', seeds.map(({ host, port }) => `${host}:${port}`).join()]
  }

  wipe(): void {
    if (this.running) throw new Error(`node ${this.node} runs`)
    rmSync(this.data, { recursive: true, force: true })
    this.#wiped = true
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
  }

  async stop(): Promise<number | null> {
    this.#child?.kill('SIGTERM')
    const code = await Promise.race([this.#exit, sleep(stopLimitMs, -1, { ref: false })])
    if (code !== -1) return code
    await this.kill()
    return null
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async ended(ms: number): Promise<number | null> {
    return Promise.race([this.#exit, sleep(ms, null, { ref: false })])
  }
}

const tail = (file: string) => readFileSync(file, 'utf8').slice(-1500)

async function untilAllKnow(members: readonly Member[]): Promise<void> {
  const end = Date.now() + startLimitMs
  for (const member of members) {
    for (; ((await answers(member)) ?? 0) < members.length; await sleep(5)) {
      if (Date.now() > end) throw new Error(`node ${member.node} does not know of all ${members.length} nodes`)
    }
  }
}

export interface KafkaClusterOptions {
  /** Of the first broker; the others take the next ones, controllers those from the tenth on. */
  readonly port: number
  readonly place: string
  /** Lines for server.properties. */
  readonly settings?: readonly string[]
}

const script = (name: string) => join(root, `test/peers/kafka/${name}.sh`)

/** Apache Kafka's three nodes, broker and controller each: what ours are measured against. */
export class KafkaCluster implements Members {
  readonly kind = 'kafka'
  readonly all: KafkaMember[]
  readonly #options: KafkaClusterOptions

  constructor(options: KafkaClusterOptions) {
    this.#options = options
    this.all = [1, 2, 3].map(node => new KafkaMember(options, node))
  }

  get bootstrap(): string {
    return this.all.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  async start(): Promise<number> {
    const { port, place, settings = [] } = this.#options
    const words = ['--nodes', '3', '--port', String(port), '--dir', place]
    const { stdout } = await promisify(execFile)(script('start'), [...words, '--', ...settings])
    for (const member of this.all) member.adopt()
    return Number(/^ready_ms=(\d+)$/m.exec(stdout)?.[1])
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(async member => member.running && (await member.stop())))
  }
}

class KafkaMember implements Member {
  readonly node: number
  readonly host = '127.0.0.1'
  readonly port: number
  readonly #place: string
  #pid = 0

  constructor(options: KafkaClusterOptions, node: number) {
    this.node = node
    this.port = options.port + node - 1
    this.#place = options.place
  }

  get pid(): number {
    return this.#pid
  }

  get running(): boolean {
    return this.#pid > 0 && existsSync(`/proc/${this.#pid}`)
  }

  adopt(): void {
    this.#pid = Number(readFileSync(join(this.#place, `node${this.node}/pid`), 'utf8'))
    alive.add(this.#pid)
  }

  async start(): Promise<void> {
    await promisify(execFile)(script('start'), ['--dir', this.#place, '--only', String(this.node)])
    this.adopt()
  }

  async kill(): Promise<void> {
    signal(this.#pid, 'SIGKILL')
    await this.ended(stopLimitMs)
  }

  async stop(): Promise<number | null> {
    signal(this.#pid, 'SIGTERM')
    if ((await this.ended(2 * stopLimitMs)) !== null) return 0
    await this.kill()
    return null
  }

  freeze(): void {
    signal(this.#pid, 'SIGSTOP')
  }

  thaw(): void {
    signal(this.#pid, 'SIGCONT')
  }

  async ended(ms: number): Promise<number | null> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(5)) {
      if (this.running) continue
      alive.delete(this.#pid)
      return 0
    }
    return null
  }
}
