import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dice } from '../checker/generate.ts'
import { type Member, OttlaCluster } from '../machines/members.ts'
import { Status } from '../machines/status.ts'
import { untilAllVote } from '../machines/votes.ts'
import { clientOf, readNumbers, SteadyWriter } from './own-client.ts'
import { finish, item, judge, keep } from './report.ts'
import { installClients, Workload, writerOf } from './workload.ts'

// Disks that are lost for good. With n copies of which m must have everything (`min.insync.replicas`), m − 1 disks may be
// lost in the same moment, and nothing that was acknowledged is; writers go on as long as m nodes are there. The nodes come
// back with empty disks, under their old numbers, and are filled by the others.

const { values: options } = parseArgs({
  options: {
    /** For each cluster. */
    rounds: { type: 'string', default: '6' },
    /** Copies/min.insync.replicas, with as many nodes and votes as copies. */
    shapes: { type: 'string', default: '3/2,5/3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    clients: { type: 'string', default: 'java,franz-go' },
    topology: { type: 'string', default: 'star,chain' },
    port: { type: 'string', default: '29180' },
  },
})

const writers = options.clients.split(',').map(writerOf)
installClients(writers)
const topologies = options.topology.split(',')
const roll = dice(Number(options.seed))
console.log(`seed ${options.seed}, ${options.clients}`)

const numbersBelow = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

class Trial {
  readonly copies: number
  readonly least: number
  readonly place: string
  readonly cluster: OttlaCluster
  readonly status: Status
  readonly workload: Workload

  constructor(copies: number, least: number) {
    this.copies = copies
    this.least = least
    this.place = mkdtempSync(join(tmpdir(), `ottla-wipe-${copies}-`))
    const settings = [
      `quorum.voters=${copies}`,
      'quorum.voter.probation.ms=500',
      'group.initial.rebalance.delay.ms=100',
      `default.replication.factor=${copies}`,
      `offsets.topic.replication.factor=${copies}`,
      `min.insync.replicas=${least}`,
    ]
    this.cluster = new OttlaCluster({
      nodes: copies,
      port: Number(options.port),
      place: this.place,
      args: settings.flatMap(each => ['--set', each]),
    })
    this.status = new Status(this.cluster.all)
    this.workload = new Workload(writers, this.cluster.bootstrap)
  }

  get topics(): string[] {
    return [...this.workload.topics, '__consumer_offsets']
  }

  async start(): Promise<undefined> {
    await this.cluster.start()
    await untilAllVote(this.status, this.cluster, 90_000)
    let turn = 0
    await this.workload.start((topic, partitions) => {
      const topology = topologies[turn++ % topologies.length]!
      const linked = topology === 'star' ? {} : { 'replication.topology': topology }
      const configs = { 'min.insync.replicas': String(this.least), ...linked }
      return this.status.createOn(numbersBelow(this.copies), topic, partitions, configs)
    })
    await this.workload.progress(100, 180_000)
    await this.status.whole(this.topics, 60_000)
    return undefined
  }

  some(count: number): Member[] {
    const left = [...this.cluster.all]
    return Array.from({ length: count }, () => left.splice(roll(left.length), 1)[0]!)
  }

  /** As before, with disks that are full again. */
  async whole(): Promise<string> {
    await this.workload.progress(20, 90_000)
    const ms = await this.status.whole(this.topics, 120_000)
    await untilAllVote(this.status, this.cluster, 120_000)
    await this.workload.caughtUp(60_000)
    return `whole again after ${ms} ms, ${this.workload.acked} acknowledged`
  }

  /** As many as may be lost, while the others go on. */
  async lose(): Promise<string> {
    const victims = this.some(this.least - 1)
    await Promise.all(victims.map(member => member.kill()))
    for (const member of victims) member.wipe!()
    const begun = Date.now()
    await this.workload.progress(20, 60_000)
    const wentOn = Date.now() - begun
    await sleep(roll(3000))
    await Promise.all(victims.map(member => member.start()))
    return `lost the disks of nodes ${shown(victims)}, went on after ${wentOn} ms; ${await this.whole()}`
  }

  /** As many, while all are down: who has nothing comes back first. */
  async loseWhileDown(): Promise<string> {
    const { all } = this.cluster
    await Promise.all(all.map(member => member.kill()))
    const victims = this.some(this.least - 1)
    for (const member of victims) member.wipe!()
    const starting = victims.map(member => member.start())
    await sleep(roll(1500))
    await Promise.all([...starting, ...all.filter(member => !victims.includes(member)).map(member => member.start())])
    return `kill -9 of all, lost the disks of nodes ${shown(victims)}; ${await this.whole()}`
  }

  async end(round: boolean): Promise<boolean> {
    const { workload, cluster } = this
    const history = join(tmpdir(), `ottla-wipe-${this.copies}-${options.seed}.jsonl`)
    if (round)
      round = await item(`${this.name}: everything acknowledged is there, once and in order`, async () => {
        await workload.stopWriting()
        return judge(await workload.history(), history)
      })
    else keep(workload.halfHistory(), history)
    await workload.close()
    const clean = await item(`${this.name}: clean stop`, async () => {
      await cluster.stop()
      return undefined
    })
    if (round && clean) rmSync(this.place, { recursive: true, force: true })
    else console.log(`files in ${this.place}`)
    return round && clean
  }

  get name(): string {
    return `${this.copies} copies, min.insync.replicas ${this.least}`
  }
}

const shown = (members: readonly Member[]) => members.map(({ node }) => node).join(', ')

/**
 * Of three copies in a cluster of five, one after the other goes: first one that misses what comes then, then one that has it
 * all, then the last one. The second has lost its disk; it and the first come back. They must wait for the last one, which
 * alone has everything, and nobody may take the empty disk for a copy.
 */
async function eligible(trial: Trial, topology: string): Promise<string> {
  const { cluster, status } = trial
  const memberOf = (id: number): Member => cluster.all.find(({ node }) => node === id)!
  const [behind, wiped, last] = [memberOf(5), memberOf(4), memberOf(3)]
  const topic = `eligible-${topology}`
  const configs = { 'min.insync.replicas': '2', ...(topology === 'star' ? {} : { 'replication.topology': topology }) }
  await status.createOn([3, 4, 5], topic, 3, configs)
  await status.whole([topic], 30_000)
  const client = clientOf(cluster.bootstrap)
  const inSync = async (ids: readonly number[]) => {
    for (const end = Date.now() + 20_000; ; await sleep(100)) {
      const isrs = (await status.partitions(topic)).map(({ isr }) => [...isr].sort().join())
      if (isrs.every(isr => isr === ids.join())) return
      if (Date.now() > end) throw new Error(`in sync are ${isrs.join(' and ')}, not ${ids}`)
    }
  }
  try {
    const writer = new SteadyWriter(client, topic, 3, 200)
    await sleep(1000)
    await behind.kill()
    await inSync([3, 4])
    const before = writer.acknowledged
    await sleep(2000)
    await writer.stop()
    assert.ok(writer.acknowledged > before + 100, 'too little was written without the first one')
    await wiped.kill()
    await inSync([3])
    await last.kill()
    wiped.wipe!()
    await Promise.all([behind.start(), wiped.start()])
    await sleep(5000)
    const leaders = (await status.partitions(topic)).map(({ leader }) => leader)
    await last.start()
    const { length: partitions } = leaders
    await status.whole([topic], 60_000)
    const numbers = (await readNumbers(client, topic, partitions, writer.acknowledged)).flat().sort((a, b) => a - b)
    assert.equal(
      numbers.length,
      writer.acknowledged,
      `of ${writer.acknowledged} acknowledged ${numbers.length} are there`,
    )
    assert.ok(numbers.every((number, n) => number === n))
    assert.deepEqual(leaders, [-1, -1, -1], 'nobody has everything, so nobody leads')
    return `${writer.acknowledged} acknowledged; ${await trial.whole()}`
  } finally {
    client.close()
  }
}

for (const shape of options.shapes.split(',')) {
  const [copies = 0, least = 0] = shape.split('/').map(Number)
  const trial = new Trial(copies, least)
  let going = await item(`${trial.name}: start`, () => trial.start())
  for (let round = 1; going && round <= Number(options.rounds); round++) {
    const down = round % 3 === 0
    const what = down ? 'disks are lost while all are down' : 'disks are lost under load'
    going = await item(`${trial.name}: ${what}, round ${round}`, () => (down ? trial.loseWhileDown() : trial.lose()))
  }
  if (copies >= 5)
    for (const topology of topologies)
      if (going) going = await item(`an empty disk is nobody's copy: ${topology}`, () => eligible(trial, topology))
  await trial.end(going)
}
finish()
