/** Ids of processes that were started here and live: none outlives us. */
export const alive = new Set<number>()

process.on('exit', () => {
  for (const pid of alive) signal(pid, 'SIGKILL')
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => process.exit(130))

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it is gone already
  }
}
