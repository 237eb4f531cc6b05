// What comes in and goes out over HTTP, beside REST proxies in front of Apache Kafka. `npm run bench:http -- --help` says
// what can be chosen.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '../command.ts'
import { describeMachine } from '../machine.ts'
import { kafkaScript, removeFolder, root, temporaryFolder } from '../place.ts'
import { showProfiles } from '../profile.ts'
import { carryOut, log } from '../program.ts'
import { publish } from '../publish.ts'
import type { Door } from './doors.ts'
import { measureEvents } from './events.ts'
import { measureIdle } from './idle.ts'
import { OttlaDoor } from './ottla-door.ts'
import { httpPage } from './page.ts'
import { ProxyDoor } from './proxy-door.ts'
import { type Contestant, contestants, type HttpResults, type Run, workloadNames } from './results.ts'
import { shown, workloads } from './workloads.ts'

const usage = `npm run bench:http -- [options]
  --parts A,B        of requests, events, idle (all)
  --rounds N         of the requests, each with new processes (2)
  --seconds N        of each measurement (5)
  --only REGEX       just the workloads whose name matches: ${workloadNames.join(', ')}
  --contestants A,B  of ${contestants.join(', ')}
  --quick            one round, 2 s each, events for 10 s; only shown, unless --out says where
  --flush os|ack     when ottla acknowledges (os)
  --out FILE         raw results; the page (.md) is written beside it (docs/benchmarks-http.json)
  --merge            keep what FILE has of parts that are not measured now
  --render           only write the page anew from the raw results
  --ottla DIR        another checkout with a build, instead of this one
  --port N           the first of a hundred free ports (29600)
  --profile DIR      CPU profiles of ottla's brokers; what costs most is shown`

const show = (results: HttpResults, out: string | null) => publish(httpPage(results), results, out)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      parts: { type: 'string', default: 'requests,events,idle' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '.' },
      contestants: { type: 'string', default: contestants.join(',') },
      quick: { type: 'boolean', default: false },
      flush: { type: 'string', default: 'os' },
      out: { type: 'string' },
      merge: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      ottla: { type: 'string', default: root },
      port: { type: 'string', default: '29600' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const { quick } = values
  const out = resolve(values.out ?? (quick ? '' : join(root, 'docs/benchmarks-http.json')))
  const stored = () => JSON.parse(readFileSync(out, 'utf8')) as HttpResults
  const written = values.out !== undefined || !quick
  if (values.render) return show(stored(), out)
  const parts = values.parts.split(',')
  const fresh = await bench({
    rounds: parts.includes('requests') ? Number(values.rounds ?? (quick ? 1 : 2)) : 0,
    seconds: Number(values.seconds ?? (quick ? 2 : 5)),
    eventsSeconds: parts.includes('events') ? (quick ? 10 : 60) : 0,
    idleTrials: parts.includes('idle') ? (quick ? 1 : 5) : 0,
    only: new RegExp(values.only),
    chosen: contestants.filter(each => values.contestants.split(',').includes(each)),
    flush: values.flush === 'ack' ? 'ack' : 'os',
    ottlaRoot: resolve(values.ottla),
    port: Number(values.port),
    profile: values.profile === undefined ? null : resolve(values.profile),
  })
  show(values.merge ? merged(stored(), fresh) : fresh, written ? out : null)
  if (values.profile !== undefined) console.log(showProfiles(resolve(values.profile)))
}

interface Settings {
  readonly rounds: number
  readonly seconds: number
  /** 0: not at all. */
  readonly eventsSeconds: number
  readonly idleTrials: number
  readonly only: RegExp
  readonly chosen: readonly Contestant[]
  readonly flush: 'os' | 'ack'
  readonly ottlaRoot: string
  readonly port: number
  readonly profile: string | null
}

async function bench(settings: Settings): Promise<HttpResults> {
  const { rounds, seconds, eventsSeconds, idleTrials, chosen, flush, ottlaRoot, port } = settings
  const versions: Partial<Record<Contestant, string>> = {}
  const peers = rounds === 0 ? [] : chosen.filter(each => each !== 'ottla')
  if (peers.length > 0) await run(kafkaScript('install'), [], { timeoutMs: 600_000 })
  for (const peer of peers) {
    const said = await run(join(root, 'test/peers', peer, 'install.sh'), [], { timeoutMs: 600_000 })
    versions[peer] = /^version=(.+)$/m.exec(said)?.[1] ?? '?'
  }
  const machine = describeMachine(ottlaRoot)
  const runs: Run[] = []
  const failures: string[] = []
  for (let round = 1; round <= rounds; round++)
    for (const contestant of round % 2 === 1 ? chosen : chosen.toReversed()) {
      try {
        await measure(contestant, round, settings, runs)
      } catch (error) {
        if (contestant === 'ottla') throw error
        // What a peer cannot do is told; it must not keep us from measuring the rest.
        failures.push(`${contestant}, round ${round}: ${(error as Error).message}`)
        log(`failed: ${failures.at(-1)}`)
      }
    }
  const idle = idleTrials === 0 ? [] : await measureIdle(ottlaRoot, port + 90, idleTrials)
  for (const { doors, startMs, residentMiB } of idle) log(`doors ${doors}: start ${startMs} ms, ${residentMiB} MiB`)
  const events = eventsSeconds === 0 ? null : await measureEvents(port + 80, eventsSeconds)
  if (events !== null) log(`events: ${JSON.stringify(events)}`)
  return { machine, versions, rounds, seconds, flush, runs, failures, events, idle }
}

/** All workloads against new processes of one contestant. */
async function measure(contestant: Contestant, round: number, settings: Settings, runs: Run[]): Promise<void> {
  const { only, seconds, rounds } = settings
  const folder = temporaryFolder(contestant)
  const door = doorOf(contestant, folder, settings, round)
  const warmUpMs = Math.min(3000, seconds * 600)
  try {
    await door.start()
    for (const workload of workloadNames.filter(name => only.test(name))) {
      const measuring = { door, ms: seconds * 1000, warmUpMs, topic: `http-${workload}` }
      const measured = await workloads[workload].measure(measuring)
      log(`${round}/${rounds} ${workload}, ${contestant}: ${shown(measured)}`)
      runs.push({ workload, contestant, round, ...measured })
    }
  } catch (error) {
    await door.stop().catch(() => {})
    throw error
  }
  await door.stop()
  removeFolder(folder)
}

function doorOf(contestant: Contestant, folder: string, settings: Settings, round: number): Door {
  const { flush, ottlaRoot, profile } = settings
  // Other ports each time: those of the last round may still be in TIME_WAIT.
  const port = settings.port + (round % 4) * 20
  if (contestant === 'ottla') {
    const nodeFlags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
    return new OttlaDoor({ root: ottlaRoot, port, folder, flush, nodeFlags })
  }
  const both = { name: contestant, folder }
  if (contestant === 'karapace')
    return new ProxyDoor({
      ...both,
      port: port + 1,
      kafkaPort: port + 2,
      consumer: { 'auto.commit.enable': 'false' },
      poll: 'timeout=1000&max_bytes=1',
    })
  return new ProxyDoor({
    ...both,
    port: port + 3,
    kafkaPort: port + 4,
    consumer: { 'enable.auto.commit': false },
    poll: 'timeout=1000',
  })
}

/** Parts that were not measured now stay as they were; what they depended on may have changed meanwhile. */
function merged(before: HttpResults, now: HttpResults): HttpResults {
  const measured = now.runs.length > 0
  return {
    ...(measured ? now : before),
    machine: now.machine,
    events: now.events ?? before.events,
    idle: now.idle.length > 0 ? now.idle : before.idle,
  }
}

await carryOut(main)
