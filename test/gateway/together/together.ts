// One topic, one group: Kafka's own producer in Java writes; workers over HTTP and over gRPC share a lease group while some of
// them are killed; each record is acknowledged once or dead-lettered, none is held by two at a time; a browser shows it live.
//   node dist/test/gateway/together/together.js --watch ~/.cache/ottla/console/watch.js
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Cluster } from '../../../src/client/cluster.ts'
import { readPartition } from '../../../src/client/read-partition.ts'
import { nodeWorld } from '../../../src/world/node.ts'
import { type RunningOttla, scratch, startOttla } from '../../cli/processes.ts'
import { freePort } from '../../cluster/kit.ts'
import { finish, item } from '../../faults/report.ts'
import { Crew, now } from './crew.ts'
import { judge, type Verdict } from './history.ts'
import { isHopeless } from './plan.ts'
import { Screen } from './screen.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000' },
    /** A second. */
    rate: { type: 'string', default: '100' },
    /** Workers of each door, and how many of each are killed. */
    workers: { type: 'string', default: '3' },
    kills: { type: 'string', default: '3' },
    lease: { type: 'string', default: '3000' },
    /** What drives the browser, as `test/console/install.sh` puts it; without, nobody looks at the console. */
    watch: { type: 'string' },
  },
})
const [records, rate, workers, kills, leaseMs] = [
  values.records,
  values.rate,
  values.workers,
  values.kills,
  values.lease,
].map(Number) as [number, number, number, number, number]
const [topic, group, partitions] = ['work', 'hands', 4]
const place = scratch()
let node = null as RunningOttla | null
let screen = null as Screen | null
let crew = null as Crew | null
let java = null as ChildProcess | null
process.on('exit', () => {
  java?.kill('SIGKILL')
  screen?.kill()
  node?.child.kill('SIGKILL')
  place.remove()
})

interface Group {
  readonly lag: number | null
  readonly acquired: number
  readonly waiting: number
  readonly dying: number
}

const written = new Set<number>()

/** Kafka's VerifiableProducer: the numbers from 0 on, and what became of each. */
async function produce(bootstrap: string): Promise<void> {
  const words = ['--bootstrap-server', bootstrap, '--topic', topic, '--acks', '-1']
  const amount = ['--max-messages', String(records), '--throughput', String(rate)]
  java = spawn('test/peers/kafka/tool.sh', ['kafka-verifiable-producer', ...words, ...amount], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      KAFKA_HEAP_OPTS: '-Xmx128M',
      KAFKA_JVM_PERFORMANCE_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
    },
  })
  const failed: string[] = []
  const lines = createInterface({ input: java.stdout! }).on('line', line => {
    if (!line.startsWith('{')) return
    const said = JSON.parse(line) as { name: string; value?: string }
    if (said.name === 'producer_send_success') written.add(Number(said.value))
    else if (said.name === 'producer_send_error') failed.push(line)
  })
  const [[code]] = await Promise.all([once(java, 'exit'), once(lines, 'close')])
  if (code !== 0 || failed.length > 0) throw new Error(`the producer ended with ${code}: ${failed.slice(0, 3)}`)
  if (written.size !== records) throw new Error(`${written.size} of ${records} were written`)
}

async function groupNow(): Promise<Group> {
  const answer = await fetch(`http://${node!.bootstrap}/lease-groups/${group}`)
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as Group
}

async function until(what: string, ms: number, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = now() + ms; !(await holds()); await sleep(100))
    if (now() > end) throw new Error(`${ms} ms were not enough until ${what}`)
}

async function deadLetters(): Promise<number[]> {
  const [host = '', port] = node!.bootstrap.split(':')
  const cluster = new Cluster(nodeWorld, { bootstrap: [{ host, port: Number(port) }] })
  const found: number[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const options = { offset: 0, maxRecords: records, maxBytes: 16 * 1024 * 1024 }
    const read = await readPartition(cluster, { topic: `${topic}.dlq`, partition }, options)
    for (const { value } of read.records) found.push(Number(Buffer.from(value!).toString()))
  }
  cluster.close()
  return found
}

/** What the page showed must have changed while the work went on, and be right in the end. */
function judgeScreen({ shown, complaints, last }: Screen): string {
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  const distinct = (of: (each: (typeof shown)[number]) => number) => new Set(shown.map(of)).size
  const backwards = shown.find((each, i) => i > 0 && each.done < shown[i - 1]!.done)
  if (backwards !== undefined) throw new Error(`it went back to ${JSON.stringify(backwards)}`)
  const [states, done, busy] = [shown.length, distinct(each => each.done), distinct(each => each.withWorkers)]
  if (done < 4 || busy < 3)
    throw new Error(`it showed ${done} kinds of progress and ${busy} of work: ${JSON.stringify(shown)}`)
  const isRight = last?.done === records && last.notDone === 0 && last.withWorkers === 0
  if (!isRight) throw new Error(`in the end it showed ${JSON.stringify(last)}`)
  return `${states} states, with up to ${Math.max(...shown.map(each => each.withWorkers))} records with workers`
}

function judgeWork(verdict: Verdict, events: readonly unknown[]): string {
  const { findings, crashes, late, acknowledged, unheard, deadLettered, redelivered } = verdict
  if (findings.length > 0) {
    const file = `${process.env.TMPDIR ?? '/tmp'}/ottla-together-${process.pid}.jsonl`
    writeFileSync(file, events.map(event => `${JSON.stringify(event)}\n`).join(''))
    throw new Error(`${findings.length} findings; history: ${file}\n  ${findings.slice(0, 12).join('\n  ')}`)
  }
  // On a busy machine a worker may be done with its record before it is killed.
  if (crashes.http < kills / 2 || crashes.grpc < kills / 2 || late === 0)
    throw new Error(`too little happened: ${JSON.stringify(verdict)}`)
  const dead = `${crashes.http} over HTTP and ${crashes.grpc} over gRPC were with workers that were killed`
  const done = `${acknowledged} acknowledged, and ${unheard} by workers that did not live to hear it`
  return `${done}; ${deadLettered} dead-lettered; ${dead}; ${redelivered} were handed out again; ${late} late acknowledgements refused`
}

let going = await item('a node, a topic, a browser that looks', async () => {
  const args = ['start', '--port', String(await freePort()), '--data', place.path]
  node = await startOttla([...args, '--set', `num.partitions=${partitions}`])
  const made = await fetch(`http://${node.bootstrap}/topics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: topic, partitions }),
  })
  if (!made.ok) throw new Error(await made.text())
  if (values.watch !== undefined) screen = new Screen(values.watch, node.bootstrap, group)
  return undefined
})

if (going)
  going = await item(
    `${records} records of a Java producer, ${2 * workers} workers, ${2 * kills} kill -9`,
    async () => {
      crew = new Crew({ address: node!.bootstrap, topic, group, leaseMs })
      for (let i = 0; i < workers; i++) {
        crew.hire('http', i === 0 ? 'dawdles' : '')
        crew.hire('grpc')
      }
      const producing = produce(node!.bootstrap)
      // Heard of below.
      producing.catch(() => {})
      for (let i = 0; i < kills; i++) {
        await crew.killOne('http')
        await sleep(600)
        await crew.killOne('grpc')
        await sleep(600)
      }
      await producing
      let left = null as Group | null
      const isDone = async () => {
        left = await groupNow()
        return left.lag === 0 && left.acquired + left.waiting + left.dying === 0
      }
      await until('everything is done', 60_000, isDone).catch(error => {
        const troubles = crew?.troubles.join('\n')
        throw new Error(`${error.message}; left: ${JSON.stringify(left)}; troubles of workers: ${troubles || 'none'}`)
      })
      if (screen !== null) {
        const { shown } = screen
        await until('the page shows it', 10_000, () => shown.at(-1)?.done === records).catch(() => {})
      }
      await crew.stop()
      if (crew.troubles.length > 0) throw new Error(crew.troubles.join('\n'))
      return undefined
    },
  )

if (going)
  await item('each is acknowledged once or dead-lettered, and never held by two', async () => {
    const { events } = crew!
    return judgeWork(judge(events, { written, hopeless: isHopeless, dead: await deadLetters() }), events)
  })

if (going && screen !== null) {
  const looked: Screen = screen
  await item('the console showed it live', async () => judgeScreen(looked))
  await looked.close()
}

if (going)
  await item('stop', async () => {
    const code = await node!.stop()
    if (code !== 0) throw new Error(`the node ended with ${code}`)
    node = null
    return undefined
  })
else await crew?.stop('SIGKILL')
finish()
