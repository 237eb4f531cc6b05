import { median } from '../results.ts'
import {
  type Contestant,
  contestants,
  type Events,
  type Figures,
  type HttpResults,
  type Idle,
  type WorkloadName,
  workloadNames,
} from './results.ts'
import { workloads } from './workloads.ts'

/** Records that a second of processor time of the broker is to suffice for. */
const perCpuSecond: Readonly<Record<WorkloadName, number>> = { single: 10_000, batch: 100_000, pull: 5_000 }
/** ms, at half load. */
const p99Limit = 5
/** As many times as much as a peer. */
const timesPeer = 5
const deliveriesTarget = 20_000
/** MiB that a node may take with all its subscribers. */
const eventsMemoryLimit = 400
/** Of starting, ms, and of idling, MiB: the node's own limits, doors or not. */
const idleLimits = { startMs: 250, residentMiB: 80 }

const titles: Readonly<Record<Contestant, string>> = {
  ottla: 'ottla',
  karapace: 'Karapace',
  'kafka-bridge': 'Kafka Bridge',
}

/** The page docs/benchmarks-http.md. */
export function httpPage(results: HttpResults): string {
  const { machine, versions } = results
  const peers = contestants.filter(each => each !== 'ottla' && versions[each] !== undefined)
  const beside = peers.map(peer => `${titles[peer]} ${versions[peer]}`).join(' and ')
  const sections = [
    '# Benchmarks of HTTP',
    `ottla ${machine.ottla}${beside === '' ? '' : ` beside ${beside}, each in front of its own Apache Kafka ${machine.kafka}`}, on the same machine, in the same run, one after the other. ` +
      'The load runs on the same cores, so what *a second of processor time* of the broker suffices for says most; for a proxy that is its own time and that of the Kafka behind it.',
    'Repeat it with `npm run bench:http`; this page is written by it. The Kafka protocol is in [benchmarks.md](benchmarks.md).',
    requests(results),
    events(results.events),
    idle(results.idle),
    how(results, peers),
  ]
  return `${sections.filter(each => each !== '').join('\n\n')}\n`
}

function requests({ runs }: HttpResults): string {
  const rows: string[][] = []
  for (const workload of workloadNames) {
    const of = (contestant: Contestant) => {
      const found = runs.filter(run => run.workload === workload && run.contestant === contestant)
      return found.length === 0
        ? null
        : { full: medians(found.map(run => run.full)), half: medians(found.map(run => run.half)) }
    }
    const ours = of('ottla')
    for (const contestant of contestants) {
      const found = of(contestant)
      if (found === null) continue
      const { full, half } = found
      const isOurs = contestant === 'ottla'
      const beside = (mine: number | undefined, theirs: number) =>
        mine === undefined ? number(theirs) : `${number(theirs)} · ${verdict(mine / theirs, timesPeer)}`
      rows.push([
        workload,
        titles[contestant],
        isOurs ? number(full.recordsPerSecond) : beside(ours?.full.recordsPerSecond, full.recordsPerSecond),
        isOurs
          ? `${mark(full.recordsPerCpuSecond >= perCpuSecond[workload])} ${number(full.recordsPerCpuSecond)} (${number(perCpuSecond[workload])})`
          : beside(ours?.full.recordsPerCpuSecond, full.recordsPerCpuSecond),
        number(half.p50),
        isOurs ? `${mark(half.p99 <= p99Limit)} ${number(half.p99)} (${p99Limit})` : number(half.p99),
        `${number(full.doorCores)} + ${number(full.loadCores)} + ${number(full.otherCores)}`,
        number(full.peakMiB),
      ])
    }
  }
  if (rows.length === 0) return ''
  const head = ['', '', 'records/s', 'per CPU second', 'p50 ms', 'p99 ms', 'busy cores', 'peak MiB']
  return [
    '## Push and pull',
    'As fast as it goes; latencies of a request at half of that. Targets stand in brackets; after the dot: how many times as much ottla does. ' +
      '*Busy cores*: behind the door, with the load, with anything else.',
    table(head, rows),
  ].join('\n\n')
}

function medians(figures: readonly Figures[]) {
  const of = (pick: (each: Figures) => number) => median(figures.map(pick))
  return {
    recordsPerSecond: of(each => each.recordsPerSecond),
    recordsPerCpuSecond: of(each => each.recordsPerCpuSecond),
    p50: of(each => each.latencyMs.p50),
    p99: of(each => each.latencyMs.p99),
    doorCores: of(each => each.doorCores),
    loadCores: of(each => each.loadCores),
    otherCores: of(each => each.otherCores),
    peakMiB: of(each => each.peakMiB),
  }
}

const mark = (met: boolean) => (met ? '✓' : '✗')
const verdict = (value: number, least: number) => `${mark(value >= least)} ${number(value)} × (${least})`

function events(found: Events | null): string {
  if (found === null) return ''
  const { subscribers, recordsPerSecond, seconds, latencyMs, peakMiB, kibEach, cores } = found
  // A little less than the rate: the last records are on their way when the clock stops.
  const enough = found.deliveriesPerSecond >= 0.98 * deliveriesTarget
  const rows = [
    [
      'deliveries a second',
      `${mark(enough)} ${number(found.deliveriesPerSecond)} (${number(deliveriesTarget)}), ${number(found.deliveries)} in all`,
    ],
    ['lost, doubled, out of order', '✓ none'],
    ['p50 / p99 from writing to reading', `${number(latencyMs.p50)} / ${number(latencyMs.p99)} ms`],
    [
      'resident memory',
      `${mark(peakMiB <= eventsMemoryLimit)} ${peakMiB} MiB (${eventsMemoryLimit}), ${kibEach} KiB for each`,
    ],
    ['busy cores', number(cores)],
    [
      `after kill -9, ${found.kills === 1 ? 'once' : `${found.kills} times`}`,
      `✓ ${number(found.resumed)} streams went on with their \`Last-Event-ID\` without gap or repeat; all had everything ${number(found.caughtUpMs)} ms after the node was back`,
    ],
  ]
  return [
    '## Server-sent events',
    `${number(subscribers)} subscribers of one topic get ${recordsPerSecond} records a second each, for ${seconds} s. Each checks every id and offset.`,
    table(['', ''], rows),
  ].join('\n\n')
}

function idle(found: readonly Idle[]): string {
  if (found.length === 0) return ''
  const names = { all: 'all doors (the default)', kafka: 'Kafka alone (`--doors kafka`)' }
  const cell = (values: readonly number[], limit: number, unit: string) =>
    `${mark(median(values) <= limit)} ${number(median(values))} ${unit} (${limit})`
  const rows = found.map(({ doors, startMs, residentMiB }) => [
    names[doors],
    cell(startMs, idleLimits.startMs, 'ms'),
    cell(residentMiB, idleLimits.residentMiB, 'MiB'),
  ])
  return [
    '## Doors that nobody uses',
    `They are loaded when somebody first comes. Medians of ${found[0]!.startMs.length} starts on new data.`,
    table(['', 'start', 'resident, idle'], rows),
  ].join('\n\n')
}

function how({ machine, rounds, seconds, flush, runs, failures }: HttpResults, peers: readonly Contestant[]): string {
  const measured = new Set(runs.map(({ workload }) => workload))
  const facts = [
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}, Linux ${machine.kernel}, Node.js ${machine.node.slice(1)}, Java ${machine.java}; ${machine.date.slice(0, 10)}. Load average before the run ${machine.loadBefore}.`,
    `Medians of ${rounds} rounds, each with new processes on empty folders; each measurement takes ${seconds} s. The load is one process of Node.js that speaks HTTP/1.1 by hand over connections that stay; where it needs nearly a core of its own, it is what limits the rate.`,
    `ottla acknowledges ${flush === 'os' ? 'from the page cache (`--flush os`), as Kafka does' : 'what is on its disk (`--flush ack`), Kafka what is in the page cache'}. All wait for \`acks=all\`.`,
    ...(peers.length === 0
      ? []
      : [
          'The proxies run with their defaults, but for what would only hold them up here: no logging of requests, no linger, `acks=all`. Installed and started by `test/peers`.',
        ]),
    ...failures.map(failure => `Not measured: ${failure}`),
    'Every single measurement is in [benchmarks-http.json](benchmarks-http.json).',
  ]
  const loads = workloadNames.filter(name => measured.has(name)).map(name => [name, workloads[name].what])
  return [
    '## How',
    facts.map(fact => `- ${fact}`).join('\n'),
    ...(loads.length === 0 ? [] : [table(['workload', 'load'], loads)]),
  ].join('\n\n')
}

const number = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value >= 100 ? 0 : 2 })

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
