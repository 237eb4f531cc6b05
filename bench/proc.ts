import { readFileSync, writeFileSync } from 'node:fs'

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** CPU seconds that a process has used, all threads, user and system. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(`/proc/${pid}/stat`)
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** CPU seconds of this process' children that have ended: what the tools used. */
export function childrenCpuSeconds(): number {
  const fields = statFields('/proc/self/stat')
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
}

/** CPU seconds that the whole machine has spent working, the kernel's own threads included. */
export function machineCpuSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq) / ticksPerSecond
}

/** Resident memory in MiB: now, and the most since `resetPeak`. */
export function residentMiB(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

/** Begins a new peak (proc(5), clear_refs). */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

export function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The fields after the name, which may itself contain spaces and brackets. */
function statFields(path: string): string[] {
  const text = readFileSync(path, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
