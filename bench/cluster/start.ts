import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaCluster, type Members, OttlaCluster } from '../../test/machines/members.ts'
import { Status } from '../../test/machines/status.ts'
import { removeFolder, temporaryFolder } from '../place.ts'
import { residentMiB } from '../proc.ts'
import { log } from '../program.ts'
import type { Contestant, Measured } from './results.ts'

export interface Running {
  readonly contestant: Contestant
  readonly cluster: Members
  readonly status: Status
}

export interface StartOptions {
  readonly ottlaRoot: string
  /** The first of twenty. */
  readonly port: number
  readonly note: (measured: Measured) => void
}

/** Three nodes from empty directories, for as long as `use` takes. One cluster runs at a time. */
export async function withCluster<T>(
  contestant: Contestant,
  options: StartOptions,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const place = temporaryFolder(`cluster-${contestant}`)
  const { port, note } = options
  const cluster =
    contestant === 'kafka'
      ? new KafkaCluster({ port, place, settings: ['log.segment.delete.delay.ms=1000'] })
      : new OttlaCluster({
          nodes: 3,
          port,
          place: join(place, 'nodes'),
          root: options.ottlaRoot,
          args: ['--flush', contestant === 'ottla' ? 'os' : 'ack'],
        })
  try {
    const readyMs = await cluster.start()
    log(`${contestant}: three nodes are ready after ${Math.round(readyMs)} ms`)
    note({ what: 'three nodes ready, from empty directories', unit: 'ms', contestant, value: Math.round(readyMs) })
    const status = new Status(cluster.all)
    await untilThreeVote(status)
    await sleep(2000)
    note({ what: 'resident, three idle nodes', unit: 'MiB', contestant, value: Math.round(memory(cluster)) })
    return await use({ contestant, cluster, status })
  } finally {
    // What it was started for is over: nobody needs it to end well, and Kafka's last controller would not.
    await Promise.all(cluster.all.map(member => member.running && member.kill()))
    removeFolder(place)
  }
}

/** MiB of all nodes together. */
const memory = ({ all }: Members) => all.reduce((sum, { pid }) => sum + residentMiB(pid).now, 0)

async function untilThreeVote(status: Status): Promise<void> {
  for (const end = Date.now() + 90_000; (await status.voters()).length < 3; await sleep(200)) {
    if (Date.now() > end) throw new Error('there are no three voters')
  }
}
