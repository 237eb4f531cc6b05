import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dice } from '../checker/generate.ts'
import { Kafka, Ottla } from './broker.ts'
import { LoopDisk, noLoopDevices } from './loop-disk.ts'
import { finish, item, judge, keep, percentile, skip } from './report.ts'
import { Workload, writerOf } from './workload.ts'

// Power cuts: the data directory lies on an ext4 of its own; its image is taken at a random moment under load, and the
// broker goes on from that image. What was not synced is gone; what was acknowledged must not be. `--kafka` runs the same
// against Apache Kafka, told to sync each record. `--flush os --loses` proves that the test would notice.

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    flush: { type: 'string', default: 'ack' },
    clients: { type: 'string', default: 'java,confluent,franz-go,platformatic' },
    port: { type: 'string', default: '29151' },
    kafka: { type: 'boolean', default: false },
    loses: { type: 'boolean', default: false },
  },
})

const impossible = noLoopDevices()
if (impossible) {
  skip('power cuts', impossible)
  finish()
}

const roll = dice(Number(options.seed))
const place = mkdtempSync(join(tmpdir(), 'ottla-power-'))
const disk = new LoopDisk(place, '1G')
const settings = { port: Number(options.port), data: join(disk.mount, 'data'), log: join(place, 'broker.log') }
const broker = options.kafka
  ? new Kafka({ ...settings, args: ['log.flush.interval.messages=1'] })
  : new Ottla({ ...settings, args: ['--flush', options.flush] })
const workload = new Workload(options.clients.split(',').map(writerOf), broker.bootstrap)
console.log(`seed ${options.seed}, ${options.clients}, files in ${place}`)

const starts: number[] = []
let going = await item('start', async () => {
  await broker.start()
  if (options.kafka) execFileSync('sync', ['-f', disk.mount]) // the files that its start script wrote
  await workload.start()
  await workload.progress(100, 30_000)
  return undefined
})

async function cut(frozen: boolean): Promise<string> {
  await sleep(roll(600))
  if (frozen) {
    process.kill(broker.pid(), 'SIGSTOP')
    disk.photograph()
  }
  await broker.kill()
  if (!frozen) disk.photograph()
  disk.comeBack()
  starts.push(await broker.start())
  await workload.progress(20, 30_000)
  await workload.caughtUp(options.loses ? 3000 : 30_000)
  return `${workload.acked} acknowledged`
}

const rounds = Number(options.rounds)
if (options.loses && going) {
  await item('a power cut loses what was acknowledged without a sync: this test can see it', async () => {
    for (let round = 1; round <= rounds; round++) {
      const seen = await cut(roll(2) === 0).then(
        () => null,
        error => String((error as Error).message).split('\n')[0]!,
      )
      if (seen) return seen
    }
    throw new Error(`nothing was lost in ${rounds} power cuts`)
  })
  await workload.close()
  await broker.kill()
  disk.remove()
  rmSync(place, { recursive: true, force: true })
  finish()
}

for (let round = 1; round <= rounds && going; round++) {
  const frozen = roll(2) === 0
  going = await item(`power cut, round ${round}${frozen ? ' (stopped first)' : ''}`, () => cut(frozen))
}

if (!going) keep(workload.halfHistory(), join(tmpdir(), `ottla-power-${options.seed}.jsonl`))
if (going) {
  going = await item('everything acknowledged is there at the end, once and in order', async () => {
    await workload.stopWriting()
    return judge(await workload.history(), join(tmpdir(), `ottla-power-${options.seed}.jsonl`))
  })
}
await workload.close()
await broker.stop()
if (going) {
  disk.remove()
  rmSync(place, { recursive: true, force: true })
}
console.log(`start after a power cut: p50 ${percentile(starts, 0.5)} ms, max ${Math.max(0, ...starts)} ms`)
finish()
