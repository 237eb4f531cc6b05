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

/**
 * What a decision wants done besides its records. Answers are held back until the records, and all that were decided
 * before, are committed, unless they promise nothing (`now`); the others touch nothing outside of the host and happen at once.
 */
export type Effect<Command, Answer> =
  /** Answers the present asker, or with `to` the one parked under that key (nobody there: nothing happens). */
  | { readonly do: 'answer'; readonly answer: Answer; readonly to?: string; readonly now?: true }
  /** The present asker is answered later. A key that is taken is a bug. */
  | { readonly do: 'park'; readonly key: string }
  /** `then` is decided `afterMs` from now; a timer of the same key is replaced. */
  | { readonly do: 'timer'; readonly key: string; readonly afterMs: number; readonly then: Command }
  | { readonly do: 'cancel'; readonly key: string }

export interface Decision<Command, Record, Answer> {
  readonly records: readonly Record[]
  /**
   * Facts that die with the lead (who waits where, deadlines extended): applied at once, after `records`, never appended.
   * So `decide` stays pure although not everything a leader knows is worth a place in the log.
   */
  readonly soft?: readonly Record[]
  readonly effects: readonly Effect<Command, Answer>[]
}

/** A deterministic machine: the same records in the same order give the same state, on every node, for ever. */
export interface Machine<Command, Record, Answer> {
  /** Leader only. Pure: sees uncommitted facts, changes none. */
  decide(command: Command, at: Moment): Decision<Command, Record, Answer>
  /**
   * Everywhere, in log order. Total: it cannot fail on a record that `decide` produced. `timestamp` is the record's, ms;
   * records of a snapshot carry the snapshot's end offset less one.
   */
  apply(record: Record, timestamp: number, offset: number): void
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
   * Takes its place in line at once, as one atomic batch with `timestamp` (ms); returns the offset after its last record,
   * its records having the offsets before it without a gap. Throws NotLeader when `epoch` is not the one we lead in;
   * after any other error nothing was appended.
   */
  append(epoch: number, records: readonly Record[], timestamp: number): number
  /** Everything below `upTo` may be dropped once `snapshot`, which leads to the same state, is safe. */
  compact(upTo: number, snapshot: Iterable<Record>): void
  /** One listener. */
  follow(listener: OrderedLogListener<Record>): void
}

/**
 * Order of calls: `load`, `commit`…, `lead(epoch)` once every record of earlier epochs was given, `commit`… of our own
 * appends, `lead(null)` as soon as the lead is lost, then from the top: `load`, `commit`….
 */
export interface OrderedLogListener<Record> {
  /** Forget everything and start from this. */
  load(snapshot: Iterable<Record>, upTo: number): void
  /**
   * Committed records in order, each once, those of one batch with its timestamp (ms); offsets below `upTo` are safe.
   * The last record's offset is `upTo` − 1 at most; other things in the log may lie between batches. A leader hears of
   * its own appends here, too.
   */
  commit(records: readonly Record[], upTo: number, timestamp: number): void
  lead(epoch: number | null): void
}
