// Hostile clients, one kind after the other, against a node in a process of its own. For each: how long its event loop stood
// still, how much memory it took at most, and how much of that is held and no garbage. It must go on serving, and stay below the
// bars (`over`: above one, within the grace).
//
//   node dist/test/gateway/siege.js [pattern]
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attack, attacks } from './siege-attacks.ts'

const mostStallMs = 100
/** What cannot be collected as garbage while the attackers are there, and the node's size with all garbage. */
const mostHeld = 64 * 1024 * 1024
const mostGrowth = 128 * 1024 * 1024
/**
 * How far above the bars of time and size an attack may come, which is told: on a busy machine garbage is collected late, and
 * a processor that others have used finds nothing in its caches. What is held has no such excuse.
 */
const grace = 3

/**
 * Runs inside of the node: the longest time between two ticks in which its thread was at work (a machine that is busy with others
 * takes longer, but not more of the processor; where the system does not tell of threads, all of the process counts), and the
 * largest size.
 */
const watch = `
import { existsSync, readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const ofThread = '/proc/self/task/' + process.pid + '/schedstat'
const hasThreads = existsSync(ofThread)
function atWork() {
  if (hasThreads) return Number.parseInt(readFileSync(ofThread, 'latin1'), 10) / 1e6
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
let wall = performance.now(), work = atWork(), stall = 0, rss = 0
function begin() {
  wall = performance.now()
  work = atWork()
}
setInterval(() => {
  stall = Math.max(stall, Math.min(performance.now() - wall, atWork() - work))
  rss = Math.max(rss, process.memoryUsage.rss())
  begin()
}, 5).unref()
process.on('message', async () => {
  const worst = { stall, rss }
  // What is outside of the heap is freed by another thread, a moment later.
  for (let i = 0; i < 2; i++) {
    gc()
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  const { heapUsed, external } = process.memoryUsage()
  process.send({ ...worst, held: heapUsed + external })
  begin()
  stall = rss = 0
})
process.channel.unref()
`

interface Seen {
  readonly stall: number
  readonly rss: number
  /** Bytes that are no garbage, in V8's heap and outside of it; not what Node's own parts hold. */
  readonly held: number
}

export class Besieged {
  readonly port: number
  readonly #child: ChildProcess

  static async start(): Promise<Besieged> {
    const preload = `data:text/javascript,${encodeURIComponent(watch)}`
    const args = ['--import', preload, 'bin/ottla.js', '--host', '127.0.0.1', '--port', '0', '--memory']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    let text = ''
    const bootstrap = await new Promise<string>((resolve, reject) => {
      child.stdout!.setEncoding('utf8').on('data', (more: string) => {
        text += more
        const ready = text.split('\n').find(line => line.includes('"message":"ready"'))
        if (ready !== undefined) resolve(JSON.parse(ready).bootstrap)
        const bad = /^.*unexpectedly.*$/m.exec(more)
        if (bad !== null) process.stdout.write(`${bad[0]}\n`)
      })
      child.once('exit', code => reject(new Error(`the node ended with ${code}: ${text}`)))
    })
    return new Besieged(child, Number(bootstrap.split(':')[1]))
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The worst since the last time, and what is held now. */
  async look(): Promise<Seen> {
    const answer = once(this.#child, 'message')
    this.#child.send('look')
    const [seen] = (await answer) as [Seen]
    return seen
  }

  async healthy(): Promise<boolean> {
    if (!this.alive) return false
    const answer = await fetch(`${this.url}/health`, { signal: AbortSignal.timeout(60_000) }).catch(() => null)
    return answer?.status === 200
  }

  stop(): void {
    this.#child.removeAllListeners('exit')
    this.#child.kill('SIGKILL')
  }
}

const mega = (bytes: number) => (bytes / 1024 / 1024).toFixed(0).padStart(5)

async function besiege(attack: Attack): Promise<boolean> {
  const node = await Besieged.start()
  try {
    await attack.prepare?.(node)
    await fetch(`${node.url}/topics`)
    await sleep(300)
    await node.look()
    await sleep(100)
    const before = await node.look()
    const began = performance.now()
    const leave = await attack.run(node)
    const took = performance.now() - began
    const { stall, rss, held } = await node.look()
    const healthyThen = await node.healthy()
    leave?.()
    await sleep(200)
    const growth = rss - before.rss
    const kept = held - before.held
    const healthy = healthyThen && (await node.healthy())
    const mayHold = attack.held ?? mostHeld
    const mayGrow = Math.max(mostGrowth, mayHold)
    const within = (times: number) => stall <= mostStallMs * times && growth <= mayGrow * times
    const ok = healthy && within(grace) && kept <= mayHold
    const verdict = !ok ? 'FAILED' : within(1) ? 'ok    ' : 'over  '
    const figures = `${(took / 1000).toFixed(1).padStart(5)} s  stall ${stall.toFixed(0).padStart(4)} ms  +${mega(growth)} MiB (held ${mega(kept)})`
    console.log(`${verdict} ${figures}  ${attack.name}${healthy ? '' : ': the node does not answer'}`)
    return ok
  } finally {
    node.stop()
  }
}

const pattern = new RegExp(process.argv[2] ?? '.')
let failed = 0
for (const attack of attacks) {
  if (pattern.test(attack.name) && !(await besiege(attack))) failed++
}
console.log(failed === 0 ? 'all withstood' : `${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
