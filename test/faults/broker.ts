import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { alive, signal } from '../children.ts'
import { answersMetadata } from '../clients/answers.ts'
import { brokerEnvironment, root } from '../clients/programs.ts'

export interface BrokerOptions {
  port: number
  /** The folder with everything that the broker keeps. */
  data: string
  /** More words after `ottla start`; for Apache Kafka lines of its properties file. */
  args?: readonly string[]
  /** Where its output goes. */
  log: string
}

/** A broker that can be started, killed, started again. */
export interface Broker {
  readonly bootstrap: string
  /** Resolves with the ms that it took until it served. */
  start(): Promise<number>
  pid(): number
  /** kill -9: resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM: resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves with the exit code when it ends by itself; null when it did not within `ms`. */
  ended(ms: number): Promise<number | null>
}

export class Ottla implements Broker {
  readonly bootstrap: string
  private child: ChildProcess | null = null
  private exit: Promise<number | null> = Promise.resolve(null)
  private readonly options: BrokerOptions

  constructor(options: BrokerOptions) {
    this.options = options
    this.bootstrap = `127.0.0.1:${options.port}`
  }

  async start(): Promise<number> {
    const begun = Date.now()
    const { port, data, args = [], log } = this.options
    const output = openSync(log, 'a')
    const words = [join(root, 'bin/ottla.js'), 'start', '--port', String(port), '--data', data, ...args]
    const child = spawn(process.execPath, words, { env: brokerEnvironment, stdio: ['ignore', output, output] })
    this.child = child
    const { pid } = child
    if (pid) alive.add(pid)
    this.exit = new Promise(resolve =>
      child.once('exit', code => {
        if (pid) alive.delete(pid)
        resolve(code)
      }),
    )
    await serving(port, () => child.exitCode === null && child.signalCode === null, log)
    return Date.now() - begun
  }

  pid(): number {
    return this.child!.pid!
  }

  async kill(): Promise<void> {
    this.child?.kill('SIGKILL')
    await this.exit
  }

  async stop(): Promise<number | null> {
    this.child?.kill('SIGTERM')
    const code = await Promise.race([this.exit, sleep(20_000, -1)])
    if (code === -1) await this.kill()
    return code
  }

  async ended(ms: number): Promise<number | null> {
    const child = this.child!
    await Promise.race([this.exit, sleep(ms)])
    return child.exitCode
  }
}

/** Apache Kafka under the same harness: what the checks are measured against. */
export class Kafka implements Broker {
  readonly bootstrap: string
  private readonly options: BrokerOptions
  private running = 0

  constructor(options: BrokerOptions) {
    this.options = options
    this.bootstrap = `127.0.0.1:${options.port}`
  }

  async start(): Promise<number> {
    const begun = Date.now()
    const { port, data, args = [] } = this.options
    const script = join(root, 'test/peers/kafka/start.sh')
    const words = ['--port', String(port), '--dir', data, '--', 'group.initial.rebalance.delay.ms=100', ...args]
    // A restarted log.dirs is opened as it was left; settings are only written the first time.
    execFileSync(script, existsSync(join(data, 'node1')) ? words.slice(0, 4) : words, {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.running = Number(readFileSync(join(data, 'node1/pid'), 'utf8'))
    alive.add(this.running)
    return Date.now() - begun
  }

  pid(): number {
    return this.running
  }

  async kill(): Promise<void> {
    signal(this.running, 'SIGKILL')
    await this.gone(10_000)
  }

  async stop(): Promise<number | null> {
    signal(this.running, 'SIGTERM')
    return (await this.gone(30_000)) ? 0 : null
  }

  async ended(ms: number): Promise<number | null> {
    return (await this.gone(ms)) ? 1 : null
  }

  private async gone(ms: number): Promise<boolean> {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) {
      if (existsSync(`/proc/${this.running}`)) continue
      alive.delete(this.running)
      return true
    }
    return false
  }
}

async function serving(port: number, living: () => boolean, log: string): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end && living(); await sleep(5))
    if (await answersMetadata(port)) return
  const tail = readFileSync(log, 'utf8').slice(-1500)
  throw new Error(living() ? 'the broker does not serve after 60 s' : `the broker ended at its start:\n${tail}`)
}
