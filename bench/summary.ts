import { type Contestant, type Figures, median, type Results } from './results.ts'
import { type Bounds, bounds, type Comparison, comparisons } from './targets.ts'

/** Medians of one workload against one contestant. */
export interface Medians {
  readonly cpu: number
  readonly rate: number | null
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  /** The most of all rounds. */
  readonly peakMiB: number
  readonly records: number
}

/** A ratio of medians and its bound. */
export interface Ratio {
  readonly value: number
  readonly bound: number | null
  readonly passed: boolean | null
}

export interface Row {
  readonly workload: string
  readonly us: Medians
  readonly them: Medians
  readonly cpu: Ratio
  readonly rate: Ratio | null
  readonly p99: Ratio | null
}

export interface Table {
  readonly comparison: Comparison
  readonly rows: readonly Row[]
}

export function summarize(results: Results): Table[] {
  const names = [...new Set(results.runs.map(({ workload }) => workload))]
  return comparisons.map(comparison => ({
    comparison,
    rows: names.flatMap(workload => row(results, workload, comparison) ?? []),
  }))
}

function row(results: Results, workload: string, comparison: Comparison): Row | null {
  const us = medians(results, workload, comparison.us)
  const them = medians(results, workload, comparison.them)
  if (us === null || them === null) return null
  const bound: Bounds = bounds(comparison, workload)
  return {
    workload,
    us,
    them,
    cpu: atMost(us.cpu / them.cpu, bound.cpu),
    rate: us.rate === null || them.rate === null ? null : atLeast(us.rate / them.rate, bound.rate),
    p99:
      us.p99 === null || them.p99 === null || !comparable(workload, us, them)
        ? null
        : atMost(us.p99 / them.p99, bound.p99),
  }
}

/** A full queue grows with the records that are sent: latencies of unequal counts say nothing. */
function comparable(workload: string, us: Medians, them: Medians): boolean {
  return !workload.startsWith('produce-') || us.records === them.records
}

/** Null: it was not measured. */
export function medians(results: Results, workload: string, contestant: Contestant): Medians | null {
  const figures = results.runs
    .filter(run => run.workload === workload && run.contestant === contestant)
    .map(run => run.figures)
  if (figures.length === 0) return null
  const of = (pick: (each: Figures) => number | null) => {
    const values = figures.map(pick).filter(value => value !== null)
    return values.length === 0 ? null : median(values)
  }
  return {
    cpu: of(each => each.cpuSecondsPerMillion)!,
    rate: of(each => each.recordsPerSecond),
    p50: of(each => each.latencyMs?.p50 ?? null),
    p95: of(each => each.latencyMs?.p95 ?? null),
    p99: of(each => each.latencyMs?.p99 ?? null),
    peakMiB: Math.max(...figures.map(each => each.peakMiB)),
    records: of(each => each.records)!,
  }
}

/** A bound is met when the ratio, as it is shown, meets it. */
const rounded = (value: number) => Math.round(value * 100) / 100

function atMost(value: number, bound: number | undefined): Ratio {
  return { value, bound: bound ?? null, passed: bound === undefined ? null : rounded(value) <= bound }
}

function atLeast(value: number, bound: number | undefined): Ratio {
  return { value, bound: bound ?? null, passed: bound === undefined ? null : rounded(value) >= bound }
}
