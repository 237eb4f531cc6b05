import type { Machine } from '../machine.ts'
import type { Figures } from '../results.ts'

/** Who is measured. `ottla` acknowledges from the page cache as Kafka does; `ottla-ack` is ottla with its defaults. */
export const contestants = ['kafka', 'ottla', 'ottla-ack'] as const
export type Contestant = (typeof contestants)[number]

export interface Run {
  readonly workload: string
  /** With the topology in brackets, where it is not the first. */
  readonly contestant: string
  readonly round: number
  /** All three nodes together. */
  readonly figures: Figures
}

/** One fault: the longest time without an acknowledgement for any partition, ms. */
export interface Trial {
  readonly what: string
  readonly contestant: Contestant
  readonly gapMs: number
  /** When the node came back and led again what it had led before. */
  readonly returnGapMs: number
  /** From the fault until somebody could create a topic; null: not tried. */
  readonly createMs: number | null
}

/** What the idempotent producer of all trials got acknowledged, and what a reader found of it. */
export interface Found {
  readonly contestant: Contestant
  readonly acked: number
  readonly failed: number
  readonly lost: number
  readonly duplicates: number
  readonly orderBreaks: number
}

export interface Join {
  readonly topology: string
  /** Bytes of all replicas before the fourth node came. */
  readonly bytes: number
  /** Bytes that it has when everything has settled. */
  readonly movedBytes: number
  /** ms from its start until nothing moves any more. */
  readonly movedMs: number
  readonly quietP99Ms: number
  readonly movingP99Ms: number
}

export interface Measured {
  readonly what: string
  readonly unit: 'ms' | 'MiB'
  readonly contestant: Contestant
  readonly value: number
}

export interface ClusterResults {
  readonly machine: Machine
  readonly rounds: number
  readonly scale: number
  readonly runs: readonly Run[]
  readonly trials: readonly Trial[]
  readonly found: readonly Found[]
  readonly measured: readonly Measured[]
  readonly joins: readonly Join[]
  /** What was not as it should be, written into the file by hand. */
  readonly remarks?: readonly string[]
}
