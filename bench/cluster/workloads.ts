import { observed, settle } from '../measure.ts'
import { endToEnd, produce, type Report } from '../tools.ts'
import type { Run } from './results.ts'
import type { Running } from './start.ts'

interface Workload {
  readonly name: string
  readonly what: string
  readonly partitions: number
  /** Beside Kafka's only kind, the other one that ottla has. */
  readonly chain: boolean
  run(bootstrap: string, topic: string, scale: number): Promise<Report>
}

const properties = ['acks=all']

/** Records of 1 KiB; `throughput`: records a second, −1: as fast as it goes. */
const producing =
  (records: number, throughput: number): Workload['run'] =>
  (bootstrap, topic, scale) =>
    produce(bootstrap, topic, { records: Math.round(records * scale), recordBytes: 1024, throughput, properties })

/** Every topic has three replicas and `min.insync.replicas=2`. */
export const workloads: readonly Workload[] = [
  {
    name: 'produce-1k-rf3',
    what: '1 KiB records as fast as it goes, acks=all, three replicas, three partitions: each node leads one',
    partitions: 3,
    chain: true,
    run: producing(500_000, -1),
  },
  {
    name: 'produce-1k-rf3-1part',
    what: 'the same into one partition',
    partitions: 1,
    chain: true,
    run: producing(500_000, -1),
  },
  {
    name: 'produce-1k-rf3-5000ps',
    what: '5,000 records of 1 KiB a second, acks=all, three replicas, three partitions',
    partitions: 3,
    chain: true,
    run: producing(75_000, 5000),
  },
  {
    name: 'e2e-1k-rf3',
    what: 'one 1 KiB record at a time: sent, acknowledged by all in sync, read',
    partitions: 1,
    chain: true,
    run: (bootstrap, topic, scale) => endToEnd(bootstrap, topic, Math.round(5000 * scale), 1024),
  },
]

export async function measureWorkloads(
  { contestant, cluster, status }: Running,
  only: RegExp,
  round: number,
  scale: number,
): Promise<Run[]> {
  const chosen = workloads.filter(({ name }) => only.test(name))
  if (chosen.length === 0) return []
  await status.create('warm-up', 3)
  const records = Math.round(150_000 * scale)
  await produce(cluster.bootstrap, 'warm-up', { records, recordBytes: 1024, throughput: -1, properties })
  await status.admin(admin => admin.deleteTopics(['warm-up']))
  const runs: Run[] = []
  for (const workload of chosen) {
    for (const topology of contestant !== 'kafka' && workload.chain ? ['', 'chain'] : ['']) {
      const topic = `${workload.name}-${topology || 'star'}-${round}`
      await status.create(topic, workload.partitions, topology === '' ? {} : { 'replication.topology': topology })
      await settle()
      const pids = cluster.all.map(({ pid }) => pid)
      const figures = await observed(pids, () => workload.run(cluster.bootstrap, topic, scale))
      runs.push({
        workload: workload.name,
        contestant: topology ? `${contestant} (chain)` : contestant,
        round,
        figures,
      })
      await status.admin(admin => admin.deleteTopics([topic]))
    }
  }
  return runs
}
