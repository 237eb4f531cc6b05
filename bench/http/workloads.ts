import { loadavg } from 'node:os'
import { machineCpuSeconds, resetPeak, residentMiB } from '../proc.ts'
import type { Door } from './doors.ts'
import { drive, type Job, type Load, percentile } from './load.ts'
import { batchRecords, recordsJson } from './records.ts'
import type { Figures, WorkloadName } from './results.ts'

export interface Measuring {
  readonly door: Door
  /** ms of each of the two measurements, and of what goes before them. */
  readonly ms: number
  readonly warmUpMs: number
  /** A name that no topic has had yet. */
  readonly topic: string
}

export interface Measured {
  readonly full: Figures
  readonly half: Figures
}

interface Workload {
  readonly what: string
  readonly partitions: number
  measure(measuring: Measuring): Promise<Measured>
}

/** Records that a pull begins with, so that its speed can be told. */
const firstRecords = 20_000

export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  single: {
    what: 'A JSON record of 1 KiB each request, 64 connections, 4 partitions',
    partitions: 4,
    measure: measuring => push(measuring, 'single', 1, 64),
  },
  batch: {
    what: `${batchRecords} such records each request, 8 connections, 4 partitions`,
    partitions: 4,
    measure: measuring => push(measuring, 'batch', batchRecords, 8),
  },
  pull: {
    what:
      'A record each request, then a request that says it is done, 16 partitions. ottla: a lease and its `ack`, 64 workers. The proxies: a ' +
      'poll of a consumer instance and its commit, an instance for each partition, since more would get nothing',
    partitions: 16,
    measure: pull,
  },
}

async function push(
  measuring: Measuring,
  name: 'single' | 'batch',
  records: number,
  connections: number,
): Promise<Measured> {
  const { door, topic } = measuring
  await door.createTopic(topic, workloads[name].partitions)
  const request = door.push(topic, recordsJson(records))
  const job: Job = async ask => {
    await ask(request)
    return records
  }
  return fullAndHalf(measuring, connections, () => job)
}

async function pull(measuring: Measuring): Promise<Measured> {
  const { door, topic, ms, warmUpMs } = measuring
  const { partitions } = workloads.pull
  await door.createTopic(topic, partitions)
  await fill(door, topic, firstRecords)
  const workers = await door.pull(topic, partitions)
  const connections = workers.count
  const job = (worker: number): Job => workers.job(worker)
  const first = await drive({ port: door.port, pids: door.pids(), connections, ms: warmUpMs, rate: null, job })
  const rate = first.records / first.seconds
  await fill(door, topic, Math.round(((rate * (warmUpMs + 1.5 * ms)) / 1000) * 1.5))
  try {
    return await fullAndHalf(measuring, connections, job)
  } finally {
    await workers.close()
  }
}

async function fill(door: Door, topic: string, records: number): Promise<void> {
  const request = door.push(topic, recordsJson(batchRecords))
  let left = Math.ceil(records / batchRecords)
  const job: Job = async ask => {
    if (left-- <= 0) return 0
    await ask(request)
    return batchRecords
  }
  const some = { port: door.port, pids: [], connections: 4, rate: null, job: () => job }
  while (left > 0) await drive({ ...some, ms: 500 })
}

async function fullAndHalf(measuring: Measuring, connections: number, job: (index: number) => Job): Promise<Measured> {
  const { door, ms, warmUpMs } = measuring
  const pids = door.pids()
  const options = { port: door.port, pids, connections, job }
  await drive({ ...options, ms: warmUpMs, rate: null })
  const watched = async (ms: number, rate: number | null) => {
    for (const pid of pids) resetPeak(pid)
    const machine = machineCpuSeconds()
    const load = await drive({ ...options, ms, rate })
    if (load.records === 0) throw new Error('nothing was done')
    return { load, figures: figuresOf(load, machineCpuSeconds() - machine, pids) }
  }
  const full = await watched(ms, null)
  const half = await watched(ms, full.load.jobs / full.load.seconds / 2)
  return { full: full.figures, half: half.figures }
}

function figuresOf(load: Load, machineCpu: number, pids: readonly number[]): Figures {
  const { records, seconds, doorCpu, loadCpu, latencies } = load
  return {
    records,
    recordsPerSecond: Math.round(records / seconds),
    recordsPerCpuSecond: Math.round(records / doorCpu),
    latencyMs: { p50: rounded(percentile(latencies, 0.5)), p99: rounded(percentile(latencies, 0.99)) },
    doorCores: rounded(doorCpu / seconds),
    loadCores: rounded(loadCpu / seconds),
    otherCores: rounded(Math.max(0, machineCpu - doorCpu - loadCpu) / seconds),
    peakMiB: Math.round(pids.reduce((sum, pid) => sum + residentMiB(pid).peak, 0)),
  }
}

const rounded = (value: number) => Math.round(value * 100) / 100

export const shown = ({ full, half }: Measured): string =>
  [
    `${full.recordsPerSecond}/s`,
    `${full.recordsPerCpuSecond} per CPU second (${full.doorCores} cores, load ${full.loadCores})`,
    `half: p50 ${half.latencyMs.p50} p99 ${half.latencyMs.p99} ms`,
    `machine ${loadavg()[0]!.toFixed(1)}`,
  ].join(', ')
