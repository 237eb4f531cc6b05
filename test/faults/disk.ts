import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Agent } from '../clients/agent.ts'
import { agents } from '../clients/programs.ts'
import { Ottla } from './broker.ts'
import { LoopDisk, noLoopDevices } from './loop-disk.ts'
import { finish, item, judge, skip } from './report.ts'
import { Bend, noStrace } from './strace.ts'
import { Workload, writerOf } from './workload.ts'

// Disks that misbehave under a running broker: full (it refuses and recovers by itself), and failing to sync (it stops).

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: 'java,confluent,franz-go' },
    port: { type: 'string', default: '29152' },
  },
})

const writers = options.clients.split(',').map(writerOf)
const rounds = Number(options.rounds)

async function fullDisk(): Promise<void> {
  const impossible = noLoopDevices()
  if (impossible) return skip('full disk', impossible)
  const place = mkdtempSync(join(tmpdir(), 'ottla-full-'))
  const disk = new LoopDisk(place, '160M')
  const broker = new Ottla({
    port: Number(options.port),
    data: join(disk.mount, 'data'),
    log: join(place, 'broker.log'),
  })
  await broker.start()
  const pid = broker.pid()
  const workload = new Workload(writers, broker.bootstrap)
  await workload.start()
  await workload.progress(100, 30_000)
  const impatient = new Agent(agents['franz-go']!.program, broker.bootstrap)
  await impatient.do('create', { topic: 'refused', partitions: 1 })
  for (let round = 1; round <= rounds; round++) {
    const fine = await item(`full disk, round ${round}`, async () => {
      fillUp(disk.mount)
      // Nothing is acknowledged any more, whatever room the last blocks of open files still gave.
      let before = -1
      for (let quiet = 0; quiet < 3; quiet = workload.acked === before ? quiet + 1 : 0) {
        before = workload.acked
        await sleep(300)
        fillUp(disk.mount)
      }
      const refused = await refusal(impatient)
      assert.match(refused, /storage|disk|KAFKA_STORAGE_ERROR|56/i, `a producer was told: ${refused}`)
      await workload.caughtUp(15_000) // reading goes on
      const begun = Date.now()
      rmSync(join(disk.mount, 'fill'))
      await workload.progress(20, 30_000)
      const ms = Date.now() - begun
      assert.equal(broker.pid(), pid, 'without a restart')
      await workload.caughtUp(15_000)
      assert.ok(ms <= 5000 + 2000, `producing resumed only after ${ms} ms`)
      return `resumed ${ms} ms after there was room`
    })
    if (!fine) break
  }
  await item('full disk: everything acknowledged is there at the end', async () => {
    await workload.stopWriting()
    const code = await broker.stop()
    assert.equal(code, 0)
    await broker.start()
    return judge(await workload.history(), join(tmpdir(), 'ottla-full.jsonl'))
  })
  await workload.close()
  await impatient.close()
  await broker.stop()
  disk.remove()
  rmSync(place, { recursive: true, force: true })
}

/** To the last block; again, when the broker has freed some since. */
function fillUp(folder: string): void {
  const file = join(folder, 'fill')
  const chunk = Buffer.alloc(1 << 16)
  try {
    for (const { bavail, bsize } = statfsSync(folder); bavail * bsize > 0; ) writeFileSync(file, chunk, { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

/** What a producer is told that does not wait long. */
async function refusal(agent: Agent): Promise<string> {
  const records = Array.from({ length: 20 }, () => ({ partition: 0, key: null, value: 'x'.repeat(50_000) }))
  return agent
    .do('produce', { topic: 'refused', records, retries: 2 }, 15_000)
    .then(() => 'nothing: it was acknowledged')
    .catch(error => (error as Error).message)
}

async function failingSync(): Promise<void> {
  const impossible = noStrace()
  if (impossible) return skip('failing sync', impossible)
  const place = mkdtempSync(join(tmpdir(), 'ottla-eio-'))
  const broker = new Ottla({ port: Number(options.port), data: join(place, 'data'), log: join(place, 'broker.log') })
  await broker.start()
  const workload = new Workload(writers, broker.bootstrap)
  await workload.start()
  await workload.progress(100, 30_000)
  for (let round = 1; round <= rounds; round++) {
    const fine = await item(`fsync fails with EIO, round ${round}`, async () => {
      const bend = new Bend(broker.pid(), 'fdatasync,fsync', 'error=EIO')
      await bend.begun()
      const begun = Date.now()
      const code = await broker.ended(5000)
      const ms = Date.now() - begun
      await bend.heal()
      assert.ok(code !== null, 'the broker went on after a failed sync')
      assert.notEqual(code, 0, 'it ended as if all were well')
      const after = workload.acked
      await sleep(200)
      assert.equal(workload.acked, after, 'an acknowledgement after the failed sync')
      await broker.start()
      await workload.progress(20, 30_000)
      await workload.caughtUp(30_000)
      return `stopped itself within ${ms} ms, code ${code}`
    })
    if (!fine) break
  }
  await item('failed syncs: everything acknowledged is there at the end', async () => {
    await workload.stopWriting()
    return judge(await workload.history(), join(tmpdir(), 'ottla-eio.jsonl'))
  })
  await workload.close()
  await broker.stop()
  rmSync(place, { recursive: true, force: true })
}

await fullDisk().catch(error => item('full disk', () => Promise.reject(error)))
await failingSync().catch(error => item('failing sync', () => Promise.reject(error)))
finish()
