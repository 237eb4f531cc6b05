import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The repository's root: this file runs from dist/bench. */
export const root = join(import.meta.dirname, '../..')
const kafkaScripts = join(root, 'test/peers/kafka')
export const kafkaScript = (name: 'start' | 'stop' | 'tool' | 'install') => join(kafkaScripts, `${name}.sh`)

const pids = new Set<number>()
const folders = new Set<string>()

/** A process that must not outlive us. */
export function adopt(pid: number): void {
  pids.add(pid)
}

/** It has ended, and its number may be somebody else's next. */
export function release(pid: number): void {
  pids.delete(pid)
}

/** A folder that is removed at the end. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `ottla-bench-${name}-`))
  folders.add(folder)
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  folders.delete(folder)
}

process.on('exit', () => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }
  for (const folder of folders) removeFolder(folder)
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
