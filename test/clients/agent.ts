import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a client can do; it says so in its first line. */
export interface Hello {
  client: string
  version: string
  compressions: string[]
  idempotent: boolean
  /** Keeps several headers of one name, in order. */
  duplicateHeaders: boolean
  /** Default true: a batch may hold a record that is older than its first one. */
  olderTimestamps?: boolean
  /** Hands out an empty key or value as none. */
  emptyIsNull?: boolean
  /** Why it cannot read while nodes are restarted. */
  noRestarts?: string
}

export interface Sent {
  partition: number
  key: string | null
  value: string | null
  headers?: [string, string][]
  timestamp?: number
}

export interface Received extends Sent {
  offset: number
  headers: [string, string][]
  timestamp: number
}

/** [partition, offset, number in the value] */
export type Row = [number, number, number]

export interface Fate {
  n: number
  p: number
  o?: number
  error?: string
}

interface Message {
  id?: number
  ok?: boolean
  error?: string
  hello?: Hello
  event?: 'assigned' | 'revoked' | 'got' | 'error' | 'fate'
  partitions?: number[]
  rows?: Row[]
}

/** How an agent is started; the bootstrap address is appended to `args`. */
export interface Program {
  command: string
  args: string[]
  cwd?: string
  env?: Record<string, string>
}

/** ms for a verb, unless its caller knows better: more than what most clients wait for an answer before they ask again. */
const usualMs = 90_000

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One real client in a process of its own, commanded by JSON lines. The verbs are in README.md. */
export class Agent {
  /** Every partition that it holds as a group's member; null before its first assignment. */
  assigned: number[] | null = null
  readonly rows: Row[] = []
  /** Lengths of `rows` at which the assignment changed: the reading may have gone on elsewhere. */
  readonly breaks: number[] = []
  readonly errors: string[] = []
  onFate: (fate: Fate) => void = () => {}
  readonly hello: Promise<Hello>
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, { resolve(m: Message): void; reject(e: Error): void }>()
  private lastId = 0
  private greet!: (hello: Hello) => void
  private stderr = ''
  private gone: Error | null = null

  constructor(program: Program, bootstrap: string) {
    this.hello = new Promise(resolve => {
      this.greet = resolve
    })
    this.child = spawn(program.command, [...program.args, bootstrap], {
      cwd: program.cwd,
      env: { ...process.env, ...program.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(this.child)
    createInterface({ input: this.child.stdout! }).on('line', line => this.hear(line))
    this.child.stderr!.on('data', data => {
      this.stderr = (this.stderr + data).slice(-4000)
    })
    this.child.stdin!.on('error', () => {})
    this.child.on('error', error => this.end(error))
    this.child.on('exit', (code, signal) =>
      this.end(new Error(`the client ended (${signal ?? code}) ${this.stderr.trim()}`)),
    )
  }

  /** Runs a verb; rejects with what the client said, or when `ms` have passed. */
  do(verb: 'produce', fields: object, ms?: number): Promise<{ offsets: Record<string, number> }>
  do(verb: 'consume', fields: object, ms?: number): Promise<{ rows: Row[]; records: Received[] }>
  do(verb: 'create', fields: object, ms?: number): Promise<{ partitions: number }>
  do(verb: 'delete', fields: object, ms?: number): Promise<{ gone: boolean }>
  do(verb: 'bulk' | 'join' | 'leave' | 'load' | 'stop', fields: object, ms?: number): Promise<object>
  async do(verb: string, fields: object, ms = usualMs): Promise<unknown> {
    await this.hello
    if (this.gone) throw this.gone
    const id = ++this.lastId
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<Message>((resolve, reject) => {
        this.waiting.set(id, { resolve, reject })
        timer = setTimeout(() => reject(new Error(`${verb} took longer than ${ms} ms ${this.stderr.trim()}`)), ms)
        this.child.stdin!.write(`${JSON.stringify({ id, do: verb, ...fields })}\n`)
      })
    } finally {
      clearTimeout(timer)
      this.waiting.delete(id)
    }
  }

  /** A crash: the process is gone at once and tells nobody. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  async close(): Promise<void> {
    this.child.stdin!.end()
    const timer = setTimeout(() => this.kill(), 3000)
    if (!this.gone) await new Promise<void>(done => this.child.once('exit', () => done()))
    clearTimeout(timer)
  }

  private hear(line: string): void {
    let m: Message & Fate
    try {
      m = JSON.parse(line) as Message & Fate
    } catch {
      this.stderr = `${this.stderr}${line}\n`.slice(-4000) // a library that prints to standard output
      return
    }
    if (m.event === 'assigned' || m.event === 'revoked') this.breaks.push(this.rows.length)
    if (m.hello) this.greet(m.hello)
    else if (m.event === 'fate') this.onFate(m)
    else if (m.event === 'assigned') this.assigned = [...m.partitions!].sort((a, b) => a - b)
    else if (m.event === 'revoked') this.assigned = []
    else if (m.event === 'got') for (const row of m.rows!) this.rows.push(row)
    else if (m.event === 'error') this.errors.push(m.error!)
    else if (m.ok) this.waiting.get(m.id!)?.resolve(m)
    else this.waiting.get(m.id!)?.reject(new Error(m.error))
  }

  private end(error: Error): void {
    running.delete(this.child)
    this.gone = error
    for (const w of this.waiting.values()) w.reject(error)
    this.greet({ client: 'none', version: '', compressions: [], idempotent: false, duplicateHeaders: false })
  }
}
