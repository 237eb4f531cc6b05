/** [offset, value]; values are unique integers, so that each tells who sent it. */
export type Read = readonly [offset: number, value: number]

export type MicroOperation =
  | { readonly f: 'send'; readonly key: string; readonly value: number; readonly offset?: number }
  | { readonly f: 'poll'; readonly reads: Readonly<Record<string, readonly Read[]>> }

/**
 * One finished operation of a client, a line of the history. A key is a partition (`topic-0`).
 * `ok`: the broker said yes. `fail`: it certainly did not happen. `info`: nobody knows (a time-out, a crash).
 */
export interface Operation {
  /** ms, any clock that all processes share. */
  readonly t0: number
  readonly t1: number
  readonly process: string
  readonly type: 'ok' | 'fail' | 'info'
  /**
   * `send` and `poll` stand alone, `txn` holds several in a transaction. `assign`, `subscribe` and `crash` say that the
   * process may go on reading somewhere else. `own` says that a group's member held a partition from t0 to t1;
   * `committed` that a group's offset of a key was found to be so.
   */
  readonly f: 'send' | 'poll' | 'txn' | 'assign' | 'subscribe' | 'crash' | 'own' | 'committed'
  readonly ops?: readonly MicroOperation[]
  /** Keys whose reading position may have changed since the operation before. */
  readonly rebalanced?: readonly string[]
  /** A reader at the end that was to read everything from the beginning. */
  readonly final?: boolean
  /** Not idempotent: a retry may write a value twice, or later than its successor. */
  readonly loose?: boolean
  readonly group?: string
  readonly key?: string
  readonly epoch?: number
  readonly offset?: number
}

export const kinds = [
  'lost-write',
  'unseen',
  'duplicate',
  'inconsistent-offset',
  'aborted-read',
  'garbage',
  'precommitted-read',
  'poll-skip',
  'nonmonotonic-poll',
  'nonmonotonic-send',
  'G1c',
  'overlapping-owners',
  'commit-went-back',
] as const

export type Kind = (typeof kinds)[number]

export interface Finding {
  readonly kind: Kind
  readonly key: string
  readonly text: string
}

export const toLine = (operation: Operation): string => JSON.stringify(operation)

/** Reads a history of JSON lines; throws on a line that is none. */
export function* fromLines(text: string): Iterable<Operation> {
  let number = 0
  for (const line of text.split('\n')) {
    number += 1
    if (line === '') continue
    try {
      yield JSON.parse(line) as Operation
    } catch (error) {
      throw new Error(`line ${number} of the history is no JSON: ${line.slice(0, 80)}`, { cause: error })
    }
  }
}
