import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, Kafka, Ottla } from './brokers.ts'
import { removeFolder, temporaryFolder } from './place.ts'
import { residentMiB } from './proc.ts'
import { log } from './program.ts'
import type { Measure } from './results.ts'
import { produce } from './tools.ts'
import { createTopic, deleteTopic, fillPartitions, idleConnections, untilServed, withAdmin } from './wire.ts'

export interface StartupOptions {
  readonly ottlaRoot: string
  /** The first of a handful of ports. */
  readonly port: number
  readonly only: RegExp
  readonly quick: boolean
  readonly kinds: readonly Kind[]
}

type Kind = 'kafka' | 'ottla'
type Note = (name: string, unit: Measure['unit'], value: number) => void

/** Starting, idling, restarting: one broker at a time, the other one is not running. */
export async function measureStartup(options: StartupOptions): Promise<Measure[]> {
  const found = new Map<string, Measure & { readonly values: number[] }>()
  const rounds = (kind: Kind) => (options.quick ? 1 : kind === 'ottla' ? 5 : 3)
  const trials: readonly [string, number, Trial][] = [
    ['start', 5, startOnce],
    ['idle', 1, idle],
    ['partitions-1000', 1, (broker, note) => manyPartitions(broker, 1000, note)],
    ['partitions-5000', 1, (broker, note) => manyPartitions(broker, 5000, note)],
    ['recovery', 1, (broker, note) => recovery(broker, options.quick ? 0.1 : 1, note)],
  ]
  for (const [name, most, trial] of trials) {
    if (!options.only.test(name) || (options.quick && name === 'partitions-5000')) continue
    for (let round = 0; round < Math.max(...options.kinds.map(rounds)); round++) {
      for (const kind of options.kinds) {
        if (round >= Math.min(most, rounds(kind))) continue
        log(`${name}, ${kind}, ${round + 1}`)
        const note: Note = (measure, unit, value) => {
          const key = `${measure} ${kind}`
          const values = found.get(key)?.values ?? []
          values.push(Math.round(value * 10) / 10)
          found.set(key, { name: measure, unit, contestant: kind, values })
          log(`  ${measure}: ${Math.round(value)} ${unit}`)
        }
        await withFreshBroker(kind, options, broker => trial(broker, note))
      }
    }
  }
  return [...found.values()]
}

type Trial = (broker: Broker, note: Note) => Promise<void>

async function withFreshBroker(kind: Kind, options: StartupOptions, use: (broker: Broker) => Promise<void>) {
  const folder = temporaryFolder(kind)
  const { ottlaRoot, port } = options
  const broker =
    kind === 'kafka'
      ? new Kafka({ port: port + 1, folder, settings: [] })
      : new Ottla({ root: ottlaRoot, port, folder, flush: 'os' })
  try {
    await use(broker)
    await broker.kill()
  } finally {
    removeFolder(folder)
  }
}

/** From exec to the first answer, with new data and with the same data again. */
async function startOnce(broker: Broker, note: Note): Promise<void> {
  const first = await broker.start()
  if (first.formatMs !== null) note('format new storage', 'ms', first.formatMs)
  note('start on new data', 'ms', first.readyMs)
  await broker.stop()
  note('start again', 'ms', (await broker.start()).readyMs)
}

async function idle(broker: Broker, note: Note): Promise<void> {
  await broker.start()
  await sleep(3000)
  note('resident, idle', 'MiB', residentMiB(broker.pid()).now)
  const sockets = await idleConnections(broker.port, 1000)
  await sleep(3000)
  note('resident, 1,000 idle connections', 'MiB', residentMiB(broker.pid()).now)
  for (const socket of sockets) socket.destroy()
}

/** Served means: the leader of each partition tells its end offset. */
async function manyPartitions(broker: Broker, count: number, note: Note): Promise<void> {
  const shown = count.toLocaleString('en')
  await broker.start()
  await createTopic(broker.port, 'warm-up', 1)
  const begun = performance.now()
  await createTopic(broker.port, 'many', count)
  note(`create ${shown} partitions`, 'ms', performance.now() - begun)
  await fillPartitions(broker.port, 'many', count)
  await sleep(1000)
  await broker.stop()
  note(`${shown} partitions: restart after a clean stop`, 'ms', await restart(broker, 'many', count, count))
  await fillPartitions(broker.port, 'many', count)
  await broker.kill()
  note(`${shown} partitions: restart after kill -9`, 'ms', await restart(broker, 'many', count, 2 * count))
}

/** Four segments of 512 MiB, none of them closed: all of it has to be looked at. */
async function recovery(broker: Broker, scale: number, note: Note): Promise<void> {
  await broker.start()
  const records = Math.round(210_000 * scale)
  await createTopic(broker.port, 'large', 4)
  const properties = ['acks=1', 'batch.size=65536']
  await produce(broker.bootstrap, 'large', { records, recordBytes: 10_240, throughput: -1, properties })
  await broker.kill()
  const name = `${scale * 2} GB of log: restart after kill -9`
  note(name, 'ms', await restart(broker, 'large', 4, records))
  await deleteTopic(broker.port, 'large')
}

/** ms from exec until all partitions are served, with all records that they had. */
async function restart(broker: Broker, topic: string, partitions: number, records: number): Promise<number> {
  const { execAt } = await broker.start()
  const found = await withAdmin(broker.port, (_, cluster) => untilServed(cluster, topic, partitions))
  if (found !== records) throw new Error(`${broker.kind}: ${found} of ${records} records after the restart`)
  return Date.now() - execAt
}
