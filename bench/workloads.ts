import type { Contestant } from './results.ts'
import { consume, endToEnd, produce, type Report, smallRequests, stream } from './tools.ts'

/** What a workload is run against. */
export interface Target {
  readonly contestant: Contestant
  readonly bootstrap: string
  /** Already there, with the workload's partitions. */
  readonly topic: string
  /** Unique to this run: for names of groups. */
  readonly id: string
  /** A workload that warms up by itself says when that is over; CPU is counted from there. */
  readonly measureFromHere: () => void
}

export interface Workload {
  readonly name: string
  readonly what: string
  readonly partitions: number
  readonly contestants: readonly Contestant[]
  /** Its topic is left for the workload that `reads` it. */
  readonly keep?: boolean
  readonly reads?: string
  /** Records that the topic holds afterwards, at least; null: the workload cannot know. */
  written(scale: Scale): number | null
  run(target: Target, scale: Scale): Promise<Report>
}

/** Record counts: `factor` of the full ones; a flush for each batch is slow, so that contestant gets fewer. */
export interface Scale {
  readonly factor: number
  readonly contestant: Contestant
}

const all: readonly Contestant[] = ['kafka', 'ottla', 'ottla-ack', 'kafka-flush']
const pageCache: readonly Contestant[] = ['kafka', 'ottla']

const counted = (full: number, { factor, contestant }: Scale) =>
  Math.round(full * factor * (contestant === 'kafka-flush' ? 0.2 : 1))

interface Producing {
  readonly partitions?: number
  readonly records: number
  readonly bytes: number
  readonly acks: '1' | 'all'
  readonly compression?: string
  readonly contestants?: readonly Contestant[]
  readonly keep?: boolean
}

function producing(name: string, what: string, load: Producing): Workload {
  const { partitions = 1, records, bytes, acks, compression, contestants = all, keep = false } = load
  const properties = [`acks=${acks}`, ...(compression === undefined ? [] : [`compression.type=${compression}`])]
  return {
    name,
    what,
    partitions,
    contestants,
    keep,
    written: scale => counted(records, scale),
    run: ({ bootstrap, topic }, scale) =>
      produce(bootstrap, topic, { records: counted(records, scale), recordBytes: bytes, throughput: -1, properties }),
  }
}

const perSecond = 10_000

/** Names and loads of test/peers/kafka/perf.sh, and two of our own. */
export const workloads: readonly Workload[] = [
  producing('produce-1k-acks1', '1 KB records, acks=1, one partition', {
    records: 1_000_000,
    bytes: 1024,
    acks: '1',
    contestants: pageCache,
    keep: true,
  }),
  {
    name: 'consume-1k',
    what: 'the same records read by one group member, from the beginning',
    partitions: 1,
    contestants: pageCache,
    reads: 'produce-1k-acks1',
    written: () => null,
    run: ({ bootstrap, topic, id }, scale) => consume(bootstrap, topic, id, counted(1_000_000, scale)),
  },
  producing('produce-1k-acksall', '1 KB records, acks=all, one partition', {
    records: 1_000_000,
    bytes: 1024,
    acks: 'all',
  }),
  producing('produce-100b-6part-acksall', '100 B records, acks=all, six partitions', {
    partitions: 6,
    records: 3_000_000,
    bytes: 100,
    acks: 'all',
  }),
  producing('produce-10k-acksall', '10 KB records, acks=all, one partition', {
    records: 150_000,
    bytes: 10_240,
    acks: 'all',
  }),
  producing('produce-1k-lz4-acksall', '1 KB records, lz4, acks=all', {
    records: 1_000_000,
    bytes: 1024,
    acks: 'all',
    compression: 'lz4',
    contestants: pageCache,
  }),
  producing('produce-1k-zstd-acksall', '1 KB records, zstd, acks=all', {
    records: 1_000_000,
    bytes: 1024,
    acks: 'all',
    compression: 'zstd',
    contestants: pageCache,
  }),
  {
    name: 'small-requests',
    what: '50 producers with one request of one 100 B record in flight each, acks=all, six partitions',
    partitions: 6,
    contestants: all,
    written: () => null,
    run: ({ bootstrap, topic, measureFromHere }, { factor }) => {
      const seconds = factor < 0.5 ? 3 : 8
      const load = { partitions: 6, connections: 50, recordBytes: 100, warmSeconds: seconds / 2, seconds }
      return smallRequests(bootstrap, topic, load, measureFromHere)
    },
  },
  {
    name: 'e2e-1k-acksall',
    what: 'one 1 KB record at a time: sent, acknowledged, read',
    partitions: 1,
    contestants: all,
    written: scale => counted(5000, scale),
    run: ({ bootstrap, topic }, scale) => endToEnd(bootstrap, topic, counted(5000, scale), 1024),
  },
  {
    name: 'produce-1k-10000ps-acksall',
    what: '10,000 records of 1 KB a second, acks=all',
    partitions: 1,
    contestants: all,
    written: scale => counted(150_000, scale),
    run: ({ bootstrap, topic }, scale) => {
      const records = counted(150_000, scale)
      return produce(bootstrap, topic, { records, recordBytes: 1024, throughput: perSecond, properties: ['acks=all'] })
    },
  },
  {
    name: 'consume-tail',
    what: '10,000 records of 1 KB a second without lingering, and a consumer that keeps up; latency from due to read',
    partitions: 1,
    contestants: pageCache,
    written: scale => counted(100_000, scale),
    run: ({ bootstrap, topic }, scale) => stream(bootstrap, topic, counted(100_000, scale), 1024, perSecond),
  },
]
