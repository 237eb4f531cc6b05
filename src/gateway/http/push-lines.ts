import type { PlacedRecord } from '../../client/producer.ts'
import type { Outcome } from '../push-once.ts'
import { Lines } from './lines.ts'
import { Problem, problemOf } from './problem.ts'
import { asOutcome, recordToSend, shown, type Target } from './push.ts'
import { type InputFormats, recordInLine } from './record-input.ts'
import type { HttpAnswer, Outlet } from './route.ts'

/** What became of a line. */
type LineOutcome = Outcome | Problem

/** Records of one body that are under way at one time. */
const mostUnderWay = 10_000
/** Errors that a summary tells one by one. */
const mostErrors = 100

/** Who hears of the lines, in their order. */
interface Report {
  tell(line: number, outcome: LineOutcome): void
  /** Fulfilled when more may be told. */
  ready(): Promise<void>
}

/**
 * Writes a record for each line of a body that may be of any length. It is read as fast as records are written, and never
 * held as a whole. A line that is wrong is told as such; the others are written.
 */
export async function pushLines(
  body: AsyncIterable<Buffer>,
  target: Target,
  formats: InputFormats,
  lineBytes: number,
  report: Report,
): Promise<void> {
  const lines = new Lines(lineBytes)
  const underWay = new UnderWay(report)
  const take = (line: string) => underWay.add(send(line, target, formats))
  for await (const piece of body) {
    for (const line of lines.add(piece)) take(line)
    if (underWay.count >= mostUnderWay) await underWay.below(mostUnderWay / 2)
    await target.pusher.ready()
    await report.ready()
  }
  for (const line of lines.end()) take(line)
  await underWay.below(0)
}

/** A problem is told like any other end of a line. */
function send(line: string, target: Target, formats: InputFormats): Promise<LineOutcome> | Problem {
  try {
    return target.pusher.send(recordToSend(target, recordInLine(line, target.topic, formats))).catch(asOutcome)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

/** Lines whose fate is not told yet, in order. */
class UnderWay {
  readonly #report: Report
  #told = 0
  #count = 0
  /** All before it are told. */
  #last: Promise<void> = Promise.resolve()
  #awaited: { readonly count: number; readonly run: () => void } | null = null

  constructor(report: Report) {
    this.#report = report
  }

  get count(): number {
    return this.#count
  }

  add(outcome: Promise<LineOutcome> | Problem): void {
    this.#count++
    const before = this.#last
    this.#last = (async () => {
      const ended = await outcome
      await before
      this.#count--
      this.#report.tell(++this.#told, ended)
      if (this.#awaited !== null && this.#count <= this.#awaited.count) this.#awaited.run()
    })()
    // Heard of by whoever waits for the last one; one that nobody waits for yet is not unhandled.
    this.#last.catch(() => {})
  }

  /** Until so few are under way. Rejects with a bug. */
  async below(count: number): Promise<void> {
    if (count === 0) return this.#last
    const enough = new Promise<void>(run => {
      this.#awaited = { count, run }
    })
    await Promise.race([enough, this.#last])
    this.#awaited = null
  }
}

const problemIn = (outcome: LineOutcome): Problem | null => {
  if (outcome instanceof Problem) return outcome
  return outcome instanceof Error ? problemOf(outcome) : null
}

/** A line for each line, as soon as its fate is known. */
export class LineReport implements Report {
  readonly #outlet: Outlet

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  tell(line: number, outcome: LineOutcome): void {
    const error = problemIn(outcome)
    const json = error === null ? shown(outcome as PlacedRecord) : { line, error }
    this.#outlet.write(`${JSON.stringify(json)}\n`)
  }

  ready(): Promise<void> {
    return this.#outlet.drained()
  }
}

interface Written {
  records: number
  firstOffset: number | null
  lastOffset: number | null
}

/** How many lines were written where, and the first of those that were not. */
export class Summary implements Report {
  readonly #errors: { readonly line: number; readonly error: Problem }[] = []
  readonly #partitions = new Map<number, Written>()
  #written = 0
  #failed = 0

  tell(line: number, outcome: LineOutcome): void {
    const error = problemIn(outcome)
    if (error !== null) {
      this.#failed++
      if (this.#errors.length < mostErrors) this.#errors.push({ line, error })
      return
    }
    const { partition, offset } = shown(outcome as PlacedRecord)
    this.#written++
    const written = this.#partitions.get(partition)
    if (written === undefined) {
      this.#partitions.set(partition, { records: 1, firstOffset: offset, lastOffset: offset })
    } else {
      written.records++
      written.lastOffset = offset
    }
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  /** As with a batch: 200 when all are written, 207 when some are, the first one's problem when none is. */
  answer({ topic, acks }: Target): HttpAnswer {
    const partitions = [...this.#partitions]
      .sort(([a], [b]) => a - b)
      .map(([partition, all]) => ({ partition, ...all }))
    const counts = { written: this.#written, failed: this.#failed, partitions }
    const errors = this.#errors
    const [first] = errors
    if (first === undefined) return { status: acks === 0 ? 202 : 200, json: { topic, ...counts } }
    if (this.#written > 0) return { status: 207, json: { topic, ...counts, errors } }
    const { status, type, title, detail, more, headers } = first.error
    throw new Problem(status, type, title, `line ${first.line}: ${detail}`, { ...more, ...counts, errors }, headers)
  }
}
