import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export function noStrace(): string | null {
  const { error } = spawnSync('strace', ['-V'])
  return error ? 'strace is not installed' : null
}

const attached = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of attached) child.kill('SIGTERM')
})

const workersOf = (pid: number) => readdirSync(`/proc/${pid}/task`).filter(thread => Number(thread) !== pid)

/** Bends system calls of a running process and all its threads, until `heal`. The rule is strace's: `fdatasync:error=EIO`. */
export class Bend {
  private readonly child: ChildProcess
  private readonly attached: Promise<void>

  /** `workers`: not the event loop, which strace would stop at each of its system calls. */
  constructor(pid: number, calls: string, rule: string, who: 'all' | 'workers' = 'all') {
    const threads = who === 'all' ? ['-f', '-p', String(pid)] : workersOf(pid).flatMap(thread => ['-p', thread])
    const words = [...threads, '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:${rule}`]
    this.child = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    attached.add(this.child)
    this.child.once('exit', () => attached.delete(this.child))
    let said = ''
    this.attached = new Promise((resolve, reject) => {
      this.child.stderr!.on('data', data => {
        said += data
        if (/attached/.test(said)) resolve()
      })
      this.child.on('exit', () => reject(new Error(`strace ended: ${said}`)))
    })
  }

  /** Resolves when every thread is under it. */
  async begun(): Promise<void> {
    await this.attached
    await sleep(50)
  }

  async heal(): Promise<void> {
    const gone = new Promise(done => this.child.once('exit', done))
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGTERM')
    await Promise.race([gone, sleep(3000)])
  }
}
