import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** µs between samples. */
  readonly timeDeltas: readonly number[]
}

/** The functions with the most time of their own, for each profile in the folder. */
export function showProfiles(folder: string, count = 40): string {
  return readdirSync(folder)
    .filter(name => name.endsWith('.cpuprofile'))
    .map(name => [name, ...hottest(JSON.parse(readFileSync(join(folder, name), 'utf8')), count)].join('\n'))
    .join('\n\n')
}

function hottest({ nodes, samples, timeDeltas }: CpuProfile, count: number): string[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  // What is native has no file: its caller tells what it is about.
  for (const { callFrame, children = [] } of nodes) {
    for (const child of children)
      if (!names.get(child)!.includes('  ')) names.set(child, `${names.get(child)} < ${nameOf(callFrame)}`)
  }
  const own = new Map<string, number>()
  for (const [i, sample] of samples.entries()) {
    const name = (names.get(sample) ?? '?').replace(/^\(garbage collector\) .*/, '(garbage collector)')
    own.set(name, (own.get(name) ?? 0) + (timeDeltas[i] ?? 0))
  }
  for (const name of own.keys()) if (name.startsWith('(idle)')) own.delete(name)
  const total = [...own.values()].reduce((sum, each) => sum + each, 0)
  const rows = [...own].toSorted((a, b) => b[1] - a[1]).slice(0, count)
  return [
    `${(total / 1e6).toFixed(2)} s of work`,
    ...rows.map(
      ([name, us]) =>
        `${((us / total) * 100).toFixed(1).padStart(5)} %  ${(us / 1e6).toFixed(2).padStart(7)} s  ${name}`,
    ),
  ]
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/dist\//, '').replace(/^.*\/node_modules\//, '')
  return `${functionName || '(anonymous)'}${file === '' ? '' : `  ${file}:${lineNumber + 1}`}`
}
