import type { Job } from './load.ts'

/** A door to a broker: ours, or a proxy in front of Apache Kafka. */
export interface Door {
  readonly port: number
  /** Every process that works for it. */
  pids(): readonly number[]
  start(): Promise<void>
  stop(): Promise<void>
  createTopic(topic: string, partitions: number): Promise<void>
  /** A request that writes records: one as such, or several together. */
  push(topic: string, records: readonly string[]): Buffer
  /** Workers that take one record at a time and say that it is done. The topic has records. */
  pull(topic: string, partitions: number): Promise<Workers>
}

export interface Workers {
  readonly count: number
  job(worker: number): Job
  close(): Promise<void>
}
