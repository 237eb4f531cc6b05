import type { Contestant } from './results.ts'

/** Two contestants beside each other; ratios are `us` / `them`. */
export interface Comparison {
  readonly title: string
  readonly why: string
  readonly us: Contestant
  readonly them: Contestant
}

export const comparisons: readonly Comparison[] = [
  {
    title: 'Both acknowledge from the page cache',
    why: 'ottla with `--flush os`, Apache Kafka with its defaults: the same promise from both.',
    us: 'ottla',
    them: 'kafka',
  },
  {
    title: "ottla's default beside Kafka's default",
    why: 'ottla acknowledges what is on disk (`--flush ack`), Apache Kafka what is in the page cache.',
    us: 'ottla-ack',
    them: 'kafka',
  },
  {
    title: 'Both acknowledge from the disk',
    why: 'ottla with `--flush ack`, Apache Kafka with `flush.messages=1` on the topic: the same promise from both.',
    us: 'ottla-ack',
    them: 'kafka-flush',
  },
]

/** Bounds of ratios ottla / Apache Kafka. */
export interface Bounds {
  readonly cpu?: number
  readonly rate?: number
  readonly p99?: number
}

const batched: Bounds = { cpu: 0.35, rate: 1.15, p99: 0.75 }
const pageCache: Readonly<Record<string, Bounds>> = {
  'produce-100b-6part-acksall': { cpu: 0.3, rate: 1.3, p99: 0.5 },
  'small-requests': { cpu: 0.25, rate: 3, p99: 0.25 },
  'consume-1k': { cpu: 0.35, rate: 1.2 },
  'consume-tail': { cpu: 0.35 },
  'e2e-1k-acksall': { cpu: 0.4, p99: 0.6 },
  'produce-1k-10000ps-acksall': { cpu: 0.4, p99: 0.6 },
}

export function bounds({ us, them }: Comparison, workload: string): Bounds {
  if (us === 'ottla') return pageCache[workload] ?? batched
  if (them === 'kafka-flush') return { cpu: 0.4, rate: 2, p99: 0.6 }
  return workload.startsWith('produce-') ? { cpu: 0.6, rate: 0.8 } : { cpu: 0.6 }
}

/** Upper bounds of ottla's own figures, by the measure's name. */
export const limits: Readonly<Record<string, number>> = {
  'start on new data': 250,
  'resident, idle': 80,
  'resident, 1,000 idle connections': 120,
  'create 1,000 partitions': 1000,
  '1,000 partitions: restart after a clean stop': 1000,
  '1,000 partitions: restart after kill -9': 2000,
  '5,000 partitions: restart after a clean stop': 3000,
  '5,000 partitions: restart after kill -9': 6000,
  '2 GB of log: restart after kill -9': 5000,
}

/** MiB that ottla may have resident at any time of all workloads. */
export const peakLimitMiB = 200
