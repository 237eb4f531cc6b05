import type { SendOutcome } from '../../client/producer-options.ts'
import { textOf } from './body-text.ts'
import { Lines } from './lines.ts'
import { Problem } from './problem.ts'
import { problemIn, shown, type Target } from './push.ts'
import { type InputTarget, type RecordInput, recordInLine } from './record-input.ts'
import type { HttpAnswer, HttpRequest, Outlet } from './route.ts'

/** Records of one body that are under way at one time. */
const mostUnderWay = 10_000
/** Errors that a summary tells one by one. */
const mostErrors = 100

/** Who hears of the lines, in their order. */
interface Report {
  tell(line: number, outcome: SendOutcome): void
  /** Fulfilled when more may be told. */
  ready(): Promise<void>
}

/**
 * Writes a record for each line of a body that may be of any length. It is read as fast as records are written, and never
 * held as a whole. A line that is wrong is told as such; the others are written.
 */
export async function pushLines(
  request: Pick<HttpRequest, 'pieces' | 'hold'>,
  target: Target,
  input: InputTarget,
  lineBytes: number,
  report: Report,
): Promise<void> {
  const lines = new Lines(lineBytes, bytes => request.hold(bytes))
  const underWay = new UnderWay(report)
  for await (const piece of request.pieces()) {
    underWay.add(send(lines.add(piece), target, input))
    if (underWay.count >= mostUnderWay) await underWay.below(mostUnderWay / 2)
    await target.pusher.ready(target.topic)
    await report.ready()
  }
  underWay.add(send(lines.end(), target, input))
  await underWay.end()
}

/** Lines that came together. */
interface Piece {
  /** Those that are no records, by their place in the piece. */
  readonly wrong: ReadonlyMap<number, Error>
  readonly count: number
  readonly sent: Promise<SendOutcome[]>
}

function send(lines: Iterable<Buffer>, { pusher, topic }: Target, input: InputTarget): Piece {
  const records: RecordInput[] = []
  const wrong = new Map<number, Error>()
  let count = 0
  for (const line of lines) {
    try {
      records.push(recordInLine(textOf(line), input))
    } catch (error) {
      wrong.set(count, problemIn(error as Error))
    }
    count++
  }
  return { wrong, count, sent: pusher.sendAll(topic, records) }
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

  add(piece: Piece): void {
    if (piece.count === 0) return
    this.#count += piece.count
    this.#last = this.#tell(piece, this.#last)
    // Whoever waits for the end hears of it.
    this.#last.catch(() => {})
  }

  async #tell({ wrong, count, sent }: Piece, before: Promise<void>): Promise<void> {
    const outcomes = await sent
    await before
    let next = 0
    for (let place = 0; place < count; place++) {
      this.#report.tell(++this.#told, wrong.get(place) ?? (outcomes[next++] as SendOutcome))
    }
    this.#count -= count
    if (this.#awaited !== null && this.#count <= this.#awaited.count) this.#awaited.run()
  }

  /** Until so few are under way. Rejects with a bug. */
  async below(count: number): Promise<void> {
    const enough = new Promise<void>(run => {
      this.#awaited = { count, run }
    })
    await Promise.race([enough, this.#last])
    this.#awaited = null
  }

  end(): Promise<void> {
    return this.#last
  }
}

/** A line for each line, as soon as its fate is known. */
export class LineReport implements Report {
  readonly #outlet: Outlet

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  tell(line: number, outcome: SendOutcome): void {
    const json = outcome instanceof Error ? { line, error: problemIn(outcome) } : shown(outcome)
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

  tell(line: number, outcome: SendOutcome): void {
    if (outcome instanceof Error) {
      this.#failed++
      if (this.#errors.length < mostErrors) this.#errors.push({ line, error: problemIn(outcome) })
      return
    }
    const { partition, offset } = shown(outcome)
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
