import { median } from '../results.ts'
import { kinds } from './gaps.ts'
import type { ClusterResults } from './results.ts'
import { workloads } from './workloads.ts'

/** The page docs/benchmarks-cluster.md. */
export function clusterPage(results: ClusterResults): string {
  const { machine } = results
  const sections = [
    '# Benchmarks of a cluster',
    `Three nodes of ottla ${machine.ottla} beside three of Apache Kafka ${machine.kafka} (broker and controller each), on the same machine, in the same run, one cluster after the other. ` +
      'Every topic has three replicas and `min.insync.replicas=2`; producers wait for `acks=all`. All nodes and the load share the same cores, so the *CPU seconds of all nodes per million records* say most.',
    'Repeat it with `npm run bench:cluster`; this page is written by it. One node beside one is in [benchmarks.md](benchmarks.md).',
    throughput(results),
    gaps(results),
    starting(results),
    joining(results),
    how(results),
  ]
  return `${sections.filter(each => each !== '').join('\n\n')}\n`
}

/** Bounds of ratios ottla / Kafka at equal flush settings. */
const bounds = { cpu: 0.35, rate: 1.5, p99: 0.6, memory: 0.2 }

function throughput({ runs }: ClusterResults): string {
  const rows: string[][] = []
  for (const { name } of workloads) {
    const of = (contestant: string) => figuresOf(runs, name, contestant)
    const kafka = of('kafka')
    const names = [...new Set(runs.filter(run => run.workload === name).map(run => run.contestant))]
    for (const contestant of names) {
      const figures = of(contestant)!
      const against = contestant === 'kafka' ? null : kafka
      const equal = contestant === 'ottla' || contestant === 'ottla (chain)'
      const ratio = (mine: number | null, theirs: number | null | undefined, bound: number, atLeast: boolean) => {
        if (mine === null) return '–'
        if (theirs === null || theirs === undefined || against === null) return number(mine)
        const value = Math.round((mine / theirs) * 100) / 100
        const met = atLeast ? value >= bound : value <= bound
        return `${number(mine)} · ${equal ? `${met ? '✓' : '✗'} ` : ''}${value.toFixed(2)}${equal ? ` (${bound})` : ''}`
      }
      rows.push([
        name,
        contestant,
        ratio(figures.rate, against?.rate, bounds.rate, true),
        ratio(figures.cpu, against?.cpu, bounds.cpu, false),
        figures.p50 === null ? '–' : number(figures.p50),
        ratio(figures.p99, against?.p99, bounds.p99, false),
        ratio(figures.memory, against?.memory, bounds.memory, false),
      ])
    }
  }
  if (rows.length === 0) return ''
  return [
    '## Throughput and latency',
    '`ottla` acknowledges from the page cache of all in sync as Kafka does (`--flush os`), `ottla-ack` from their disks, which is its default. After the dot: the ratio to Kafka (and its target, where the flush settings are equal).',
    table(['workload', '', 'records/s', 'CPU s per million', 'p50 ms', 'p99 ms', 'peak MiB'], rows),
  ].join('\n\n')
}

function figuresOf(runs: ClusterResults['runs'], workload: string, contestant: string) {
  const found = runs.filter(run => run.workload === workload && run.contestant === contestant).map(run => run.figures)
  if (found.length === 0) return null
  const of = (pick: (each: (typeof found)[number]) => number | null) => {
    const values = found.map(pick).filter(value => value !== null)
    return values.length === 0 ? null : median(values)
  }
  return {
    rate: of(each => each.recordsPerSecond),
    cpu: of(each => each.cpuSecondsPerMillion),
    p50: of(each => each.latencyMs?.p50 ?? null),
    p99: of(each => each.latencyMs?.p99 ?? null),
    memory: of(each => each.peakMiB),
  }
}

/** ms: p95 and most of all at default settings. */
const gapLimits = { kill: [2000, 4000], stop: [200, 4000], freeze: [5000, 8000] } as const

function gaps({ trials, found }: ClusterResults): string {
  if (trials.length === 0) return ''
  const rows: string[][] = []
  for (const { what, how } of kinds) {
    for (const contestant of [...new Set(trials.map(trial => trial.contestant))]) {
      const some = trials.filter(trial => trial.what === what && trial.contestant === contestant)
      if (some.length === 0) continue
      const times = some.map(({ gapMs }) => gapMs)
      const [p95, most] = [quantile(times, 0.95), Math.max(...times)]
      const [p95Limit, mostLimit] = gapLimits[how]
      const met = p95 <= p95Limit && most <= mostLimit
      const verdict = contestant === 'kafka' ? '' : `${met ? '✓' : '✗'} p95 ≤ ${p95Limit}, max ≤ ${mostLimit}`
      const made = some.map(({ createMs }) => createMs).filter(ms => ms !== null)
      rows.push([
        what,
        contestant,
        String(some.length),
        number(median(times)),
        number(p95),
        number(most),
        verdict,
        spread(some.map(({ returnGapMs }) => returnGapMs)),
        made.length === 0 ? '–' : spread(made),
      ])
    }
  }
  const losses = found.map(
    ({ contestant, acked, lost, duplicates, orderBreaks, failed }) =>
      `${contestant}: ${number(acked)} records acknowledged, ${lost} of them lost, ${duplicates} doubled, ${orderBreaks} out of order; ${failed} refused.`,
  )
  return [
    '## Time without acknowledgements',
    'An idempotent Java producer sends a record to each of three partitions every 10 ms; each node leads one of them. The time is the longest without an acknowledgement for any of the three. *Coming back*: the longest while the node returns and leads again what it had led. *Topic*: from the fault until somebody could create a topic. p50 / max, ms.',
    table(['fault', '', 'trials', 'p50 ms', 'p95 ms', 'max ms', 'target', 'coming back', 'topic'], rows),
    losses.join(' '),
  ].join('\n\n')
}

const spread = (values: readonly number[]) => `${number(median(values))} / ${number(Math.max(...values))}`

function starting({ measured }: ClusterResults): string {
  const names = [...new Set(measured.map(({ what }) => what))]
  if (names.length === 0) return ''
  const rows = names.map(what => [
    what,
    ...(['kafka', 'ottla', 'ottla-ack'] as const).map(contestant => {
      const some = measured.filter(each => each.what === what && each.contestant === contestant)
      return some.length === 0 ? '–' : `${number(median(some.map(({ value }) => value)))} ${some[0]!.unit}`
    }),
    what.startsWith('three nodes ready') ? '≤ 2,000 ms' : '≤ 0.2 of Kafka',
  ])
  return ['## Starting and idling', table(['median', 'kafka', 'ottla', 'ottla-ack', 'target'], rows)].join('\n\n')
}

function joining({ joins }: ClusterResults): string {
  if (joins.length === 0) return ''
  const mib = (bytes: number) => `${number(bytes / 2 ** 20)} MiB`
  const rows = joins.map(({ topology, bytes, movedBytes, movedMs, quietP99Ms, movingP99Ms }) => [
    topology,
    mib(bytes),
    mib(movedBytes),
    `${(movedBytes / (bytes / 4)).toFixed(2)} × 1/n`,
    `${number(movedMs / 1000)} s`,
    number(quietP99Ms),
    `${number(movingP99Ms)} · ${movingP99Ms <= 2 * quietP99Ms ? '✓' : '✗'} ${(movingP99Ms / quietP99Ms).toFixed(2)} (2)`,
  ])
  return [
    '## A fourth node joins under load',
    '1,000 records of 1 KiB a second go on, and a consumer that keeps up; latencies are from when a record was due until it was read.',
    table(
      ['topology', 'bytes before', 'moved', 'beside the ideal', 'took', 'p99 quiet, ms', 'p99 meanwhile, ms'],
      rows,
    ),
  ].join('\n\n')
}

function how({ machine, rounds, scale, runs, remarks = [] }: ClusterResults): string {
  const measured = new Set(runs.map(({ workload }) => workload))
  const facts = [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}, Node.js ${machine.node.slice(1)}, Java ${machine.java}; ${machine.date.slice(0, 10)}. Load average before the run ${machine.loadBefore}.`,
    `Medians of ${rounds} rounds${scale === 1 ? '' : ` with ${scale} of the usual record counts`}, each with new clusters from empty directories. Only one cluster runs at a time.`,
    'Kafka runs with its defaults: heap (1 GiB each) and JVM flags of its start script, sessions and election time-outs as they come. Ottla runs with its defaults, but for the flush setting where that is said.',
    'A trial ends when the producer had a second of records acknowledged by whoever leads then; the node comes back, all replicas are in sync again, preferred leaders lead, before the next one.',
    ...remarks,
    'Every single measurement is in [benchmarks-cluster.json](benchmarks-cluster.json).',
  ]
  const loads = workloads.filter(({ name }) => measured.has(name)).map(({ name, what }) => [name, what])
  return [
    '## How',
    facts.map(fact => `- ${fact}`).join('\n'),
    ...(loads.length === 0 ? [] : [table(['workload', 'load'], loads)]),
  ].join('\n\n')
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN

const number = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : 2 })

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
