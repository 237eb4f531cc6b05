import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSeconds } from '../proc.ts'
import { type Answer, Line } from './line.ts'

/** Does a piece of work over one connection, asking through `ask`; the number of records that it was about. */
export type Job = (ask: Ask) => Promise<number>
export type Ask = (request: Buffer | string) => Promise<Answer>

export interface LoadOptions {
  readonly port: number
  /** Of all processes behind the door. */
  readonly pids: readonly number[]
  readonly connections: number
  readonly ms: number
  /** Jobs a second in all, from a clock that does not wait for answers; null: as many as the connections give. */
  readonly rate: number | null
  job(connection: number): Job
}

export interface Load {
  readonly jobs: number
  readonly records: number
  readonly seconds: number
  /** Seconds of processor time. */
  readonly doorCpu: number
  readonly loadCpu: number
  /** ms, of each request, sorted. */
  readonly latencies: Float64Array
}

/** Rejects when a request is refused: then there is nothing to compare. */
export async function drive({ port, pids, connections, ms, rate, job }: LoadOptions): Promise<Load> {
  const lines = Array.from({ length: connections }, () => new Line(port))
  const latencies: number[] = []
  const used = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  let jobs = 0
  let records = 0
  let due = 0
  const ownCpu = process.cpuUsage()
  const cpu = used()
  const from = performance.now()
  const until = from + ms
  const work = async (line: Line, index: number) => {
    const doJob = job(index)
    let begin = 0
    const ask: Ask = async request => {
      const answer = await line.ask(request)
      const now = performance.now()
      latencies.push(now - begin)
      begin = now
      if (answer.status >= 200 && answer.status < 300) return answer
      throw new Error(`${answer.status}: ${answer.body.toString('utf8', 0, 300)}`)
    }
    for (;;) {
      const planned = rate === null ? 0 : from + (due++ / rate) * 1000
      const early = planned - performance.now()
      if (planned >= until) return
      if (early > 0) await sleep(early)
      const now = performance.now()
      if (now >= until) return
      // Who comes late because all connections were busy has waited since then; our own timer's delay is nobody's fault.
      begin = rate === null || early > 0 ? now : planned
      const done = await doJob(ask)
      records += done
      jobs++
    }
  }
  try {
    await Promise.all(lines.map(work))
  } finally {
    for (const line of lines) line.close()
  }
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(ownCpu)
  return {
    jobs,
    records,
    seconds,
    doorCpu: used() - cpu,
    loadCpu: (user + system) / 1e6,
    latencies: Float64Array.from(latencies).sort(),
  }
}

export const percentile = (sorted: Float64Array, part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
