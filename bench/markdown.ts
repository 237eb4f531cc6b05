import { contestants, median, type Results } from './results.ts'
import { medians, type Ratio, type Row, summarize, type Table } from './summary.ts'
import { limits, peakLimitMiB } from './targets.ts'
import { workloads } from './workloads.ts'

/** The page docs/benchmarks.md. */
export function benchmarksPage(results: Results): string {
  const { machine, rounds, scale } = results
  const sections = [
    '# Benchmarks',
    `ottla ${machine.ottla} beside Apache Kafka ${machine.kafka}, on the same machine, in the same run: each workload against ` +
      `one broker after the other, round by round, while the other brokers idle. Figures are medians of ${rounds} ` +
      `rounds${scale === 1 ? '' : ` with ${scale} of the usual record counts`}; ratios are ottla / Kafka. Load comes from Kafka's own Java tools and competes with the ` +
      `broker for the same cores, so on a small machine the *broker's CPU seconds per million records* say most.`,
    'Repeat it with `npm run bench`. This page and the chart are written by it; how it measures is said [below](#how).',
    '![Ratios ottla / Apache Kafka](benchmarks.svg)',
    ...summarize(results)
      .filter(({ rows }) => rows.length > 0)
      .map(comparisonSection),
    measuresSection(results),
    peakSection(results),
    howSection(results),
  ]
  return `${sections.filter(each => each !== '').join('\n\n')}\n`
}

function comparisonSection({ comparison, rows }: Table): string {
  const ratios = rows.map(({ workload, cpu, rate, p99 }) => [
    workload,
    shownRatio(cpu),
    shownRatio(rate),
    shownRatio(p99),
  ])
  const figures = rows.map(row => [
    row.workload,
    pair(row, each => each.cpu, 2),
    pair(row, each => each.rate, 0),
    pair(row, each => each.p50, 2),
    pair(row, each => each.p95, 2),
    pair(row, each => each.p99, 2),
  ])
  return [
    `## ${comparison.title}`,
    comparison.why,
    table(['ratio ottla / Kafka (target)', 'broker CPU per record', 'records/s', 'p99'], ratios),
    'The figures, ottla / Kafka:',
    table(['workload', 'CPU s per million', 'records/s', 'p50 ms', 'p95 ms', 'p99 ms'], figures),
  ].join('\n\n')
}

function shownRatio(ratio: Ratio | null): string {
  if (ratio === null) return '–'
  const value = ratio.value.toFixed(2)
  if (ratio.bound === null) return value
  return `${ratio.passed ? '✓' : '✗'} ${value} (${ratio.bound})`
}

function pair({ us, them }: Row, pick: (each: Row['us']) => number | null, digits: number): string {
  const [ours, theirs] = [pick(us), pick(them)]
  return ours === null || theirs === null ? '–' : `${number(ours, digits)} / ${number(theirs, digits)}`
}

const number = (value: number, digits: number) =>
  value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : digits })

function measuresSection({ measures }: Results): string {
  const names = [...new Set(measures.map(({ name }) => name))]
  if (names.length === 0) return ''
  const rows = names.map(name => {
    const shown = (contestant: string) => {
      const found = measures.find(each => each.name === name && each.contestant === contestant)
      return found === undefined ? '–' : `${number(median(found.values), 0)} ${found.unit}`
    }
    const ours = measures.find(each => each.name === name && each.contestant === 'ottla')
    const limit = limits[name]
    const verdict =
      limit === undefined || ours === undefined
        ? '–'
        : `${median(ours.values) <= limit ? '✓' : '✗'} ≤ ${number(limit, 0)} ${ours.unit}`
    return [name, shown('ottla'), shown('kafka'), verdict]
  })
  return [
    '## Starting, idling, restarting',
    '*Start*: from exec to the first Metadata answer. *Restart*: until the leader of each partition tells its end offset, ' +
      'with every record that was there. The partitions hold a record or two each; of the 2 GB none is in a closed segment.',
    table(['', 'ottla', 'Apache Kafka', 'target'], rows),
  ].join('\n\n')
}

function peakSection(results: Results): string {
  const rows = contestants.flatMap(contestant => {
    const peaks = workloads.flatMap(({ name }) => medians(results, name, contestant)?.peakMiB ?? [])
    if (peaks.length === 0) return []
    const peak = Math.max(...peaks)
    const ours = contestant.startsWith('ottla')
    return [[contestant, `${peak} MiB`, ours ? `${peak <= peakLimitMiB ? '✓' : '✗'} ≤ ${peakLimitMiB} MiB` : '–']]
  })
  return rows.length === 0
    ? ''
    : ['## Most resident memory over all workloads', table(['', 'peak', 'target'], rows)].join('\n\n')
}

function howSection({ machine, runs }: Results): string {
  const measured = new Set(runs.map(({ workload }) => workload))
  const facts = [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}, Node.js ${machine.node.slice(1)}, Java ${machine.java}; ${machine.date.slice(0, 10)}.`,
    `Load average before the run ${machine.loadBefore}.${busy(runs, machine.cores)}`,
    'Both brokers run with their defaults: Kafka with the heap (1 GiB) and JVM flags of its start script. Every round begins with new processes on empty folders and 200,000 records of warm-up; a JVM that has run for hours is faster than that, above all at reading.',
    "Rates and latencies of producers are of the steady state: the first fifth of the records is warm-up. The consumer's rate is of its fetch time. Broker CPU is user and system time of all of the broker's threads while the tool runs.",
    'Topics are made for one measurement and deleted after it; then dirty pages are written before the next one begins. The order of the brokers turns with each round. After each workload the number of records in the topic is checked; a workload that fails voids the run.',
    'With `flush.messages=1` Kafka gets a fifth of the records, since it is slow; latencies of full queues are not compared then.',
    'Every single measurement is in [benchmarks.json](benchmarks.json).',
  ]
  return [
    '## How',
    facts.map(fact => `- ${fact}`).join('\n'),
    measured.size === 0
      ? ''
      : table(
          ['workload', 'load'],
          workloads.filter(({ name }) => measured.has(name)).map(({ name, what }) => [name, what]),
        ),
  ]
    .join('\n\n')
    .trimEnd()
}

/** What else worked on the machine: a reader must know how quiet it was. */
function busy(runs: Results['runs'], cores: number): string {
  if (runs.length === 0) return ''
  const shares = runs.map(({ figures }) => figures.otherCpuSeconds / (figures.wallSeconds * cores))
  const [middle, most] = [median(shares), Math.max(...shares)].map(share => `${(share * 100).toFixed(0)} %`)
  return ` Others (kernel threads and idle brokers included) used ${middle} of the cores at the median of all measurements, ${most} at worst.`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
