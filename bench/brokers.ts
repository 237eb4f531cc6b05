import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { answersMetadata } from '../test/clients/answers.ts'
import { run } from './command.ts'
import { adopt, kafkaScript, release } from './place.ts'
import { running } from './proc.ts'

/** A broker in a process of its own on the loopback interface. */
export interface Broker {
  readonly kind: 'ottla' | 'kafka'
  readonly port: number
  readonly bootstrap: string
  pid(): number
  /** Starts it, or starts it again on the same data. Resolves with the ms from exec to the first Metadata answer. */
  start(): Promise<Started>
  /** SIGTERM, and waits until it is gone. */
  stop(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
}

export interface Started {
  readonly readyMs: number
  /** When the process was started, ms since 1970. */
  readonly execAt: number
  /** Apache Kafka only: ms that formatting new storage took, before exec. */
  readonly formatMs: number | null
}

const startLimitMs = 180_000
const stopLimitMs = 60_000

export interface OttlaOptions {
  /** A checkout with a build in dist/. */
  readonly root: string
  readonly port: number
  readonly folder: string
  readonly flush: 'os' | 'ack'
  readonly nodeFlags?: readonly string[]
  /** More words after `ottla start`. */
  readonly args?: readonly string[]
}

export class Ottla implements Broker {
  readonly kind = 'ottla'
  readonly port: number
  readonly bootstrap: string
  readonly #options: OttlaOptions
  #child: ChildProcess | null = null

  constructor(options: OttlaOptions) {
    this.#options = options
    this.port = options.port
    this.bootstrap = `127.0.0.1:${options.port}`
  }

  pid(): number {
    return this.#child!.pid!
  }

  async start(): Promise<Started> {
    await mustBeFree(this.port)
    const { root, port, folder, flush, nodeFlags = [], args = [] } = this.#options
    const log = join(folder, 'ottla.log')
    const output = openSync(log, 'a')
    const script = join(root, 'bin/ottla.js')
    const words = ['start', '--port', String(port), '--data', join(folder, 'data'), '--flush', flush, ...args]
    const execAt = Date.now()
    const begun = performance.now()
    const child = spawn(process.execPath, [...nodeFlags, script, ...words], {
      stdio: ['ignore', output, output],
      env: plainEnvironment(),
    })
    this.#child = child
    if (child.pid !== undefined) adopt(child.pid)
    const living = () => child.exitCode === null && child.signalCode === null
    for (const limit = begun + startLimitMs; !(await answersMetadata(port)); await sleep(2)) {
      if (!living()) throw new Error(`ottla ended at its start: ${readFileSync(log, 'utf8').slice(-1000)}`)
      if (performance.now() > limit) throw new Error('ottla does not answer')
    }
    return { readyMs: performance.now() - begun, execAt, formatMs: null }
  }

  async stop(): Promise<void> {
    await end(this.pid(), 'SIGTERM')
  }

  async kill(): Promise<void> {
    await end(this.pid(), 'SIGKILL')
  }
}

export interface KafkaOptions {
  readonly port: number
  readonly folder: string
  /** Lines for server.properties. */
  readonly settings: readonly string[]
}

/** Apache Kafka as its own start script would run it: one process, broker and controller. */
export class Kafka implements Broker {
  readonly kind = 'kafka'
  readonly port: number
  readonly bootstrap: string
  readonly #options: KafkaOptions
  #pid = 0
  #formatted = false

  constructor(options: KafkaOptions) {
    this.#options = options
    this.port = options.port
    this.bootstrap = `127.0.0.1:${options.port}`
  }

  pid(): number {
    return this.#pid
  }

  async start(): Promise<Started> {
    await mustBeFree(this.port)
    const { port, folder, settings } = this.#options
    const words = ['--port', String(port), '--dir', folder]
    if (!this.#formatted) words.push('--', ...settings)
    const text = await run(kafkaScript('start'), words, { timeoutMs: startLimitMs })
    const said = new Map(text.split('\n').map(line => line.split('=') as [string, string]))
    this.#pid = Number(said.get('pids'))
    adopt(this.#pid)
    const formatMs = this.#formatted ? null : Number(said.get('format_ms'))
    this.#formatted = true
    return { readyMs: Number(said.get('ready_ms')), execAt: Number(said.get('exec_epoch_ms')), formatMs }
  }

  async stop(): Promise<void> {
    await end(this.#pid, 'SIGTERM')
  }

  async kill(): Promise<void> {
    await end(this.#pid, 'SIGKILL')
  }
}

/** Without what would be settings of the broker. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(OTTLA|KAFKA)_/.test(name)))
}

/** Somebody else's broker would answer in place of ours. */
async function mustBeFree(port: number): Promise<void> {
  if (await answersMetadata(port)) throw new Error(`port ${port} is taken: choose others with --port`)
}

/** Signals a process of ours and waits until it is gone; one that does not go is killed, and that is an error. */
async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!running(pid)) throw new Error(`the broker (${pid}) ended by itself`)
  process.kill(pid, signal)
  for (const limit = Date.now() + stopLimitMs; Date.now() < limit; await sleep(5)) {
    if (running(pid)) continue
    release(pid)
    return
  }
  process.kill(pid, 'SIGKILL')
  throw new Error(`the broker (${pid}) did not end within ${stopLimitMs} ms`)
}
