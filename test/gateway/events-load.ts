// Many subscribers of one topic: each must get every record, once, in the order of its partition; also when the node is
// killed in the middle and they come back with their last id. The node is a process of its own; this one is everybody else.
//   node dist/test/gateway/events-load.js --subscribers 1000 --rate 20 --seconds 60
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Producer } from '../../src/client/producer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Ottla } from '../faults/broker.ts'
import { finish, item, percentile } from '../faults/report.ts'
import { LoadSubscriber } from './load-subscriber.ts'

const { values } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '1000' },
    partitions: { type: 'string', default: '4' },
    /** Records a second, of which everybody gets each. */
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
    /** Bytes of a value, about. */
    size: { type: 'string', default: '100' },
    port: { type: 'string', default: '29170' },
    /** How often the node is killed. */
    kills: { type: 'string', default: '1' },
    /** MiB that the node may take. */
    memory: { type: 'string', default: '400' },
    /** Where the figures go, too. */
    json: { type: 'string' },
  },
})
const [count, partitions, rate, seconds] = [values.subscribers, values.partitions, values.rate, values.seconds].map(
  Number,
) as [number, number, number, number]
const port = Number(values.port)
const topic = 'events'
const place = mkdtempSync(join(tmpdir(), 'ottla-events-'))
const broker = new Ottla({ port, data: join(place, 'data'), log: join(place, 'broker.log') })
const filler = 'x'.repeat(Math.max(0, Number(values.size) - 40))
const subscribers: LoadSubscriber[] = []
let kafka: Cluster
let producer: Producer

/** Bytes resident, and seconds of processor time, of the node. */
function usage(): { memory: number; cpu: number } {
  const status = readFileSync(`/proc/${broker.pid()}/status`, 'utf8')
  const [user = 0, system = 0] = readFileSync(`/proc/${broker.pid()}/stat`, 'utf8')
    .split(') ')[1]!
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return { memory: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024, cpu: (user + system) / 100 }
}

/** For `--json`. */
const figures: Record<string, unknown> = {
  subscribers: count,
  recordsPerSecond: rate,
  seconds,
  kills: Number(values.kills),
}

let sent = 0
/** At an even pace; those that wait for a node that was killed are written when it is back. */
async function produce(records: number): Promise<void> {
  const begun = performance.now()
  const results: Promise<unknown>[] = []
  for (let i = 0; i < records; i++) {
    const wait = begun + (i * 1000) / rate - performance.now()
    if (wait > 0) await sleep(wait)
    const value = Buffer.from(JSON.stringify({ n: sent, at: Date.now(), filler }))
    results.push(producer.send({ topic, partition: sent % partitions, value }))
    sent++
  }
  await Promise.all(results)
}

/** Until everybody has everything; throws with who has not. */
async function everybodyHasAll(ms: number): Promise<void> {
  const wrong = () => subscribers.find(({ error }) => error !== null)?.error
  for (const end = performance.now() + ms; ; await sleep(50)) {
    if (wrong() != null) throw new Error(wrong()!)
    const late = subscribers.filter(({ received }) => received < sent)
    if (late.length === 0) return
    if (performance.now() > end)
      throw new Error(`${late.length} of ${count} have not got all ${sent}: ${late[0]!.describe()}`)
  }
}

let going = await item('start', async () => {
  await broker.start()
  kafka = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port }], retryBackoffMs: 50 })
  producer = new Producer(kafka)
  await new Admin(kafka).createTopics([{ name: topic, partitions }])
  return undefined
})

if (going)
  going = await item(`${count} subscribers`, async () => {
    const before = usage()
    while (subscribers.length < count) {
      const more = Array.from(
        { length: Math.min(50, count - subscribers.length) },
        () => new LoadSubscriber(port, topic, partitions),
      )
      subscribers.push(...more)
      await Promise.all(more.map(each => each.open()))
    }
    const { memory } = usage()
    figures.kibEach = Math.round((memory - before.memory) / 1024 / count)
    return `${figures.kibEach} KiB of memory each`
  })

if (going)
  going = await item(`${rate} records a second to each, for ${seconds} s`, async () => {
    const before = usage()
    const begun = performance.now()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, usage().memory)
    }, 250)
    await produce(rate * seconds)
    await everybodyHasAll(60_000)
    clearInterval(watch)
    const took = (performance.now() - begun) / 1000
    const delays = subscribers.flatMap(each => each.takeDelays())
    if (most > Number(values.memory) * 1024 * 1024)
      throw new Error(`the node took ${Math.round(most / 1024 / 1024)} MiB`)
    const deliveries = sent * count
    const deliveriesPerSecond = Math.round(deliveries / took)
    const latencyMs = { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) }
    const peakMiB = Math.round(most / 1024 / 1024)
    const cores = Math.round((100 * (usage().cpu - before.cpu)) / took) / 100
    Object.assign(figures, { deliveries, deliveriesPerSecond, latencyMs, peakMiB, cores })
    return [
      `${deliveries} deliveries, ${deliveriesPerSecond} a second`,
      `none lost, none twice, in order`,
      `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms`,
      `memory at most ${peakMiB} MiB`,
      `${(100 * cores).toFixed(0)} % of a core`,
    ].join('; ')
  })

for (let kill = 0; going && kill < Number(values.kills); kill++)
  going = await item('kill -9, and everybody goes on with the last id', async () => {
    const producing = produce(rate * 6)
    await sleep(2000)
    await broker.kill()
    await sleep(500)
    const start = await broker.start()
    const begun = performance.now()
    await producing
    await everybodyHasAll(120_000)
    const came = subscribers.reduce((sum, { reconnects }) => sum + reconnects, 0)
    const caughtUpMs = Math.round(performance.now() - begun)
    Object.assign(figures, { resumed: came, caughtUpMs })
    return `started in ${start} ms; everybody had everything ${caughtUpMs} ms later; ${came} streams were taken up again; ${usage().cpu.toFixed(1)} s of processor time in all`
  })

for (const subscriber of subscribers) subscriber.close()
if (going)
  going = await item('stop', async () => {
    await producer.close()
    kafka.close()
    const code = await broker.stop()
    if (code !== 0) throw new Error(`the node ended with ${code}`)
    return undefined
  })
if (going && values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
if (going) rmSync(place, { recursive: true, force: true })
else console.log(`files: ${place}`)
finish()
