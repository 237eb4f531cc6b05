import type { Clock, Net, Random, Timers } from '../../../world/world.ts'
import {
  type Entry,
  type FencedLog,
  type Head,
  type Outcome,
  type Position,
  StoreRefused,
  StoreUnfit,
  StoreUnreachable,
  type Token,
} from '../fenced/fenced-log.ts'
import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import { RedisConnection } from './connection.ts'
import type { Argument, Reply } from './resp.ts'
import * as scripts from './scripts.ts'
import type { RedisTarget } from './url.ts'

export interface RedisLogOptions {
  readonly target: RedisTarget
  readonly world: { readonly net: Net; readonly timers: Timers; readonly clock: Clock; readonly random: Random }
  /** ms until a command without an answer ends the connection; well below the lease. */
  readonly timeoutMs: number
  /** A sentence about how this Redis is set up. */
  readonly warn: (message: string) => void
}

const chunkBytes = 512 * 1024
/** A snapshot that was begun and never finished goes by itself. */
const unfinishedSeconds = 600
const entriesAtOnce = 64
const bytesAtOnce = 4 * 1024 * 1024

/** A metadata log in Redis 6.2 or newer. */
export class RedisLog implements FencedLog {
  readonly name: string
  readonly #options: RedisLogOptions
  readonly #head: string
  readonly #lease: string
  readonly #log: string
  readonly #snapshots: string
  #connection: Promise<RedisConnection> | null = null
  #changed: (() => void) | null = null
  #closed = false
  #examined = false
  #uploads = 0

  constructor(options: RedisLogOptions) {
    const { address, prefix } = options.target
    this.#options = options
    this.name = `Redis at ${address.host}:${address.port}`
    // One hash slot, where that counts.
    this.#head = `{${prefix}}:head`
    this.#lease = `{${prefix}}:lease`
    this.#log = `{${prefix}}:log`
    this.#snapshots = `{${prefix}}:snapshot:`
  }

  watch(changed: (() => void) | null): void {
    this.#changed = changed
    // Who does not listen is not to be counted among those who do.
    const word = changed === null ? 'UNSUBSCRIBE' : 'SUBSCRIBE'
    this.#connection?.then(
      // The next connection says why.
      connection => connection.send(word, this.#head).catch(() => connection.close()),
      () => {},
    )
  }

  async look(after: number): Promise<{ head: Head; entries: readonly Entry[] } | null> {
    const { word, head, more } = await this.#run(scripts.look, after, entriesAtOnce, bytesAtOnce)
    if (word === 'none' || head === null) return null
    return { head, entries: list(more).map(readEntry) }
  }

  async create(logId: string, clusterId: string): Promise<void> {
    await this.#runSafely(scripts.create, logId, clusterId)
  }

  async acquire(request: {
    logId: string
    leader: Voter
    nonce: string
    former: readonly string[]
    leaseMs: number
  }): Promise<Head | null> {
    const { logId, leader, nonce, former, leaseMs } = request
    const args = [logId, nonce, JSON.stringify(leader), Math.ceil(leaseMs), this.#safeAtOnce, ...former]
    const { word, head } = await this.#count(await this.#runSafely(scripts.acquire, ...args))
    return word === 'ok' ? head : null
  }

  async renew({ epoch, nonce }: Token, leaseMs: number): Promise<Outcome> {
    return outcomeOf(await this.#run(scripts.renew, epoch, nonce, Math.ceil(leaseMs)))
  }

  async release({ nonce }: Token): Promise<number> {
    const { more } = await this.#run(scripts.release, nonce)
    // We have heard it ourselves, when we listen.
    return Math.max(0, Number(more) - (this.#changed === null ? 0 : 1))
  }

  async append(
    { epoch, nonce }: Token,
    after: Position,
    batchId: string,
    entries: readonly Entry[],
    end: Position,
  ): Promise<Outcome> {
    const args = entries.flatMap(({ endOffset, previous, bytes }) => [endOffset, previous, bytes])
    const before = [epoch, nonce, after.endOffset, after.hash, batchId, end.endOffset, end.hash, this.#safeAtOnce]
    return outcomeOf(await this.#count(await this.#runSafely(scripts.append, ...before, ...args)))
  }

  async vouch(source: string, node: number): Promise<Outcome> {
    return outcomeOf(await this.#run(scripts.vouch, source, node))
  }

  async confirm({ logId, endOffset, hash, token, source }: Head, over?: number): Promise<Outcome> {
    return outcomeOf(await this.#runSafely(scripts.confirm, logId, endOffset, hash, token.nonce, source, over ?? ''))
  }

  async putSnapshot(
    { epoch, nonce }: Token,
    id: SnapshotId & Position,
    bytes: Uint8Array,
    startOffset: number,
  ): Promise<Outcome> {
    const connection = await this.#connected()
    const key = `${this.#snapshots}part:${nonce}:${this.#uploads++}`
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      await connection.send('RPUSH', key, bytes.subarray(from, from + chunkBytes))
      if (from === 0) await connection.send('EXPIRE', key, unfinishedSeconds)
    }
    const snapshot = `${id.endOffset}-${id.epoch}-${id.hash}`
    const keys = [this.#head, this.#lease, this.#log, key]
    const args = [epoch, nonce, snapshot, startOffset, this.#snapshots]
    return outcomeOf(readAnswer(await connection.send('EVAL', scripts.putSnapshot, keys.length, ...keys, ...args)))
  }

  async getSnapshot({ endOffset }: SnapshotId): Promise<Uint8Array | null> {
    const connection = await this.#connected()
    const key = `${this.#snapshots}${endOffset}`
    const chunks: Uint8Array[] = []
    const count = Number(await connection.send('LLEN', key))
    for (let at = 0; at < count; at++) {
      const chunk = await connection.send('LINDEX', key, at)
      // It made room for a newer one just now.
      if (!Buffer.isBuffer(chunk)) return null
      chunks.push(chunk)
    }
    return count === 0 ? null : Buffer.concat(chunks)
  }

  close(): void {
    this.#closed = true
    this.#connection?.then(
      connection => connection.close(),
      () => {},
    )
  }

  async #run(script: string, ...args: Argument[]): Promise<Answer> {
    return this.#evaluate(await this.#connected(), script, args)
  }

  async #evaluate(connection: RedisConnection, script: string, args: readonly Argument[]): Promise<Answer> {
    return readAnswer(await connection.send('EVAL', script, 3, this.#head, this.#lease, this.#log, ...args))
  }

  /** As `#run`, and as many copies have it as were asked for: on the same connection, or WAIT waits for nothing. */
  async #runSafely(script: string, ...args: Argument[]): Promise<Answer> {
    const { replicas } = this.#options.target
    const connection = await this.#connected()
    const evaluated = this.#evaluate(connection, script, args)
    if (replicas === 0) return evaluated
    const waited = connection.send('WAIT', replicas, Math.ceil(this.#options.timeoutMs / 2))
    // Told of below, when nothing worse has happened before.
    waited.catch(() => {})
    const answer = await evaluated
    if (answer.word !== 'ok') return answer
    const copies = Number(await waited)
    if (copies >= replicas) return answer
    throw new StoreUnreachable(`${copies} of its replicas have what was written, and ${replicas} must`)
  }

  /** `1`: what is written counts as soon as it is there. */
  get #safeAtOnce(): number {
    return this.#options.target.replicas === 0 ? 1 : 0
  }

  /** After `#runSafely` of who leads: others may take what is in the log now. Only then is it answered. */
  async #count(answer: Answer): Promise<Answer> {
    if (answer.word !== 'ok' || answer.head === null || this.#safeAtOnce === 1) return answer
    const { token, endOffset } = answer.head
    const counted = await this.#run(scripts.count, token.epoch, token.nonce, endOffset)
    return counted.word === 'ok' ? answer : counted
  }

  #connected(): Promise<RedisConnection> {
    if (this.#closed) return Promise.reject(new StoreUnreachable('the node is closing'))
    this.#connection ??= this.#connect()
    return this.#connection
  }

  #connect(): Promise<RedisConnection> {
    const { target, world, timeoutMs } = this.#options
    let open = false
    const forget = () => {
      if (this.#connection === connecting) this.#connection = null
    }
    const connecting: Promise<RedisConnection> = RedisConnection.open({
      net: world.net,
      timers: world.timers,
      address: target.address,
      username: target.username,
      password: target.password,
      database: target.database,
      timeoutMs,
      pushed: ([kind]) => {
        if (String(kind) === 'message') this.#changed?.()
      },
      closed: () => {
        forget()
        // Nothing was heard since: a look tells.
        if (open) this.#changed?.()
      },
    }).then(async connection => {
      try {
        if (this.#changed !== null) await connection.send('SUBSCRIBE', this.#head)
        if (!this.#examined) await this.#examine(connection)
      } catch (error) {
        connection.close()
        throw error
      }
      open = true
      if (this.#closed) connection.close()
      return connection
    })
    connecting.catch(forget)
    return connecting
  }

  /** Says once what this Redis does not promise as it is set up. Who may not look says nothing. */
  async #examine(connection: RedisConnection): Promise<void> {
    const settings = new Map<string, string>()
    try {
      for (const name of ['appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy']) {
        const [key, value] = list(await connection.send('CONFIG', 'GET', name))
        if (key !== undefined) settings.set(String(key), String(value))
      }
    } catch (error) {
      if (error instanceof StoreUnreachable) throw error
    }
    this.#examined = true
    const { warn } = this.#options
    if (settings.get('appendonly') === 'no') {
      warn(`${this.name} does not write down what it is told: set appendonly yes and appendfsync always`)
    } else if ((settings.get('appendfsync') ?? 'always') !== 'always') {
      warn(`${this.name} may lose its last second when its machine fails: set appendfsync always`)
    }
    const evicted = (settings.get('maxmemory') ?? '0') !== '0' && settings.get('maxmemory-policy')?.split('-')[0]
    if (evicted === 'allkeys' || evicted === 'volatile') {
      const what = evicted === 'allkeys' ? 'the metadata as well' : 'the lease of who leads as well'
      warn(`${this.name} throws keys away when its memory is full, ${what}: set maxmemory-policy noeviction`)
    }
  }
}

interface Answer {
  readonly word: string
  /** Null: there is no log. */
  readonly head: Head | null
  readonly more: Reply
}

function outcomeOf({ word }: Answer): Outcome {
  if (word === 'ok' || word === 'fenced' || word === 'conflict' || word === 'moved') return word
  throw new StoreRefused(`it answers ${word}`)
}

function readAnswer(reply: Reply): Answer {
  const [word, flat, pttl, source, more = null, same = 0] = list(reply)
  // A proxy, or a service that hides it.
  if (String(source ?? '') === '') {
    throw new StoreUnfit('INFO does not tell master_replid, without which nobody would notice that it was replaced')
  }
  const fields = new Map<string, string>()
  const values = list(flat ?? [])
  for (let at = 0; at < values.length; at += 2) fields.set(String(values[at]), String(values[at + 1]))
  const head = fields.has('log') ? readHead(fields, Number(pttl), String(source), same === 1) : null
  return { word: String(word), head, more }
}

function readHead(fields: ReadonlyMap<string, string>, pttl: number, source: string, same: boolean): Head {
  const text = (name: string) => fields.get(name) ?? ''
  if (text('format') !== '1') throw new StoreUnfit('its metadata log was written by a newer version')
  const leader = text('leader')
  return {
    logId: text('log'),
    clusterId: text('cluster'),
    token: { epoch: Number(text('epoch')), nonce: text('nonce') },
    leader: leader === '' ? null : (JSON.parse(leader) as Voter),
    leaseMs: Math.max(0, pttl),
    endOffset: Number(text('end')),
    hash: text('hash'),
    // Logs of before it was noted.
    safeOffset: Number(fields.get('safe') ?? text('end')),
    startOffset: Number(text('start')),
    snapshot: readSnapshotId(text('snapshot')),
    source,
    moved: text('confirmed') !== source,
    same,
    vouched: [...fields]
      .filter(([name, value]) => name.startsWith('vouch:') && value === source)
      .map(([name]) => Number(name.slice('vouch:'.length))),
  }
}

function readSnapshotId(text: string): (SnapshotId & Position) | null {
  const [endOffset, epoch, hash] = text.split('-')
  return hash === undefined ? null : { endOffset: Number(endOffset), epoch: Number(epoch), hash }
}

function readEntry(reply: Reply): Entry {
  const [id, flat] = list(reply)
  const fields = new Map<string, Reply>()
  const values = list(flat ?? [])
  for (let at = 0; at < values.length; at += 2) fields.set(String(values[at]), values[at + 1] ?? null)
  const bytes = fields.get('d')
  if (!Buffer.isBuffer(bytes)) throw new StoreUnfit(`its entry ${id} is none of ottla`)
  return {
    endOffset: Number(String(id).split('-')[0]),
    epoch: Number(fields.get('e')),
    batchId: String(fields.get('b')),
    previous: String(fields.get('p')),
    bytes,
  }
}

function list(reply: Reply): Reply[] {
  return Array.isArray(reply) ? reply : []
}
