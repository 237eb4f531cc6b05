import type { Machine } from '../machine.ts'

/** Who is measured: ottla, and REST proxies in front of Apache Kafka. */
export const contestants = ['ottla', 'karapace', 'kafka-bridge'] as const
export type Contestant = (typeof contestants)[number]

export const workloadNames = ['single', 'batch', 'pull'] as const
export type WorkloadName = (typeof workloadNames)[number]

/** One workload, once, against one contestant: as fast as it goes, then at half of that. */
export interface Run {
  readonly workload: WorkloadName
  readonly contestant: Contestant
  readonly round: number
  readonly full: Figures
  readonly half: Figures
}

export interface Figures {
  readonly records: number
  readonly recordsPerSecond: number
  /** By seconds of processor time of all processes behind the door. */
  readonly recordsPerCpuSecond: number
  /** Of a request, ms. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  /** Cores that were busy: behind the door, with the load itself, with anything else. */
  readonly doorCores: number
  readonly loadCores: number
  readonly otherCores: number
  /** Most resident memory behind the door. */
  readonly peakMiB: number
}

/** What test/gateway/events-load.ts tells of many subscribers. */
export interface Events {
  readonly subscribers: number
  readonly recordsPerSecond: number
  readonly seconds: number
  readonly deliveries: number
  readonly deliveriesPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly kibEach: number
  readonly peakMiB: number
  readonly cores: number
  readonly kills: number
  /** Streams that were taken up again with their last id. */
  readonly resumed: number
  /** ms from the node's return until everybody had everything. */
  readonly caughtUpMs: number
}

/** A node with all its doors beside one without any, of which nobody makes use. */
export interface Idle {
  readonly doors: 'all' | 'kafka'
  /** Each start. */
  readonly startMs: readonly number[]
  readonly residentMiB: readonly number[]
}

export interface HttpResults {
  readonly machine: Machine
  readonly versions: Readonly<Partial<Record<Contestant, string>>>
  readonly rounds: number
  readonly seconds: number
  readonly flush: 'os' | 'ack'
  readonly runs: readonly Run[]
  /** What peers could not do. */
  readonly failures: readonly string[]
  readonly events: Events | null
  readonly idle: readonly Idle[]
}
