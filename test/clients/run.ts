import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { freePort } from '../free-port.ts'
import { KafkaCluster, type Members, OttlaCluster } from '../machines/members.ts'
import { Status } from '../machines/status.ts'
import { Agent } from './agent.ts'
import { answersMetadata } from './answers.ts'
import { clusterToolScenarios } from './cluster-tools.ts'
import type { CommandScenario, Place } from './command.ts'
import { kcatScenarios } from './kcat.ts'
import { agents, brokerEnvironment, installScript, type Language, root, semantics } from './programs.ts'
import { persistent, scenarios } from './scenarios.ts'
import { toolScenarios } from './tools.ts'

const usage = `usage: run.sh [--bootstrap HOST:PORT] [--only SCENARIO,...] [--count N] [--jobs N] [--settle MS] [--json] [--cluster [--kafka | --gateway]] [client...]
Runs real clients against a broker: the one at HOST:PORT, or an ottla of this checkout that it starts and stops itself.
--cluster: three nodes of ottla, that are restarted one after another all the time; --kafka: three of Apache Kafka.
--gateway: all through a gateway before these nodes, which is all that clients know of.
--settle MS waits after each creation of a topic (Apache Kafka answers before all its parts know of the topic: 300).
clients: ${[...Object.keys(agents), 'java-semantics', 'kafka-tools', 'cluster-tools', 'kcat'].join(' ')}`

interface Result {
  client: string
  version: string
  scenario: string
  outcome: 'passed' | 'failed' | 'skipped'
  ms: number
  note?: string
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bootstrap: { type: 'string' },
    only: { type: 'string' },
    count: { type: 'string', default: '100000' },
    jobs: { type: 'string', default: '4' },
    settle: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    cluster: { type: 'boolean', default: false },
    kafka: { type: 'boolean', default: false },
    gateway: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const languages: Record<string, Language> = {
  'kafka-tools': 'java',
  'cluster-tools': 'java',
  'java-semantics': 'java',
  kcat: 'kcat',
}
for (const [name, { language }] of Object.entries(agents)) languages[name] = language

if (options.help || positionals.some(p => !languages[p])) {
  console.log(usage)
  process.exit(options.help ? 0 : 2)
}
// The slowest first, so that they do not end up alone at the end.
const order = ['kafka-tools', 'java-semantics', 'java-4.3', 'java-4.4']
const everybody = [...order, ...Object.keys(languages).filter(n => !order.includes(n))]
// Tools for clusters need one.
const chosen = positionals.length ? positionals : everybody.filter(c => options.cluster || c !== 'cluster-tools')
const only = options.only?.split(',')
const wanted = (scenario: string) => !only || only.includes(scenario)

const results: Result[] = []
function report(result: Result): void {
  results.push(result)
  if (options.json) console.log(JSON.stringify(result))
  else {
    const { outcome, client, scenario, ms, note } = result
    console.log(
      `${outcome.padEnd(7)} ${client.padEnd(13)} ${scenario.padEnd(22)} ${String(ms).padStart(6)} ms ${note ?? ''}`,
    )
  }
}

async function attempt(
  client: string,
  version: string,
  scenario: string,
  run: () => Promise<unknown>,
): Promise<boolean> {
  const begun = Date.now()
  const done = (outcome: Result['outcome'], note?: string) =>
    report({ client, version, scenario, outcome, ms: Date.now() - begun, ...(note ? { note } : {}) })
  try {
    const note = await run()
    if (typeof note === 'object' && note !== null) done('skipped', (note as { skipped: string }).skipped)
    else done('passed', note as string | undefined)
    return true
  } catch (error) {
    done('failed', String((error as Error).stack ?? error).slice(0, 1500))
    return false
  }
}

/** Broker and file names stay unique when a broker outlives many runs. */
const tag = `${process.pid}-${Date.now() % 100000}`
const name = (client: string) => (what: string) => `matrix-${client}-${what}-${tag}`

async function runAgent(client: string, bootstrap: string): Promise<void> {
  const { program: plain } = agents[client]!
  const program = options.cluster ? { ...plain, env: { ...plain.env, AGENT_RESTARTS: '1' } } : plain
  let agent = new Agent(program, bootstrap)
  let hello = await agent.hello
  try {
    for (const [scenario, run] of Object.entries(scenarios)) {
      if (!wanted(scenario)) continue
      const fine = await attempt(client, hello.version, scenario, async () => {
        if (hello.client === 'none') await agent.do('create', {}) // rejects with the reason why it did not start
        const create = async (topic: string, partitions: number) => {
          await persistent(options.cluster, /exist/i, () => agent.do('create', { topic, partitions }))
          await sleep(Number(options.settle))
        }
        const restarts = options.cluster
        if (restarts && hello.noRestarts !== undefined && scenario !== 'topics') return { skipped: hello.noRestarts }
        return run({
          hello,
          agent,
          program,
          bootstrap,
          name: name(client),
          create,
          count: Number(options.count),
          restarts,
        })
      })
      if (fine) continue
      agent.kill() // it may be stuck: the next scenario gets a fresh one
      agent = new Agent(program, bootstrap)
      hello = await agent.hello
    }
  } finally {
    await agent.close()
  }
}

const suites: Record<string, Record<string, CommandScenario>> = {
  kcat: kcatScenarios,
  'kafka-tools': toolScenarios,
  'cluster-tools': clusterToolScenarios,
}

async function runCommands(client: string, bootstrap: string): Promise<void> {
  const place: Place = { bootstrap, name: name(client), ...(cluster ? { cluster } : {}) }
  for (const [scenario, run] of Object.entries(suites[client]!)) {
    if (wanted(scenario)) await attempt(client, '', scenario, () => run(place))
  }
}

/** One program with many checks: a line of JSON for each. */
async function runSemantics(client: string, bootstrap: string): Promise<void> {
  const settings = [`-Dsettle=${options.settle}`, `-Drestarts=${options.cluster}`]
  const args = [...settings, ...semantics.args, bootstrap, tag, ...(only ?? [])]
  const child = spawn(semantics.command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  process.on('exit', () => child.kill('SIGKILL'))
  const timer = setTimeout(() => child.kill('SIGKILL'), options.cluster ? 500_000 : 180_000)
  for await (const text of createInterface({ input: child.stdout })) {
    const { scenario, ok, ms, error } = JSON.parse(text) as {
      scenario: string
      ok: boolean
      ms: number
      error?: string
    }
    report({ client, version: '', scenario, outcome: ok ? 'passed' : 'failed', ms, ...(error ? { note: error } : {}) })
  }
  clearTimeout(timer)
  const code = child.exitCode ?? (await new Promise(done => child.once('exit', done)))
  if (code !== 0)
    report({ client, version: '', scenario: 'to the end', outcome: 'failed', ms: 0, note: `ended with ${code}` })
}

async function serving(port: number, broker: ChildProcess): Promise<void> {
  for (let i = 0; i < 300 && broker.exitCode === null; i++) {
    if (await answersMetadata(port)) return
    await sleep(50)
  }
  throw new Error('the broker did not start')
}

/** A node of this checkout; `more`: words after `ottla start`. */
async function startBroker(more: readonly string[] = []): Promise<{ bootstrap: string; stop(): Promise<void> }> {
  const port = await freePort()
  const data = mkdtempSync(join(tmpdir(), 'ottla-matrix-'))
  const words = ['start', '--port', String(port), '--data', data, ...more]
  const broker = spawn(process.execPath, [join(root, 'bin/ottla.js'), ...words], {
    env: brokerEnvironment,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.on('exit', () => broker.kill('SIGKILL'))
  await serving(port, broker)
  return {
    bootstrap: `127.0.0.1:${port}`,
    async stop() {
      const gone = broker.exitCode !== null
      const ended = new Promise<number | null>(done => broker.once('exit', done))
      broker.kill('SIGTERM')
      const code = gone ? broker.exitCode : await Promise.race([ended, sleep(15_000, -1)])
      rmSync(data, { recursive: true, force: true })
      if (gone || code !== 0) {
        const note = gone ? `the broker had ended by itself (${code})` : `the broker did not stop well (${code})`
        report({ client: 'ottla', version: '', scenario: 'clean stop', outcome: 'failed', ms: 0, note })
      }
    },
  }
}

/** Three nodes, of this checkout or of Apache Kafka, on the loopback interface. */
async function startCluster(): Promise<{ cluster: Members; stop(): Promise<void> }> {
  const place = mkdtempSync(join(tmpdir(), 'ottla-matrix-'))
  const where = { port: 29_170, place }
  const started: Members = options.kafka ? new KafkaCluster(where) : new OttlaCluster({ ...where, nodes: 3 })
  await started.start()
  const status = new Status(started.all)
  for (const end = Date.now() + 60_000; (await status.voters()).length < 3; await sleep(200)) {
    if (Date.now() > end) throw new Error('there are no three voters after a minute')
  }
  return {
    cluster: started,
    async stop() {
      for (const member of started.all.toReversed()) {
        const code = member.running ? await member.stop() : -1
        const note = `node ${member.node} ended with ${code}`
        if (code !== 0)
          report({ client: started.kind, version: '', scenario: 'clean stop', outcome: 'failed', ms: 0, note })
      }
      rmSync(place, { recursive: true, force: true })
    },
  }
}

/** SIGTERM and a new start, one node after the other, each when the one before is back and in sync; until told to end. */
function restarting(nodes: Members): () => Promise<number> {
  const status = new Status(nodes.all)
  let ending = false
  let count = 0
  const running = (async () => {
    for (let i = 0; !ending; i++) {
      const member = nodes.all[i % nodes.all.length]!
      const code = await member.stop()
      if (code !== 0) throw new Error(`node ${member.node} ended with ${code} after SIGTERM`)
      await member.start()
      count += 1
      await status.whole(['__consumer_offsets'], 60_000)
      await sleep(2000)
    }
  })()
  running.catch(() => {}) // told at the end
  return async () => {
    ending = true
    await running
    return count
  }
}

function table(): void {
  const names = [...new Set(results.map(r => r.scenario))]
  const mark = { passed: 'ok', failed: 'FAILED', skipped: '-' }
  for (const [suite, clients] of [
    ['clients', [...new Set(results.map(r => r.client))].filter(c => agents[c])],
    ['commands', [...new Set(results.map(r => r.client))].filter(c => !agents[c])],
  ] as const) {
    const rows = names.filter(n => results.some(r => r.scenario === n && clients.includes(r.client)))
    if (!rows.length) continue
    const cells = (scenario: string) =>
      clients.map(c => {
        const r = results.find(x => x.client === c && x.scenario === scenario)
        return (r ? mark[r.outcome] : '').padEnd(Math.max(c.length, 6))
      })
    console.log(`\n${suite.padEnd(22)} ${clients.map(c => c.padEnd(6)).join('  ')}`)
    for (const row of rows) console.log(`${row.padEnd(22)} ${cells(row).join('  ')}`)
  }
}

const begun = Date.now()
const needed = [...new Set(chosen.map(c => languages[c]!))]
const missing = new Set<Language>()
for (const language of needed) {
  try {
    execFileSync(installScript, [language], { stdio: ['ignore', 2, 2] })
  } catch (error) {
    missing.add(language)
    for (const client of chosen.filter(c => languages[c] === language))
      report({ client, version: '', scenario: 'install', outcome: 'failed', ms: 0, note: String(error) })
  }
}
console.log(`installed in ${Date.now() - begun} ms`)

const own = options.cluster ? await startCluster() : null
const cluster = own?.cluster ?? null
const gateway =
  options.gateway && cluster ? await startBroker(['--roles', 'gateway', '--join', cluster.bootstrap]) : null
const broker = options.bootstrap || cluster ? null : await startBroker()
const bootstrap = options.bootstrap ?? (gateway ?? cluster ?? broker)!.bootstrap
const queue = chosen.filter(c => !missing.has(languages[c]!))
const worker = async () => {
  for (let client = queue.shift(); client; client = queue.shift()) {
    if (agents[client]) await runAgent(client, bootstrap)
    else if (client === 'java-semantics') await runSemantics(client, bootstrap)
    else await runCommands(client, bootstrap)
  }
}
// They stop nodes and move things themselves: before everybody else.
if (queue.includes('cluster-tools')) await runCommands(queue.splice(queue.indexOf('cluster-tools'), 1)[0]!, bootstrap)
const endRestarts = cluster ? restarting(cluster) : null
await Promise.all(Array.from({ length: Number(options.jobs) }, worker))
if (endRestarts) {
  await attempt(cluster!.kind, '', 'restarts', async () => `${await endRestarts()} restarts of nodes meanwhile`)
}
await gateway?.stop()
await broker?.stop()
await own?.stop()

table()
const count = (outcome: Result['outcome']) => results.filter(r => r.outcome === outcome).length
for (const r of results) if (r.outcome === 'skipped') console.log(`skipped: ${r.client} ${r.scenario}: ${r.note}`)
console.log(`${Math.round((Date.now() - begun) / 1000)} s`)
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
process.exit(count('failed') > 0 || count('passed') === 0 ? 1 : 0)
