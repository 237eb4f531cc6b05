/** What workers of one lease group did, and what is to be said of it. Times are ms of one monotonic clock. */

export type Door = 'http' | 'grpc'

interface Happening {
  readonly worker: string
  readonly at: number
}

/** A worker got a record. `until`: the lease does not end before that. */
export interface Took extends Happening {
  readonly event: 'took'
  readonly door: Door
  readonly record: number
  readonly until: number
}

/** A worker is about to say what became of a record: it has given it up. */
export interface Gives extends Happening {
  readonly event: 'gives'
  readonly record: number
  readonly what: 'ack' | 'reject'
}

/** The answer to that. `done` is false where the lease was over. */
export interface Given extends Happening {
  readonly event: 'given'
  readonly record: number
  readonly what: 'ack' | 'reject'
  readonly done: boolean
}

/** Just before the worker got SIGKILL. */
export interface Killed extends Happening {
  readonly event: 'killed'
}

export type Event = Took | Gives | Given | Killed

export interface Outcome {
  /** All records that were written, as their producer was told. */
  readonly written: ReadonlySet<number>
  /** Those that nobody can work on. */
  readonly hopeless: (record: number) => boolean
  /** What the dead-letter topic holds, in the end. */
  readonly dead: readonly number[]
}

export interface Verdict {
  readonly findings: readonly string[]
  readonly acknowledged: number
  readonly deadLettered: number
  /** Records that a worker had when it was killed. */
  readonly crashes: Readonly<Record<Door, number>>
  /** Records that were acknowledged by a worker which was killed before it heard the answer. */
  readonly unheard: number
  /** Acknowledgements that came after the lease, and were refused. */
  readonly late: number
  readonly redelivered: number
}

interface Holding {
  readonly worker: string
  readonly door: Door
  readonly from: number
  to: number
  /** The worker was killed while it had the record. */
  crashed: boolean
}

/**
 * Says where two workers had a record at a time, and which records did not end as they must: acknowledged once, or dead.
 *
 * A worker has a record from when it came until it says what became of it, or the lease is over. Who was killed has it as long
 * as its lease lasts; over gRPC only until it died, since the node sees the connection go and takes the records back.
 */
export function judge(events: readonly Event[], { written, hopeless, dead }: Outcome): Verdict {
  const findings: string[] = []
  const inOrder = [...events].sort((a, b) => a.at - b.at)
  const holdings = holdingsOf(inOrder)
  const crashes = { http: 0, grpc: 0 }
  let redelivered = 0
  for (const [record, held] of holdings) {
    if (!written.has(record)) findings.push(`${record} was handed out, and never written`)
    if (held.length > 1) redelivered++
    for (const [i, holding] of held.entries()) {
      if (holding.crashed) crashes[holding.door]++
      const before = held[i - 1]
      if (before === undefined || holding.from >= before.to) continue
      const ms = Math.round(before.to - holding.from)
      findings.push(`${record} came to ${holding.worker} while ${before.worker} had it for ${ms} ms more`)
    }
  }
  findings.push(...afterTheEnd(inOrder))
  const { acked, perhaps, late } = acknowledgements(inOrder)
  const buried = countOf(dead)
  let unheard = 0
  for (const record of written) {
    const [acks, letters] = [acked.get(record) ?? 0, buried.get(record) ?? 0]
    if (acks > 1) findings.push(`${record} was acknowledged ${acks} times`)
    if (letters > 1) findings.push(`${record} was dead-lettered ${letters} times`)
    if (acks > 0 && letters > 0) findings.push(`${record} was acknowledged, and is a dead letter`)
    const last = holdings.get(record)?.at(-1)?.worker
    if (acks === 0 && letters === 0 && perhaps.has(`${last} ${record}`)) unheard++
    else if (acks === 0 && letters === 0) findings.push(`nothing became of ${record}`)
    if (hopeless(record) && letters === 0) findings.push(`${record} was rejected, and is no dead letter`)
  }
  for (const record of buried.keys())
    if (!written.has(record)) findings.push(`${record} is dead, and was never written`)
  return { findings, acknowledged: acked.size, unheard, deadLettered: buried.size, crashes, late, redelivered }
}

function holdingsOf(events: readonly Event[]): Map<number, Holding[]> {
  const deaths = new Map<string, number>()
  for (const event of events) if (event.event === 'killed') deaths.set(event.worker, event.at)
  const holdings = new Map<number, Holding[]>()
  const open = new Map<string, Holding>()
  for (const event of events) {
    if (event.event === 'took') {
      const { worker, door, record, at, until } = event
      const death = deaths.get(worker) ?? Number.POSITIVE_INFINITY
      const to = door === 'grpc' ? Math.min(until, Math.max(at, death)) : until
      const holding = { worker, door, from: at, to, crashed: until > death }
      open.set(`${worker} ${record}`, holding)
      const held = holdings.get(record)
      if (held === undefined) holdings.set(record, [holding])
      else held.push(holding)
    } else if (event.event === 'gives') {
      const holding = open.get(`${event.worker} ${event.record}`)
      if (holding === undefined) continue
      holding.to = Math.min(holding.to, event.at)
      holding.crashed = false
      open.delete(`${event.worker} ${event.record}`)
    }
  }
  return holdings
}

/** Records that came to somebody after a worker had settled them for good. */
function afterTheEnd(events: readonly Event[]): string[] {
  const said = new Map<string, number>()
  const ended = new Map<number, number>()
  for (const event of events) {
    if (event.event === 'gives') said.set(`${event.worker} ${event.record}`, event.at)
    else if (event.event === 'given' && event.done && !ended.has(event.record))
      ended.set(event.record, said.get(`${event.worker} ${event.record}`) ?? event.at)
  }
  return events.flatMap(event => {
    const end = event.event === 'took' ? ended.get(event.record) : undefined
    if (event.event !== 'took' || end === undefined || event.at <= end) return []
    return [`${event.record} came to ${event.worker} after it was settled`]
  })
}

/** `perhaps`: a worker and a record, where it was killed between saying so and hearing of it. */
function acknowledgements(events: readonly Event[]) {
  const acked = new Map<number, number>()
  const perhaps = new Set<string>()
  let late = 0
  for (const event of events) {
    if (event.event === 'gives' && event.what === 'ack') perhaps.add(`${event.worker} ${event.record}`)
    if (event.event !== 'given') continue
    perhaps.delete(`${event.worker} ${event.record}`)
    if (event.what !== 'ack') continue
    if (event.done) acked.set(event.record, (acked.get(event.record) ?? 0) + 1)
    else late++
  }
  return { acked, perhaps, late }
}

function countOf(records: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const record of records) counts.set(record, (counts.get(record) ?? 0) + 1)
  return counts
}
