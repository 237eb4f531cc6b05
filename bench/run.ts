// Workloads against ottla and Apache Kafka, by turns. `npm run bench -- --help` says what can be chosen.
import { readFileSync } from 'node:fs'
import { type Broker, Kafka, Ottla } from './brokers.ts'
import { chart } from './chart.ts'
import { run } from './command.ts'
import { describeMachine } from './machine.ts'
import { benchmarksPage } from './markdown.ts'
import { type Contest, measure } from './measure.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { kafkaScript, removeFolder, temporaryFolder } from './place.ts'
import { showProfiles } from './profile.ts'
import { carryOut, log } from './program.ts'
import { publish } from './publish.ts'
import { type Contestant, type Results, type Run, shownFigures } from './results.ts'
import { measureStartup } from './startup.ts'
import { consume, produce } from './tools.ts'
import { createTopic, deleteTopic } from './wire.ts'
import { type Workload, workloads } from './workloads.ts'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) return console.log(usage)
  const results = options.render ? (JSON.parse(readFileSync(options.out, 'utf8')) as Results) : await bench(options)
  publish(benchmarksPage(results), results, options.out || null, { svg: chart(results) })
  if (options.profile !== null) console.log(showProfiles(options.profile))
}

async function bench(options: Options): Promise<Results> {
  await run(kafkaScript('install'), [], { timeoutMs: 600_000 })
  const machine = describeMachine(options.ottlaRoot)
  const chosen = wanted(options.only)
  const runs: Run[] = []
  // Every round with new brokers: a round is what somebody sees who starts one and works with it for a while.
  for (let round = 1; round <= options.rounds && chosen.length > 0; round++) {
    runs.push(...(await withContests(options, contests => play(chosen, contests, round, options))))
  }
  const kinds = (['kafka', 'ottla'] as const).filter(kind => options.contestants.includes(kind))
  const { ottlaRoot, only, quick } = options
  const measures = await measureStartup({ ottlaRoot, port: options.port + 50, only, quick, kinds })
  return { machine, scale: options.scale, rounds: options.rounds, runs, measures }
}

/** With those whose records others read. */
function wanted(only: RegExp): Workload[] {
  const chosen = workloads.filter(({ name }) => only.test(name))
  const read = new Set(chosen.map(({ reads }) => reads))
  return workloads.filter(each => chosen.includes(each) || read.has(each.name))
}

/** Starts every broker, warms it up, and stops it when `use` is done. */
async function withContests<T>(options: Options, use: (contests: Contest[]) => Promise<T>): Promise<T> {
  const brokers: Broker[] = []
  const folders: string[] = []
  const folder = (name: string) => {
    folders.push(temporaryFolder(name))
    return folders.at(-1)!
  }
  const ottla = (flush: 'os' | 'ack', port: number) =>
    new Ottla({ root: options.ottlaRoot, port, folder: folder(flush), flush, nodeFlags: profileFlags(options) })
  const contests: Contest[] = []
  const enter = (contestant: Contestant, broker: Broker, topicConfigs = {}) => {
    if (options.contestants.includes(contestant)) contests.push({ contestant, broker, topicConfigs, kept: new Map() })
    if (options.contestants.includes(contestant) && !brokers.includes(broker)) brokers.push(broker)
  }
  // Deleted topics give their pages back at once, before they are written in somebody else's time.
  const settings = ['log.segment.delete.delay.ms=1000']
  const kafka = new Kafka({ port: options.port + 3, folder: folder('kafka'), settings })
  enter('kafka', kafka)
  enter('ottla', ottla('os', options.port))
  enter('ottla-ack', ottla('ack', options.port + 1))
  enter('kafka-flush', kafka, { 'flush.messages': '1' })
  for (const broker of brokers) {
    await broker.start()
    await warmUp(broker, options.scale)
  }
  const result = await use(contests)
  for (const broker of brokers) await broker.stop()
  for (const each of folders) removeFolder(each)
  return result
}

const profileFlags = ({ profile }: Options) => (profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])

/** The first records and the first group cost what later ones do not. */
async function warmUp(broker: Broker, scale: number): Promise<void> {
  log(`warming up ${broker.kind} on ${broker.bootstrap}`)
  const records = Math.round(200_000 * scale)
  await createTopic(broker.port, 'warm-up', 1)
  const properties = ['acks=all']
  await produce(broker.bootstrap, 'warm-up', { records, recordBytes: 1024, throughput: -1, properties })
  await consume(broker.bootstrap, 'warm-up', 'warm-up', records)
  await deleteTopic(broker.port, 'warm-up')
}

/** All workloads against all contestants, whose order turns with each round. */
async function play(
  chosen: readonly Workload[],
  contests: readonly Contest[],
  round: number,
  options: Options,
): Promise<Run[]> {
  const runs: Run[] = []
  const order = round % 2 === 1 ? contests : contests.toReversed()
  for (const workload of chosen) {
    for (const contest of order) {
      if (!workload.contestants.includes(contest.contestant)) continue
      const figures = await measure(workload, contest, round, options.scale)
      runs.push({ workload: workload.name, contestant: contest.contestant, round, figures })
      log(`${round}/${options.rounds} ${workload.name}, ${contest.contestant}: ${shownFigures(figures)}`)
    }
  }
  return runs
}

await carryOut(main)
