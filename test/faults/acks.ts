import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Agent } from '../clients/agent.ts'
import { run } from '../clients/command.ts'
import { agents, installScript, toolScript } from '../clients/programs.ts'
import { Ottla } from './broker.ts'
import { finish, item, skip } from './report.ts'
import { Bend, noStrace } from './strace.ts'

// What an acknowledgement waits for, row by row: every sync of the broker is made to last `slow` ms, so a reply that comes
// sooner has not waited for one. What each setting survives is shown by kill.ts and power.ts.

const { values: options } = parseArgs({ options: { port: { type: 'string', default: '29153' } } })
const slow = 800
const impossible = noStrace()
if (impossible) {
  skip('acknowledgements', impossible)
  finish()
}
execFileSync(installScript, ['go', 'java'], { stdio: ['ignore', 2, 2] })

interface Case {
  acks: -1 | 0 | 1
  waits: boolean
  /** Settings of the topic. */
  config?: string
}

async function table(flush: 'ack' | 'os', cases: readonly Case[]): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'ottla-acks-'))
  const broker = new Ottla({
    port: Number(options.port),
    data: join(place, 'data'),
    log: join(place, 'broker.log'),
    args: ['--flush', flush],
  })
  await broker.start()
  const agent = new Agent(agents['franz-go']!.program, broker.bootstrap)
  for (const [i, { acks, waits, config }] of cases.entries()) {
    const name = `--flush ${flush}, acks=${acks === -1 ? 'all' : acks}${config ? `, ${config}` : ''}`
    await item(`${name}: ${waits ? 'waits for the disk' : 'does not wait for the disk'}`, async () => {
      const topic = `acks-${flush}-${i}`
      await agent.do('create', { topic, partitions: 1 })
      if (config) {
        const entity = ['--entity-type', 'topics', '--entity-name', topic, '--alter', '--add-config', config]
        await run(toolScript, ['kafka-configs', '--bootstrap-server', broker.bootstrap, ...entity])
      }
      const records = [{ partition: 0, key: null, value: '0' }]
      const produce = () => agent.do('produce', { topic, acks, idempotent: false, records })
      await produce() // files are made, connections open
      const bend = new Bend(broker.pid(), 'fdatasync,fsync', `delay_enter=${slow * 1000}`)
      await bend.begun()
      const begun = Date.now()
      await produce()
      const ms = Date.now() - begun
      await bend.heal()
      if (waits) assert.ok(ms >= slow, `acknowledged after ${ms} ms, before the sync can have ended`)
      else assert.ok(ms < slow, `acknowledged only after ${ms} ms`)
      const { rows } = await agent.do('consume', { topic, group: topic, count: 2, slim: true })
      assert.equal(rows.length, 2)
      return `${ms} ms`
    })
  }
  await agent.close()
  await broker.stop()
  rmSync(place, { recursive: true, force: true })
}

await table('ack', [
  { acks: 0, waits: false },
  { acks: 1, waits: false },
  { acks: -1, waits: true },
  { acks: -1, waits: false, config: 'flush.messages=1000' },
])
await table('os', [
  { acks: 0, waits: false },
  { acks: 1, waits: false },
  { acks: -1, waits: false },
  { acks: -1, waits: true, config: 'flush.messages=1' },
])
finish()
