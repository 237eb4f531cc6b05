import type { Machine } from './machine.ts'

/** Who is measured. `kafka-flush` is the same Kafka process with topics that have `flush.messages=1`. */
export const contestants = ['kafka', 'ottla', 'ottla-ack', 'kafka-flush'] as const
export type Contestant = (typeof contestants)[number]

/** One workload, once, against one contestant. */
export interface Run {
  readonly workload: string
  readonly contestant: Contestant
  readonly round: number
  readonly figures: Figures
}

export interface Figures {
  readonly records: number
  /** Left out where the workload sets the rate. */
  readonly recordsPerSecond: number | null
  /** Left out where the workload has no latency. */
  readonly latencyMs: Latency | null
  /** Of the broker, all threads. */
  readonly cpuSeconds: number
  readonly cpuSecondsPerMillion: number
  readonly peakMiB: number
  readonly toolCpuSeconds: number
  /** What else worked on the machine: other processes, and the kernel's threads. */
  readonly otherCpuSeconds: number
  readonly wallSeconds: number
}

export function shownFigures(figures: Figures): string {
  const { recordsPerSecond, latencyMs, cpuSecondsPerMillion, peakMiB, otherCpuSeconds } = figures
  const rate = recordsPerSecond === null ? '' : `${Math.round(recordsPerSecond)}/s, `
  const latency = latencyMs === null ? '' : `p50 ${latencyMs.p50} p99 ${latencyMs.p99} ms, `
  return `${rate}${latency}${cpuSecondsPerMillion} s/M, ${peakMiB} MiB, other ${otherCpuSeconds.toFixed(1)} s`
}

export interface Latency {
  readonly p50: number
  readonly p95: number | null
  readonly p99: number
}

/** One figure of starting, stopping, idling: name, unit, and each measurement. */
export interface Measure {
  readonly name: string
  readonly unit: 'ms' | 'MiB'
  readonly contestant: 'kafka' | 'ottla'
  readonly values: readonly number[]
}

export interface Results {
  readonly machine: Machine
  /** Factor on record counts. */
  readonly scale: number
  readonly rounds: number
  readonly runs: readonly Run[]
  readonly measures: readonly Measure[]
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
