import type { Clock, Random, Timers } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'
import {
  type Entry,
  type FencedLog,
  type Head,
  logStart,
  type Outcome,
  type Position,
  StoreUnreachable,
  type Token,
} from './fenced-log.ts'

type State = Omit<Head, 'leaseMs' | 'moved' | 'source' | 'same' | 'vouched'> & {
  readonly confirmed: string
  readonly vouches: ReadonlyMap<number, string>
  readonly batchId: string
  /** On the clock, ms. */
  readonly leaseUntil: number
  readonly lease: string
  readonly entries: readonly Entry[]
  readonly snapshots: ReadonlyMap<string, Uint8Array>
}

/** A store in memory, as an outside one behaves: it answers late, may be lost, come back, and forget. */
export class TestStore {
  readonly #world: { readonly clock: Clock; readonly timers: Timers; readonly random: Random }
  readonly #watchers = new Set<() => void>()
  #state: State | null = null
  #source = 'a'
  /** ms from a question to its answer, at most. */
  delayMs = 3
  down = false
  /** No copies of it can be. */
  single = true
  /** Writes are done and not counted: copies are missing. */
  uncopied = false
  /** Answers of the next questions are lost, although they were done. */
  loseReplies = 0

  constructor(world: { readonly clock: Clock; readonly timers: Timers; readonly random: Random }) {
    this.#world = world
  }

  get state(): State | null {
    return this.#state
  }

  /** Another server answers, with what was there at some time. */
  restart(with_: State | null = this.#state): void {
    this.#source += 'a'
    this.#state = with_
  }

  /** A replica that was promoted, while this one may go on. */
  promoted(): TestStore {
    const copy = new TestStore(this.#world)
    copy.#source = `${this.#source}b`
    copy.#state = this.#state
    copy.single = false
    return copy
  }

  /** As one node reaches it; `cut` says whether it does. */
  client(cut: () => boolean): FencedLog {
    return new TestLog(this, cut)
  }

  /** One that copies must have, too. Throws when they do not. */
  counted(): void {
    if (this.uncopied) throw new StoreUnreachable('too few copies have it')
    this.#state = { ...this.#state!, safeOffset: this.#state!.endOffset }
  }

  /** One question, answered later. */
  ask<T>(cut: () => boolean, run: (state: State | null, set: (change: Partial<State>) => void) => T): Promise<T> {
    const { timers, random } = this.#world
    return new Promise((resolve, reject) => {
      const fail = () => reject(new StoreUnreachable('it does not answer'))
      timers.after(random.int(this.delayMs), () => {
        if (this.down || cut()) return timers.after(50, fail)
        let answer: T
        try {
          answer = run(this.#state, change => {
            this.#state = { ...(this.#state as State), ...change }
          })
        } catch (error) {
          return timers.after(50, () => reject(error))
        }
        if (this.loseReplies > 0) {
          this.loseReplies--
          return timers.after(50, fail)
        }
        return timers.after(random.int(this.delayMs), () => (cut() ? fail() : resolve(answer)))
      })
    })
  }

  head(state: State): Head {
    const leaseMs = state.lease === '' ? 0 : Math.max(0, state.leaseUntil - this.now)
    const { logId, clusterId, token, leader, endOffset, hash, safeOffset, startOffset, snapshot } = state
    const source = this.#source
    const moved = state.confirmed !== source
    const where = { endOffset, hash, safeOffset, startOffset, snapshot }
    const vouched = [...state.vouches].filter(([, vouchedFor]) => vouchedFor === source).map(([node]) => node)
    const trust = { source, moved, same: this.single, vouched }
    return { logId, clusterId, token, leader, ...where, leaseMs, ...trust }
  }

  get now(): number {
    return this.#world.clock.mono()
  }

  empty(logId: string, clusterId: string): State {
    const token = { epoch: 0, nonce: '' }
    const nothing = { entries: [], snapshots: new Map(), snapshot: null, leader: null, safeOffset: 0, startOffset: 0 }
    const noVouches = { vouches: new Map() }
    const noLease = { lease: '', leaseUntil: 0, batchId: '' }
    return { logId, clusterId, token, confirmed: this.#source, ...noVouches, ...logStart, ...nothing, ...noLease }
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  tell(): void {
    for (const changed of this.#watchers) this.#world.timers.after(this.#world.random.int(this.delayMs), changed)
  }
}

class TestLog implements FencedLog {
  readonly name = 'the test store'
  readonly #store: TestStore
  readonly #cut: () => boolean
  #unwatch = () => {}
  #watches = false
  #closed = false

  constructor(store: TestStore, cut: () => boolean) {
    this.#store = store
    this.#cut = () => this.#closed || cut()
  }

  look(after: number) {
    return this.#store.ask(this.#cut, state => {
      if (state === null) return null
      const first = state.entries.findIndex(({ endOffset }) => endOffset > after)
      return { head: this.#store.head(state), entries: first < 0 ? [] : state.entries.slice(first, first + 3) }
    })
  }

  create(logId: string, clusterId: string): Promise<void> {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state === null) set(this.#store.empty(logId, clusterId))
    })
  }

  acquire(request: { logId: string; leader: Voter; nonce: string; former: readonly string[]; leaseMs: number }) {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state === null || state.logId !== request.logId) return null
      const { leaseMs, moved } = this.#store.head(state)
      if (moved || (leaseMs > 0 && !request.former.includes(state.lease))) return null
      const token = { epoch: state.token.epoch + 1, nonce: request.nonce }
      const leaseUntil = this.#store.now + request.leaseMs
      set({ token, leader: request.leader, lease: request.nonce, leaseUntil, batchId: '' })
      this.#store.counted()
      return this.#store.head(this.#store.state!)
    })
  }

  renew(token: Token, leaseMs: number): Promise<Outcome> {
    return this.#fenced(token, (_, set) => {
      set({ lease: token.nonce, leaseUntil: this.#store.now + leaseMs })
      return 'ok'
    })
  }

  release(token: Token): Promise<number> {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state?.lease === token.nonce) set({ lease: '' })
      this.#store.tell()
      return this.#store.watchers - (this.#watches ? 1 : 0)
    })
  }

  append(token: Token, after: Position, batchId: string, entries: readonly Entry[], end: Position): Promise<Outcome> {
    return this.#fenced(token, (state, set) => {
      if (state.batchId === batchId) return this.#counted()
      if (state.endOffset !== after.endOffset || state.hash !== after.hash) return 'conflict'
      const kept = entries.map(entry => ({ ...entry, epoch: token.epoch, batchId }))
      set({ entries: [...state.entries, ...kept], endOffset: end.endOffset, hash: end.hash, batchId })
      return this.#counted()
    })
  }

  vouch(source: string, node: number): Promise<Outcome> {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state === null) return 'fenced'
      if (this.#store.head(state).source !== source) return 'moved'
      set({ vouches: new Map([...state.vouches, [node, source]]) })
      this.#store.tell()
      return 'ok'
    })
  }

  confirm(seen: Head, over?: number): Promise<Outcome> {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state === null) return 'fenced'
      const { source } = this.#store.head(state)
      if (source !== seen.source) return 'moved'
      if (state.confirmed === source && over === undefined) return 'ok'
      if (state.endOffset !== seen.endOffset || state.token.nonce !== seen.token.nonce) return 'conflict'
      const epoch = Math.max(state.token.epoch, over ?? 0) + 1000
      set({ confirmed: source, lease: '', vouches: new Map(), token: { ...state.token, epoch } })
      this.#store.tell()
      return 'ok'
    })
  }

  putSnapshot(token: Token, id: SnapshotId & Position, bytes: Uint8Array, startOffset: number): Promise<Outcome> {
    return this.#fenced(token, (state, set) => {
      const former = state.snapshot === null ? '' : String(state.snapshot.endOffset)
      const kept = [...state.snapshots].filter(([key]) => key === former)
      const snapshots = new Map([...kept, [String(id.endOffset), bytes]])
      const entries = state.entries.filter(({ endOffset }) => endOffset > startOffset)
      set({ snapshot: id, snapshots, entries, startOffset })
      return 'ok'
    })
  }

  getSnapshot(id: SnapshotId): Promise<Uint8Array | null> {
    return this.#store.ask(this.#cut, state => state?.snapshots.get(String(id.endOffset)) ?? null)
  }

  watch(changed: (() => void) | null): void {
    this.#unwatch()
    this.#watches = changed !== null
    if (changed === null) return
    this.#unwatch = this.#store.watch(() => {
      if (!this.#cut()) changed()
    })
  }

  close(): void {
    this.#closed = true
    this.#unwatch()
  }

  #counted(): Outcome {
    this.#store.counted()
    this.#store.tell()
    return 'ok'
  }

  #fenced(token: Token, run: (state: State, set: (change: Partial<State>) => void) => Outcome): Promise<Outcome> {
    return this.#store.ask(this.#cut, (state, set) => {
      if (state === null) return 'fenced'
      if (this.#store.head(state).moved) return 'moved'
      if (state.token.epoch !== token.epoch || state.token.nonce !== token.nonce) return 'fenced'
      return run(state, set)
    })
  }
}

/** A process that is none: it can stand still, and end. */
export class TestProcess {
  paused = false
  dead = false
  #held: (() => void)[] = []

  /** Does it now, when it goes on, or never. */
  run(what: () => void): void {
    if (this.dead) return
    if (this.paused) this.#held.push(what)
    else what()
  }

  resume(): void {
    this.paused = false
    for (const run of this.#held.splice(0)) run()
  }

  timers(timers: Timers): Timers {
    return {
      after: (ms, run) => timers.after(ms, () => this.run(run)),
      soon: run => timers.soon(() => this.run(run)),
    }
  }

  log(log: FencedLog): FencedLog {
    return new Proxy(log, {
      get: (_, name) => {
        const value = Reflect.get(log, name, log)
        if (name === 'watch')
          return (changed: (() => void) | null) => log.watch(changed === null ? null : () => this.run(changed))
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (this.dead) return new Promise(() => {})
          const result = value.apply(log, args)
          return result instanceof Promise ? this.#later(result) : result
        }
      },
    })
  }

  #later<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      result.then(
        value => this.run(() => resolve(value)),
        error => this.run(() => reject(error)),
      )
    })
  }
}
