import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** This process, as its operating system and its engine see it. Bytes and seconds. */
export interface ProcessStats {
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  /** Since 1970. */
  readonly startTimeSeconds: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly externalBytes: number
  readonly arrayBufferBytes: number
  /** −1: this system does not tell. */
  readonly openFiles: number
  /** How late the event loop came since the last look; 0 before the second one. */
  readonly loopLag: { readonly mean: number; readonly p50: number; readonly p99: number; readonly max: number }
  /** The part of the time since the last look (or the start) in which the event loop had something to do, 0 to 1. */
  readonly loopUtilization: number
  readonly nodeVersion: string
}

/** Looks at this process. The first look begins to watch the event loop, which costs a timer: who never looks pays nothing. */
export class ProcessWatch {
  readonly #lag = monitorEventLoopDelay({ resolution: 20 })
  #utilization: ReturnType<typeof performance.eventLoopUtilization> | undefined = undefined
  #looked = false

  look(): ProcessStats {
    const { user, system } = process.cpuUsage()
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
    const { utilization } = performance.eventLoopUtilization(this.#utilization)
    this.#utilization = performance.eventLoopUtilization()
    return {
      cpuUserSeconds: user / 1e6,
      cpuSystemSeconds: system / 1e6,
      startTimeSeconds: performance.timeOrigin / 1e3,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
      openFiles: openFiles(),
      loopLag: this.#loopLag(),
      loopUtilization: utilization,
      nodeVersion: process.version,
    }
  }

  #loopLag(): ProcessStats['loopLag'] {
    if (!this.#looked) {
      this.#looked = true
      this.#lag.enable()
      return { mean: 0, p50: 0, p99: 0, max: 0 }
    }
    const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9) : 0)
    const { mean, max } = this.#lag
    const [p50, p99] = [this.#lag.percentile(50), this.#lag.percentile(99)]
    this.#lag.reset()
    return { mean: seconds(mean), p50: seconds(p50), p99: seconds(p99), max: seconds(max) }
  }
}

/** As Linux tells it. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}
