import { setTimeout as sleep } from 'node:timers/promises'
import { Ottla } from '../brokers.ts'
import { removeFolder, temporaryFolder } from '../place.ts'
import { residentMiB } from '../proc.ts'
import type { Idle } from './results.ts'

/** ms after which a node that was started has come to rest. */
const restMs = 2000

/** Starts a node by turns with all its doors and with none but Kafka's; nobody uses any. */
export async function measureIdle(root: string, port: number, trials: number): Promise<Idle[]> {
  const found = (['all', 'kafka'] as const).map(doors => ({
    doors,
    startMs: [] as number[],
    residentMiB: [] as number[],
  }))
  for (let trial = 0; trial < trials; trial++) {
    for (const { doors, startMs, residentMiB: memory } of found) {
      const folder = temporaryFolder(`idle-${doors}`)
      const args = doors === 'all' ? [] : ['--doors', doors]
      const broker = new Ottla({ root, port, folder, flush: 'os', args })
      startMs.push(Math.round((await broker.start()).readyMs))
      await sleep(restMs)
      memory.push(Math.round(residentMiB(broker.pid()).now * 10) / 10)
      await broker.stop()
      removeFolder(folder)
    }
  }
  return found
}
