import { setTimeout as sleep } from 'node:timers/promises'
import { OttlaCluster } from '../../test/machines/members.ts'
import { produce, stream } from '../tools.ts'
import type { Join } from './results.ts'
import type { Running } from './start.ts'

const partitions = 24
/** Records a second of the load that goes on meanwhile. */
const perSecond = 1000
const seconds = 40

/** A fourth node comes while a producer and a consumer go on: what moves, how long it takes, what clients feel. */
export async function measureJoin({ cluster, status }: Running, scale: number, topology: string): Promise<Join | null> {
  if (!(cluster instanceof OttlaCluster)) return null
  const topic = `join-${topology}`
  await status.create(topic, partitions, topology === 'star' ? {} : { 'replication.topology': topology })
  await status.whole([topic], 60_000)
  const records = Math.round(200_000 * scale)
  const load = { records, recordBytes: 1024, throughput: -1, properties: ['acks=all', 'linger.ms=20'] }
  await produce(cluster.bootstrap, topic, load)
  const streaming = () => stream(cluster.bootstrap, topic, Math.round(seconds * perSecond * 0.8), 1024, perSecond)
  const quiet = await streaming()
  const bytes = (await Promise.all([1, 2, 3].map(node => bytesOf(status, node)))).reduce((sum, each) => sum + each, 0)
  const moving = streaming()
  await sleep(4000)
  const begun = Date.now()
  await cluster.add().start()
  const movedMs = await untilSettled(status, topic, begun)
  const during = await moving
  await status.whole([topic], 60_000)
  // What was written meanwhile is not part of the move; it is a small share.
  const movedBytes = await bytesOf(status, 4)
  return {
    topology,
    bytes,
    movedBytes,
    movedMs,
    quietP99Ms: quiet.latencyMs!.p99,
    movingP99Ms: during.latencyMs!.p99,
  }
}

async function bytesOf(status: Running['status'], node: number): Promise<number> {
  const folders = await status.admin(admin => admin.describeLogDirs(node))
  return folders
    .flatMap(({ topics }) => topics)
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { partitionSize }) => sum + partitionSize, 0)
}

/** ms since `begun` until the last change of who holds what; after it nothing changed for ten seconds. */
async function untilSettled(status: Running['status'], topic: string, begun: number): Promise<number> {
  let before = ''
  let changed = Date.now()
  for (const limit = Date.now() + 300_000; Date.now() < limit; await sleep(100)) {
    const held = (await status.partitions(topic)).map(({ replicas, isr }) => [replicas, isr.toSorted()])
    const now = JSON.stringify(held)
    if (now !== before) changed = Date.now()
    before = now
    const fourth = held.some(([replicas]) => replicas!.includes(4))
    const whole = held.every(([replicas, isr]) => replicas!.length === 3 && isr!.length === 3)
    if (fourth && whole && Date.now() - changed > 10_000) return changed - begun
  }
  throw new Error('the fourth node has no share of the partitions, or they still move after five minutes')
}
