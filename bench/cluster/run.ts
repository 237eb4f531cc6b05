// Three nodes of ottla beside three of Apache Kafka. `npm run bench:cluster -- --help` says what can be chosen.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '../command.ts'
import { describeMachine } from '../machine.ts'
import { kafkaScript, root } from '../place.ts'
import { carryOut, log } from '../program.ts'
import { publish } from '../publish.ts'
import { shownFigures } from '../results.ts'
import { measureGaps } from './gaps.ts'
import { measureJoin } from './join.ts'
import { clusterPage } from './page.ts'
import { type ClusterResults, type Contestant, contestants } from './results.ts'
import { type StartOptions, withCluster } from './start.ts'
import { measureWorkloads } from './workloads.ts'

const usage = `npm run bench:cluster -- [options]
  --parts A,B        of throughput, gaps, join (all)
  --rounds N         of throughput, each with new clusters (3)
  --trials N         of each fault (30)
  --only REGEX       just the workloads and faults whose name matches
  --scale F          factor on record counts (1)
  --quick            a tenth of the records, one round, two trials; only shown, unless --out says where
  --contestants A,B  of ${contestants.join(', ')}
  --topologies A,B   for the fourth node (star,chain)
  --out FILE         raw results; the page (.md) is written beside it (docs/benchmarks-cluster.json)
  --merge            keep what FILE has of parts that are not measured now
  --render           only write the page anew from the raw results
  --ottla DIR        another checkout with a build, instead of this one
  --port N           the first of a hundred free ports (29800)`

const write = (results: ClusterResults, out: string) =>
  publish(clusterPage(results), results, out === '' ? null : resolve(out))

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      parts: { type: 'string', default: 'throughput,gaps,join' },
      rounds: { type: 'string' },
      trials: { type: 'string' },
      only: { type: 'string', default: '.' },
      scale: { type: 'string' },
      quick: { type: 'boolean', default: false },
      contestants: { type: 'string', default: contestants.join(',') },
      topologies: { type: 'string', default: 'star,chain' },
      out: { type: 'string' },
      merge: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      ottla: { type: 'string', default: root },
      port: { type: 'string', default: '29800' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const { quick } = values
  const out = values.out ?? (quick ? '' : join(root, 'docs/benchmarks-cluster.json'))
  if (values.render) return write(JSON.parse(readFileSync(out, 'utf8')) as ClusterResults, out)
  await run(kafkaScript('install'), [], { timeoutMs: 600_000 })
  const parts = values.parts.split(',')
  const settings: Settings = {
    rounds: parts.includes('throughput') ? Number(values.rounds ?? (quick ? 1 : 3)) : 0,
    trials: parts.includes('gaps') ? Number(values.trials ?? (quick ? 2 : 30)) : 0,
    topologies: parts.includes('join') ? values.topologies.split(',') : [],
    only: new RegExp(values.only),
    scale: Number(values.scale ?? (quick ? 0.1 : 1)),
    chosen: contestants.filter(each => values.contestants.split(',').includes(each)),
    port: Number(values.port),
    ottlaRoot: resolve(values.ottla),
  }
  const fresh = await bench(settings, describeMachine(values.ottla))
  const before = values.merge ? (JSON.parse(readFileSync(out, 'utf8')) as ClusterResults) : null
  write(before === null ? fresh : merged(before, fresh), out)
}

interface Settings {
  readonly rounds: number
  readonly trials: number
  readonly topologies: readonly string[]
  readonly only: RegExp
  readonly scale: number
  readonly chosen: readonly Contestant[]
  readonly port: number
  readonly ottlaRoot: string
}

async function bench(settings: Settings, machine: ClusterResults['machine']): Promise<ClusterResults> {
  const { rounds, trials: count, topologies, only, scale, chosen, port, ottlaRoot } = settings
  const results = {
    machine,
    rounds,
    scale,
    runs: [] as ClusterResults['runs'][number][],
    trials: [] as ClusterResults['trials'][number][],
    found: [] as ClusterResults['found'][number][],
    measured: [] as ClusterResults['measured'][number][],
    joins: [] as ClusterResults['joins'][number][],
  }
  let next = port
  // Other ports each time: those of the last cluster may still be in TIME_WAIT.
  const options = (): StartOptions => {
    next = next + 20 < port + 100 ? next + 20 : port
    return { ottlaRoot, port: next, note: measured => results.measured.push(measured) }
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of round % 2 === 1 ? chosen : chosen.toReversed()) {
      const runs = await withCluster(contestant, options(), running => measureWorkloads(running, only, round, scale))
      for (const { workload, contestant: who, figures } of runs)
        log(`${round}/${rounds} ${workload}, ${who}: ${shownFigures(figures)}`)
      results.runs.push(...runs)
    }
  }
  // Gaps at default settings: ottla's are those of ottla-ack.
  for (const contestant of chosen.filter(each => each !== 'ottla')) {
    if (count === 0) break
    const { trials, found } = await withCluster(contestant, options(), running => measureGaps(running, count, only))
    results.trials.push(...trials)
    results.found.push(...found)
  }
  for (const topology of topologies) {
    const join = await withCluster('ottla-ack', options(), running => measureJoin(running, scale, topology))
    log(`a fourth node, ${topology}: ${JSON.stringify(join)}`)
    if (join !== null) results.joins.push(join)
  }
  return results
}

/** What was not measured now is kept. */
function merged(before: ClusterResults, now: ClusterResults): ClusterResults {
  const either = <T>(fresh: readonly T[], old: readonly T[]) => (fresh.length > 0 ? fresh : old)
  return {
    ...now,
    rounds: now.runs.length > 0 ? now.rounds : before.rounds,
    scale: now.runs.length > 0 ? now.scale : before.scale,
    runs: either(now.runs, before.runs),
    trials: either(now.trials, before.trials),
    found: either(now.found, before.found),
    measured: [...before.measured, ...now.measured],
    joins: either(now.joins, before.joins),
  }
}

await carryOut(main)
