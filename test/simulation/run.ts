import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toLine } from '../checker/history.ts'
import { found } from './found.ts'
import { huntMutants } from './mutate.ts'
import { preload } from './preload.ts'
import { type Outcome, simulate } from './simulation.ts'

// npm run simulate -- --seeds N [--from SEED]   runs seeds one after the other and stops at the first that finds something
//      [--servers N] [--orderer raft|store] [--tight]   left out: each seed decides
//                   -- --seed S --story         runs one and tells what happened
//                   -- --found                  runs those that found something once
//                   -- --mutants [NAME]         makes classic mistakes and sees them found

const { values: options, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    servers: { type: 'string' },
    orderer: { type: 'string' },
    tight: { type: 'boolean', default: false },
    story: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    hash: { type: 'boolean', default: false },
    found: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})

if (options.mutants) process.exit((await huntMutants(positionals[0] ?? '')) ? 0 : 1)

const first = Number(options.seed ?? options.from)
const count = options.seed === undefined ? Number(options.seeds) : 1
const seeds = options.found ? [...found.keys()] : Array.from({ length: count }, (_, i) => first + i)
const cluster = {
  ...(options.servers === undefined ? {} : { servers: Number(options.servers) }),
  ...(options.orderer === undefined
    ? {}
    : { orderer: options.orderer === 'store' ? ('store' as const) : ('raft' as const) }),
  tight: options.tight,
}

await preload()
const began = performance.now()
const cpuBegan = process.cpuUsage()
let simulatedMs = 0
let events = 0
let acknowledged = 0
let takenMs = 0
let failed = 0
const faults = new Map<string, number>()
const shapes = new Map<string, number>()

let done = 0
let stopped = false
// Whoever stops a long run hears how far it came.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stopped = true
  })

for (const seed of seeds) {
  if (stopped) break
  const outcome = await simulate(seed, { ...cluster, story: options.story })
  simulatedMs += outcome.simulatedMs
  events += outcome.events
  acknowledged += outcome.acknowledged
  takenMs = Math.max(takenMs, outcome.takenMs)
  for (const [kind, number] of outcome.faults) add(faults, kind, number)
  add(shapes, outcome.shape, 1)
  if (options.story) console.log(outcome.story.join('\n'))
  if (options.hash) console.log(`${seed} ${outcome.hash} ${outcome.events} events`)
  done++
  if (done % 100 === 0 && done < seeds.length) console.log(`${done} seeds, ${failed} failed`)
  if (outcome.findings.length > 0) {
    failed++
    report(outcome)
    if (!options['keep-going']) break
  }
}

const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(cpuBegan)
const busy = (user + system) / 1e6
const hours = simulatedMs / 3_600_000
console.log(
  `${done} seeds from ${seeds[0]}, ${failed} failed: ${hours.toFixed(2)} simulated hours in ${seconds.toFixed(1)} s ` +
    `(${(hours / seconds).toFixed(4)} hours/s, ${(done / seconds).toFixed(1)} seeds/s, ${Math.round(events / seconds)} events/s; ` +
    `by ${busy.toFixed(1)} s of a processor: ${(done / busy).toFixed(1)} seeds/s), ${acknowledged} records acknowledged; ` +
    `at most ${Math.round(takenMs)} ms from healing until every partition took one`,
)
console.log(`clusters: ${told(shapes)}`)
console.log(`faults: ${told(faults)}`)
process.exit(failed > 0 ? 1 : 0)

function add(of: Map<string, number>, what: string, more: number): void {
  of.set(what, (of.get(what) ?? 0) + more)
}

function told(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([what, number]) => `${what}: ${number}`).join(', ')
}

function report({ seed, findings, history }: Outcome): void {
  const path = join(tmpdir(), `ottla-simulation-${seed}.jsonl`)
  writeFileSync(path, `${history.map(toLine).join('\n')}\n`)
  console.log(`seed ${seed}: ${findings.slice(0, 5).join('\n  ')}`)
  const also = `${options.servers === undefined ? '' : ` --servers ${options.servers}`}${options.orderer === undefined ? '' : ` --orderer ${options.orderer}`}${options.tight ? ' --tight' : ''}`
  console.log(`  npm run simulate -- --seed ${seed}${also} --story    (history in ${path})`)
}
