/**
 * Everything that remembers is a deterministic state machine over an ordered log. Commands are decided once, by the
 * leader; records are facts, applied by everyone; answers wait until their facts are committed.
 */

/** The only clock and the only dice of a machine. */
export interface Moment {
  /** Wall clock, ms since 1970. */
  readonly ms: number
  readonly random: { int(below: number): number; bytes(count: number): Uint8Array }
}

/** What a decision wants done besides its records. Effects are held back until the records are committed. */
export type Effect<Command, Answer> =
  /** Answers the present asker, or with `to` the one parked under that key. */
  | { readonly do: 'answer'; readonly answer: Answer; readonly to?: string }
  /** The present asker is answered later. A key that is taken is a bug. */
  | { readonly do: 'park'; readonly key: string }
  /** `then` is decided `afterMs` from now; a timer of the same key is replaced. */
  | { readonly do: 'timer'; readonly key: string; readonly afterMs: number; readonly then: Command }
  | { readonly do: 'cancel'; readonly key: string }

export interface Decision<Command, Record, Answer> {
  readonly records: readonly Record[]
  readonly effects: readonly Effect<Command, Answer>[]
}

/** A deterministic machine: the same records in the same order give the same state, on every node, for ever. */
export interface Machine<Command, Record, Answer> {
  /** Leader only. Pure: sees uncommitted facts, changes none. */
  decide(command: Command, at: Moment): Decision<Command, Record, Answer>
  /** Everywhere, in log order. Total: it cannot fail on a record that `decide` produced. `timestamp` is the record's, ms. */
  apply(record: Record, timestamp: number): void
  /** Elected and caught up: set timers afresh, finish what was begun. */
  lead(at: Moment): Decision<Command, Record, Answer>
  /** The shortest log that leads here. */
  snapshot(): Iterable<Record>
}

export class NotLeader extends Error {
  constructor() {
    super('not the leader of this log')
  }
}

/** What a machine stands on: cluster metadata on an orderer, groups and transactions on a partition that is led here. */
export interface OrderedLog<Record> {
  /**
   * Takes its place in line at once, as one atomic batch; returns the offset after its last record. Throws NotLeader when
   * `epoch` is not the one we lead in.
   */
  append(epoch: number, records: readonly Record[]): number
  /** Everything below `upTo` may be dropped: `snapshot` leads to the same state. */
  compact(upTo: number, snapshot: Iterable<Record>): void
  /** One listener. `load` starts from nothing; `commit` says that offsets below `upTo` are safe; `lead(null)`: the lead is lost. */
  follow(listener: OrderedLogListener<Record>): void
}

export interface OrderedLogListener<Record> {
  /** Forget everything and start from this. */
  load(snapshot: Iterable<Record>, upTo: number): void
  /** Committed records in order, each once. A leader hears of its own appends here, too. */
  commit(records: readonly Record[], upTo: number): void
  lead(epoch: number | null): void
}
