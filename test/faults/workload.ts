import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MicroOperation, Operation, Read } from '../checker/history.ts'
import { Agent, type Fate, type Row } from '../clients/agent.ts'
import { agents, installScript } from '../clients/programs.ts'

export interface WriterOptions {
  /** A client of the matrix that has the verb `load`. */
  client: string
  acks: -1 | 1
  idempotent: boolean
}

/** The same in short: `java` is idempotent with acks=all; `kafkajs:all` and `franz-go:1` are without idempotence. */
export function writerOf(word: string): WriterOptions {
  const [name = '', acks] = word.split(':')
  const client = name === 'java' ? 'java-4.3' : name
  if (!agents[client]) throw new Error(`unknown client ${name}`)
  return { client, acks: acks === '1' ? 1 : -1, idempotent: acks === undefined }
}

/** Instead of the writer's own way of making its topic. */
export type CreateTopic = (topic: string, partitions: number) => Promise<void>

const partitions = 3
/** Topics number their values apart: a value tells its writer. */
const stride = 1_000_000_000

/** A real producer under load, and a real consumer that follows it through every fault. */
class Stream {
  readonly fates = new Map<number, Fate & { at: number }>()
  acked = 0
  failures = 0
  /** ms of Date.now(): the last acknowledgement. */
  lastAck = 0
  /** The longest time without one, ms. */
  longestGap = 0
  readonly options: WriterOptions
  readonly topic: string
  private readonly base: number
  private readonly writer: Agent
  private readonly reader: Agent
  private taken = 0
  private readonly seen: Map<number, number>[] = Array.from({ length: partitions }, () => new Map())
  private readonly shown = new Set<number>()
  private readonly unread = new Map<number, Fate>()

  constructor(options: WriterOptions, index: number, bootstrap: string, tag: string) {
    this.options = options
    this.base = index * stride
    this.topic = `load-${options.client}-${options.idempotent ? 'idempotent' : options.acks}-${tag}`
    this.writer = new Agent(agents[options.client]!.program, bootstrap)
    this.reader = new Agent(agents['franz-go']!.program, bootstrap)
    this.writer.onFate = fate => {
      this.fates.set(fate.n, { ...fate, at: Date.now() })
      if (fate.error !== undefined) this.failures += 1
      else {
        this.acked += 1
        if (this.lastAck > 0) this.longestGap = Math.max(this.longestGap, Date.now() - this.lastAck)
        this.lastAck = Date.now()
        this.unread.set(fate.n, fate)
      }
    }
  }

  async start(create?: CreateTopic): Promise<void> {
    if (create) await create(this.topic, partitions)
    else await this.writer.do('create', { topic: this.topic, partitions })
    await sleep(300)
    // franz-go sends each commit that became due while a coordinator was frozen, one after the other, before it does
    // anything else: not more of them than a busy machine can take.
    const group = { group: this.topic, sessionMs: 10_000, commitMs: 2000, reset: 'earliest' }
    await this.reader.do('join', { topic: this.topic, ...group })
    const { acks, idempotent } = this.options
    await this.writer.do('load', { topic: this.topic, partitions, size: 100, acks, idempotent })
  }

  /** What was acknowledged until now and not yet shown to the reader; throws where it was shown something else. */
  missing(): Fate[] {
    const { rows } = this.reader
    for (; this.taken < rows.length; this.taken++) {
      const [p, o, n] = rows[this.taken]!
      const before = this.seen[p]!.get(o)
      assert.ok(before === undefined || before === n, `${this.topic}-${p}: offset ${o} was ${before}, is ${n}`)
      this.seen[p]!.set(o, n)
      this.shown.add(n)
    }
    for (const [n, { p, o }] of this.unread) {
      // librdkafka takes what comes before something acknowledged for acknowledged, too: without an offset.
      const found = o === undefined ? (this.shown.has(n) ? n : undefined) : this.seen[p]!.get(o)
      if (found === undefined) continue
      assert.equal(found, n, `${this.topic}-${p}: offset ${o} was acknowledged as ${n}`)
      this.unread.delete(n)
    }
    return [...this.unread.values()]
  }

  async stopWriting(): Promise<void> {
    await this.writer.do('stop', {}, 90_000)
  }

  async close(): Promise<void> {
    await Promise.all([this.writer.close(), this.reader.close()])
  }

  /** Everything in this topic, read by a client that was not there before. */
  async readAll(bootstrap: string, client: string): Promise<Row[]> {
    const agent = new Agent(agents[client]!.program, bootstrap)
    try {
      const group = `${this.topic}-end-${client}-${Date.now()}`
      const fields = { topic: this.topic, group, count: this.acked, slim: true, idleMs: 1500, timeoutMs: 90_000 }
      return (await agent.do('consume', fields, 120_000)).rows
    } finally {
      await agent.close()
    }
  }

  history(end: Row[]): Operation[] {
    const sends = [...this.fates.values()].sort((a, b) => a.n - b.n)
    const { rows, breaks } = this.reader
    const process = `${this.topic}-reader`
    const operations: Operation[] = sends.map(f => this.send(f))
    let from = 0
    for (const to of [...breaks, rows.length]) {
      operations.push({ t0: 0, t1: 0, process, type: 'ok', f: 'subscribe' })
      if (to > from) operations.push(this.poll(process, rows.slice(from, to)))
      from = Math.max(from, to)
    }
    if (end.length) operations.push({ ...this.poll(`${this.topic}-end`, end), final: true })
    return operations
  }

  private send({ n, p, o, error, at }: Fate & { at: number }): Operation {
    const op: MicroOperation = { f: 'send', key: `${this.topic}-${p}`, value: this.base + n }
    return {
      t0: at,
      t1: at,
      process: this.topic,
      type: error === undefined ? 'ok' : 'info',
      f: 'send',
      ops: [o === undefined ? op : { ...op, offset: o }],
      ...(this.options.idempotent ? {} : { loose: true }),
    }
  }

  private poll(process: string, rows: readonly Row[]): Operation {
    const reads: { [key: string]: Read[] } = {}
    for (const [p, o, n] of rows) {
      const key = `${this.topic}-${p}`
      if (!reads[key]) reads[key] = []
      reads[key].push([o, this.base + n])
    }
    return { t0: 0, t1: 0, process, type: 'ok', f: 'poll', ops: [{ f: 'poll', reads }] }
  }
}

/** Does nothing when they are there; else it needs the internet. */
export function installClients(writers: readonly WriterOptions[]): void {
  const languages = new Set(['franz-go', ...writers.map(w => w.client)].map(c => agents[c]!.language))
  execFileSync(installScript, [...languages], { stdio: ['ignore', 2, 2] })
}

/** Several writers, each with a topic and a follower of its own. */
export class Workload {
  readonly streams: Stream[]
  private readonly bootstrap: string

  constructor(writers: readonly WriterOptions[], bootstrap: string) {
    installClients(writers)
    const tag = `${process.pid}-${Date.now() % 100_000}`
    this.bootstrap = bootstrap
    this.streams = writers.map((options, i) => new Stream(options, i, bootstrap, tag))
  }

  async start(create?: CreateTopic): Promise<void> {
    await Promise.all(this.streams.map(s => s.start(create)))
  }

  get topics(): string[] {
    return this.streams.map(s => s.topic)
  }

  get acked(): number {
    return this.streams.reduce((sum, s) => sum + s.acked, 0)
  }

  get failures(): number {
    return this.streams.reduce((sum, s) => sum + s.failures, 0)
  }

  /** The longest time without an acknowledgement since the last call, for each writer, ms. */
  takeGaps(): { client: string; ms: number }[] {
    return this.streams.map(stream => {
      const ms = Math.max(stream.longestGap, stream.lastAck > 0 ? Date.now() - stream.lastAck : 0)
      stream.longestGap = 0
      return { client: stream.options.client, ms }
    })
  }

  /** Resolves when every writer got `more` acknowledgements beyond those it had; a load that is too low proves nothing. */
  async progress(more: number, ms: number, except: readonly string[] = []): Promise<void> {
    const streams = this.streams.filter(s => !except.includes(s.options.client))
    const goals = streams.map(s => s.acked + more)
    for (const end = Date.now() + ms; streams.some((s, i) => s.acked < goals[i]!); await sleep(5)) {
      if (Date.now() < end) continue
      const slow = streams.filter((s, i) => s.acked < goals[i]!).map(s => s.topic)
      throw new Error(`within ${ms} ms no ${more} acknowledgements for ${slow.join(', ')}`)
    }
  }

  /** Resolves when the readers have seen everything that is acknowledged now, each at the offset that was told. */
  async caughtUp(ms: number): Promise<void> {
    const wanted = this.streams.map(s => new Set(s.missing().map(f => f.n)))
    for (const end = Date.now() + ms; ; await sleep(20)) {
      const left = this.streams.map((s, i) => s.missing().filter(f => wanted[i]!.has(f.n)))
      if (left.every(list => list.length === 0)) return
      if (Date.now() < end) continue
      const what = this.streams.flatMap((s, i) =>
        left[i]!.length ? [`${s.topic}: ${left[i]!.length}, first ${JSON.stringify(left[i]![0])}`] : [],
      )
      throw new Error(`acknowledged, and not shown to the reader within ${ms} ms: ${what.join('; ')}`)
    }
  }

  async stopWriting(): Promise<void> {
    await Promise.all(this.streams.map(s => s.stopWriting()))
  }

  /** What is known so far: for a look after a failure. */
  halfHistory(): Operation[] {
    return this.streams.flatMap(s => s.history([]))
  }

  /** The whole history, with a last look at every topic by fresh consumers. */
  async history(): Promise<Operation[]> {
    const all = await Promise.all(this.streams.map(async s => s.history(await s.readAll(this.bootstrap, 'franz-go'))))
    return all.flat()
  }

  async close(): Promise<void> {
    await Promise.all(this.streams.map(s => s.close()))
  }
}
