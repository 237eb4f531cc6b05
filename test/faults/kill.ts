import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dice } from '../checker/generate.ts'
import { Kafka, Ottla } from './broker.ts'
import { finish, item, judge, keep, percentile } from './report.ts'
import { Workload, writerOf } from './workload.ts'

// kill -9 at random moments under load, then a start on the same directory: nothing acknowledged may be lost, doubled or
// moved. `--kafka` runs the same against Apache Kafka.

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    flush: { type: 'string', default: 'ack' },
    clients: { type: 'string', default: 'java,confluent,franz-go,platformatic,kafkajs,franz-go:1' },
    port: { type: 'string', default: '29150' },
    kafka: { type: 'boolean', default: false },
  },
})

const roll = dice(Number(options.seed))
const place = mkdtempSync(join(tmpdir(), 'ottla-kill-'))
const settings = { port: Number(options.port), data: join(place, 'data'), log: join(place, 'broker.log') }
const broker = options.kafka ? new Kafka(settings) : new Ottla({ ...settings, args: ['--flush', options.flush] })
const workload = new Workload(options.clients.split(',').map(writerOf), broker.bootstrap)
console.log(`seed ${options.seed}, ${options.clients}, --flush ${options.flush}, files in ${place}`)

const starts: number[] = []
const gaps: number[] = []
const readers: number[] = []
let going = await item('start', async () => {
  await broker.start()
  await workload.start()
  await workload.progress(100, 30_000)
  return undefined
})

const rounds = going ? Number(options.rounds) : 0
for (let round = 1; round <= rounds && going; round++) {
  going = await item(`kill -9, round ${round}`, async () => {
    await sleep(roll(500))
    await broker.kill()
    const killed = Date.now()
    await sleep(roll(100))
    starts.push(await broker.start())
    await workload.progress(1, 30_000)
    gaps.push(Date.now() - killed)
    await workload.progress(20, 30_000)
    const progressed = Date.now()
    await workload.caughtUp(30_000)
    readers.push(Date.now() - progressed)
    return `${workload.acked} acknowledged`
  })
}

if (!going) keep(workload.halfHistory(), join(tmpdir(), `ottla-kill-${options.seed}.jsonl`))
if (going)
  await item('everything acknowledged is there at the end, once and in order', async () => {
    await workload.stopWriting()
    const code = await broker.stop()
    if (code !== 0) throw new Error(`the broker ended with ${code} after SIGTERM`)
    await broker.start()
    return judge(await workload.history(), join(tmpdir(), `ottla-kill-${options.seed}.jsonl`))
  })
const longest = workload.streams.map(s => `${s.options.client} ${s.longestGap}`)
console.log(`longest time without an acknowledgement, ms: ${longest.join(', ')}`)
await workload.close()
await broker.stop()
console.log(`start after kill: p50 ${percentile(starts, 0.5)} ms, max ${Math.max(0, ...starts)} ms`)
console.log(
  `until every writer is acknowledged again: p50 ${percentile(gaps, 0.5)} ms, p95 ${percentile(gaps, 0.95)} ms`,
)
console.log(`until the readers had caught up: p50 ${percentile(readers, 0.5)} ms, p95 ${percentile(readers, 0.95)} ms`)
if (going) rmSync(place, { recursive: true, force: true })
finish()
