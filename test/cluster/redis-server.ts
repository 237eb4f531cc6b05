import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'

/** Null when this machine has none: `test/peers/redis/install.sh` gets it. */
export const redisBinary = (() => {
  const candidates = ['redis-server', join(process.env.HOME ?? '', '.cache/ottla-peers/redis/redis-server')]
  return candidates.find(path => spawnSync(path, ['--version']).status === 0) ?? null
})()

/** None outlives the tests. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
process.once('SIGTERM', () => process.exit(143))

/** A Redis of our own, in a folder of its own. */
export class RedisServer {
  readonly port: number
  readonly #dir: string
  readonly #options: readonly string[]
  #child: ChildProcess | null = null

  static async start(...options: string[]): Promise<RedisServer> {
    for (let attempt = 0; ; attempt++) {
      const server = new RedisServer(await freePort(), options)
      try {
        await server.start()
        return server
      } catch (error) {
        // Somebody else may have been quicker with the port.
        if (attempt === 3) throw error
      }
    }
  }

  constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
    this.#dir = mkdtempSync(join(tmpdir(), 'ottla-redis-'))
  }

  async start(): Promise<void> {
    const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', ...this.#options]
    const args = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.#dir, ...settings]
    const child = spawn(redisBinary!, args, { stdio: 'ignore' })
    this.#child = child
    running.add(child)
    child.once('exit', () => running.delete(child))
    for (let i = 0; i < 500 && child.exitCode === null; i++) {
      const answer = await this.command('INFO', 'server').catch(() => '')
      if (answer.startsWith('-NOAUTH')) return
      // It says who it is while it still reads its log.
      const ours = answer.includes(`process_id:${child.pid}\r\n`)
      if (ours && (await this.command('PING').catch(() => '')).startsWith('+PONG')) return
      await sleep(20)
    }
    await this.kill()
    throw new Error('Redis does not start')
  }

  /** As kill -9. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** What is on its disk now; to be restarted from it later. */
  save(): () => Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), 'ottla-redis-copy-'))
    cpSync(this.#dir, copy, { recursive: true })
    return async () => {
      await this.kill()
      rmSync(this.#dir, { recursive: true })
      cpSync(copy, this.#dir, { recursive: true })
      rmSync(copy, { recursive: true })
      await this.start()
    }
  }

  /** The raw beginning of its answer. */
  command(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('data', data => {
        socket.destroy()
        resolve(data.toString('latin1'))
      })
      socket.once('close', () => reject(new Error('closed')))
      socket.write(`*${args.length}\r\n${args.map(arg => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`)
    })
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
