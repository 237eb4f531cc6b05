import { setTimeout as sleep } from 'node:timers/promises'
import type { Broker } from './brokers.ts'
import { run } from './command.ts'
import { childrenCpuSeconds, cpuSeconds, machineCpuSeconds, resetPeak, residentMiB } from './proc.ts'
import type { Contestant, Figures } from './results.ts'
import { createTopic, deleteTopic, endOffsets } from './wire.ts'
import type { Workload } from './workloads.ts'

export interface Contest {
  readonly contestant: Contestant
  readonly broker: Broker
  /** Settings of every topic that is made for it. */
  readonly topicConfigs: Readonly<Record<string, string>>
  /** Topics left for a later workload of the round, by the workload that wrote them. */
  readonly kept: Map<string, string>
}

/** One workload against one contestant: a topic of its own, the figures, and a check that the records are there. */
export async function measure(workload: Workload, contest: Contest, round: number, factor: number): Promise<Figures> {
  const { contestant, broker, kept } = contest
  const id = `bench-${workload.name}-${contestant}-${round}`
  const left = workload.reads === undefined ? undefined : kept.get(workload.reads)
  if (workload.reads !== undefined && left === undefined) throw new Error(`${workload.name} needs ${workload.reads}`)
  const topic = left ?? id
  if (left === undefined) await createTopic(broker.port, topic, workload.partitions, contest.topicConfigs)
  await settle()
  const figures = await observed([broker.pid()], started =>
    workload.run(
      { contestant, bootstrap: broker.bootstrap, topic, id, measureFromHere: started },
      { factor, contestant },
    ),
  )
  const written = workload.written({ factor, contestant })
  if (written !== null) {
    const found = await endOffsets(broker.port, topic, workload.partitions)
    if (found < written) throw new Error(`${topic}: ${found} of ${written} records are there`)
  }
  if (workload.keep) kept.set(workload.name, topic)
  else await deleteTopic(broker.port, topic)
  return figures
}

/** What the last workload left to write must not slow down this one. */
export async function settle(): Promise<void> {
  await run('sync', [], { timeoutMs: 120_000 })
  await sleep(500)
}

interface Clocks {
  readonly wall: number
  readonly broker: number
  readonly tools: number
  readonly machine: number
}

const sum = (pids: readonly number[], of: (pid: number) => number) => pids.reduce((all, pid) => all + of(pid), 0)

const clocks = (pids: readonly number[]): Clocks => ({
  wall: performance.now() / 1000,
  broker: sum(pids, cpuSeconds),
  tools: childrenCpuSeconds(),
  machine: machineCpuSeconds(),
})

/** What a load costs, all these brokers together. */
export async function observed(
  pids: readonly number[],
  load: (started: () => void) => Promise<Pick<Figures, 'records' | 'recordsPerSecond' | 'latencyMs'>>,
): Promise<Figures> {
  for (const pid of pids) resetPeak(pid)
  const begin = clocks(pids)
  let before = begin
  const report = await load(() => {
    before = clocks(pids)
  })
  const after = clocks(pids)
  const used = (clock: keyof Clocks, since = before) => Math.max(0, after[clock] - since[clock])
  // Tools are only counted when they have ended, so this is about all of the time.
  const other = used('machine', begin) - used('broker', begin) - used('tools', begin)
  return {
    ...report,
    cpuSeconds: round(used('broker')),
    cpuSecondsPerMillion: round((used('broker') * 1e6) / report.records),
    peakMiB: Math.round(sum(pids, pid => residentMiB(pid).peak)),
    toolCpuSeconds: round(used('tools', begin)),
    otherCpuSeconds: round(Math.max(0, other)),
    wallSeconds: round(used('wall', begin)),
  }
}

const round = (value: number) => Math.round(value * 1000) / 1000
