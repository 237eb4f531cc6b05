import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dice } from '../checker/generate.ts'
import { root } from '../clients/programs.ts'
import { enterRoom, inRoom, Lan, noLan } from '../machines/lan.ts'
import { KafkaCluster, type Members, OttlaCluster } from '../machines/members.ts'
import { Status } from '../machines/status.ts'
import { faults } from './cluster/catalogue.ts'
import { CommittedOffsets } from './cluster/committed.ts'
import { planOf, type Step } from './cluster/plan.ts'
import { type Fault, memberOf, type Scene } from './cluster/scene.ts'
import { LoopDisk, noLoopDevices } from './loop-disk.ts'
import { finish, item, judge, keep, percentile, skip } from './report.ts'
import { installClients, Workload, writerOf } from './workload.ts'

// Three nodes under load, and what real machines do to them, one fault after the other from a seed. Where it can be made
// each node has a network of its own and a disk of its own.

const { values: options } = parseArgs({
  options: {
    /** Of the faults, in turns; each kind comes once before one comes again. */
    rounds: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: '' },
    clients: { type: 'string', default: 'java,confluent,franz-go,kafkajs' },
    flush: { type: 'string', default: 'ack' },
    topology: { type: 'string', default: 'star,chain' },
    /** A checkout with a build: the nodes begin with that one; the fault `upgrade` brings this one, and then that one again. */
    from: { type: 'string' },
    port: { type: 'string', default: '29160' },
    plain: { type: 'boolean', default: false },
    kafka: { type: 'boolean', default: false },
  },
})

const writers = options.clients.split(',').map(writerOf)
installClients(writers)
if (!options.plain && !options.kafka) enterRoom()

/** Acknowledgements a second that each writer must have had on average, or the run proves nothing. */
const leastRate = 20
const nodes = 3
const place = mkdtempSync(join(tmpdir(), 'ottla-cluster-'))
const roll = dice(Number(options.seed))
const lan = inRoom() ? await Lan.open(nodes, 9092) : null
const disks = options.kafka || options.plain || noLoopDevices() !== null ? null : await makeDisks()
const cluster = makeCluster()
const status = new Status(cluster.all)
const workload = new Workload(writers, cluster.bootstrap)
const topologies = options.kafka ? ['star'] : options.topology.split(',')
const versions = options.from === undefined ? [] : [options.from, root]
const scene: Scene = { members: cluster, status, lan, disks, versions, topics: workload.topics, roll }
const offsets = new CommittedOffsets(status, workload.topics)
const plan = planOf(chosenFaults(), Number(options.rounds), roll)
const history = join(tmpdir(), `ottla-cluster-${options.seed}.jsonl`)
writeFileSync(join(place, 'schedule.json'), JSON.stringify({ options, plan }, null, 2))
console.log(
  `seed ${options.seed}, ${options.clients}, ${lan ? 'a network of machines' : `loopback (${noLan() ?? 'as asked'})`}, files in ${place}`,
)

async function makeDisks(): Promise<Map<number, LoopDisk>> {
  const made = new Map<number, LoopDisk>()
  for (let node = 1; node <= nodes; node++) {
    const folder = join(place, `disk${node}`)
    mkdirSync(folder)
    made.set(node, new LoopDisk(folder, '1G'))
  }
  return made
}

function makeCluster(): Members {
  const port = Number(options.port)
  if (options.kafka) {
    const settings = ['group.initial.rebalance.delay.ms=100']
    return new KafkaCluster({ port, place: join(place, 'kafka'), settings })
  }
  return new OttlaCluster({
    nodes,
    port: lan ? 9092 : port,
    place,
    args: ['--flush', options.flush, '--set', 'group.initial.rebalance.delay.ms=100'],
    ...(options.from === undefined ? {} : { root: options.from }),
    ...(lan ? { lan } : {}),
    ...(disks ? { data: node => join(disks.get(node)!.mount, 'data') } : {}),
  })
}

function chosenFaults(): Fault[] {
  const only = options.only === '' ? null : options.only.split(',')
  const unknown = only?.find(name => !faults.some(fault => fault.name === name))
  if (unknown) throw new Error(`there is no fault ${unknown}: ${faults.map(({ name }) => name).join(', ')}`)
  return faults.filter(fault => {
    if (only && !only.includes(fault.name)) return false
    const reason = fault.impossible(scene)
    if (reason !== null) skip(fault.name, reason)
    return reason === null
  })
}

/** ms, by fault and client. */
const gaps = new Map<string, Map<string, number[]>>()
const healing: number[] = []

/** One fault from beginning to end. Afterwards the cluster is whole, and everything acknowledged was shown to readers. */
async function suffer({ fault: name, calm, hold }: Step): Promise<string> {
  const fault = faults.find(each => each.name === name)!
  await sleep(calm)
  workload.takeGaps()
  const begun = Date.now()
  const { what, heal } = await fault.inject(scene)
  let wentOn = ''
  try {
    if (fault.goesOn) {
      await workload.progress(20, fault.patience ?? 30_000, fault.misled)
      wentOn = `, went on after ${Date.now() - begun} ms`
    }
    await sleep(Math.max(0, begun + hold - Date.now()))
  } finally {
    await heal()
  }
  const healed = Date.now()
  await workload.progress(20, 60_000)
  const progressed = Date.now() - healed
  const whole = await status.whole([...scene.topics, '__consumer_offsets'], 90_000)
  healing.push(whole)
  await workload.caughtUp(60_000)
  const waits = workload.takeGaps()
  const known = gaps.get(name) ?? new Map<string, number[]>()
  gaps.set(name, known)
  for (const { client, ms } of waits) known.set(client, [...(known.get(client) ?? []), ms])
  return `${what}${wentOn}; healed: all acknowledged after ${progressed} ms, whole after ${whole} ms; longest gap ${waits.map(({ client, ms }) => `${client} ${ms}`).join(', ')} ms; ${workload.acked} acknowledged`
}

/** Also the quorum: with one voter any node but that one may go, and it may not. */
async function threeVoters(): Promise<void> {
  for (const end = Date.now() + 60_000; ; await sleep(200)) {
    const { length } = await status.voters()
    if (length >= 3) return
    if (Date.now() > end) throw new Error(`after a minute there are ${length} voters`)
  }
}

let turn = 0
const create = (topic: string, partitions: number) => {
  const topology = topologies[turn++ % topologies.length]!
  return status.create(topic, partitions, topology === 'star' ? {} : { 'replication.topology': topology })
}

let going = await item('start', async () => {
  const ready = await cluster.start()
  if (disks) execFileSync('sync')
  await threeVoters()
  await workload.start(create)
  // On a busy machine a JVM alone takes a minute to begin.
  await workload.progress(100, 180_000)
  await status.whole([...scene.topics, '__consumer_offsets'], 60_000)
  return `${nodes} nodes ready after ${Math.round(ready)} ms`
})
const began = Date.now()
offsets.watch()
for (const [i, step] of plan.entries()) {
  if (!going || (Number(options.seconds) > 0 && Date.now() - began > Number(options.seconds) * 1000)) break
  going = await item(`${step.fault}, round ${i + 1}`, () => suffer(step))
}
const seconds = (Date.now() - began) / 1000
const committed = await offsets.stop()
console.log(`${offsets.acknowledged} commits of offsets acknowledged`)

if (going) {
  going = await item(
    'everything acknowledged is there at the end, once and in order; no committed offset went back',
    async () => {
      await workload.stopWriting()
      return judge([...(await workload.history()), ...committed], history)
    },
  )
  going =
    (await item(`enough load: each writer ${leastRate} acknowledgements a second or more`, async () => {
      const rates = workload.streams.map(s => Math.round(s.acked / seconds))
      if (rates.some(rate => rate < leastRate)) throw new Error(`void: ${rates.join(', ')} a second`)
      return `${rates.join(', ')} a second`
    })) && going
} else keep([...workload.halfHistory(), ...committed], history)

if (gaps.size > 0) console.log('longest time without an acknowledgement in a round, p50 and max, ms:')
for (const [name, clients] of [...gaps].sort(([one], [other]) => (one < other ? -1 : 1))) {
  const figures = Array.from(clients, ([client, all]) => `${client} ${percentile(all, 0.5)}, ${Math.max(...all)}`)
  console.log(`  ${name} (${[...clients.values()][0]?.length}): ${figures.join('; ')}`)
}
if (healing.length > 0) console.log(`whole again: p50 ${percentile(healing, 0.5)} ms, max ${Math.max(...healing)} ms`)
await workload.close()
const exits = await item('clean stop', async () => {
  for (const member of cluster.all.toReversed()) {
    const code = member.running ? await member.stop() : null
    // The last of Kafka's controllers does not end without the others.
    if (going && code !== 0 && cluster.kind === 'ottla')
      throw new Error(`node ${memberOf(scene, member.node).node} ended with ${code} after SIGTERM`)
  }
  return undefined
})
lan?.close()
for (const disk of disks?.values() ?? []) disk.remove()
if (going && exits) rmSync(place, { recursive: true, force: true })
finish()
