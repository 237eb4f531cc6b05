import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dice } from '../checker/generate.ts'
import { OttlaCluster } from '../machines/members.ts'
import { Status } from '../machines/status.ts'
import { clientOf, readNumbers, SteadyWriter } from './own-client.ts'
import { finish, item, percentile, skip } from './report.ts'
import { Bend, noStrace } from './strace.ts'

// A gray failure: the disk of one of three nodes becomes slow, and nothing else happens. Whoever writes with acks=all waits
// for it at first; then it must leave the in-sync replicas, and come back when it is well again.

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    topology: { type: 'string', default: 'star,chain' },
    /** Whose disk: of one that leads nothing, or of one that leads every other partition. */
    who: { type: 'string', default: 'follower' },
    /** ms that each sync takes longer. */
    slower: { type: 'string', default: '200' },
    /** ms for which the replica stays out; our default when left out. */
    probation: { type: 'string', default: '60000' },
    /** Records a second in each topology. */
    rate: { type: 'string', default: '100' },
    port: { type: 'string', default: '29180' },
  },
})

const impossible = noStrace()
if (impossible) {
  skip('a slow disk', impossible)
  finish()
}

const second = 1000
/**
 * By then writers must be as quick as before, or nearly. One that was slow as a leader goes, and is found slow as a follower
 * once more: whoever leads next does not know why it went.
 */
const limitMs = (options.who === 'leader' ? 35 : 15) * second
const windowMs = 10 * second
/** Twice as slow as before is allowed; what is below this is the machine's own noise, ms. */
const noiseMs = 20
const partitions = 4

const roll = dice(Number(options.seed))
const place = mkdtempSync(join(tmpdir(), 'ottla-gray-'))
const probationMs = Number(options.probation)
const cluster = new OttlaCluster({
  nodes: 3,
  port: Number(options.port),
  place,
  args: ['--set', `replica.slow.probation.ms=${probationMs}`, '--set', 'quorum.voter.probation.ms=1000'],
})
const status = new Status(cluster.all)
const client = clientOf(cluster.bootstrap)
const topologies = options.topology.split(',')
console.log(
  `seed ${options.seed}, every sync of one ${options.who} takes ${options.slower} ms longer; files in ${place}`,
)

const p99 = (writer: SteadyWriter, from: number, to: number) =>
  percentile(
    writer.took.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms),
    0.99,
  )

const figures: { topology: string; quiet: number; first: number; after: number }[] = []

async function isrsOf(topic: string): Promise<(readonly number[])[]> {
  return (await status.partitions(topic)).map(({ isr }) => isr)
}

async function isrSays(topic: string, holds: (isr: readonly number[]) => boolean, ms: number): Promise<number | null> {
  const begun = Date.now()
  for (; Date.now() - begun < ms; await sleep(250)) if ((await isrsOf(topic)).every(holds)) return Date.now() - begun
  return null
}

async function trial(round: number): Promise<string> {
  const controller = await status.controller()
  const candidates = [1, 2, 3].filter(node => node !== controller)
  const slow = candidates[roll(candidates.length)]!
  const others = [1, 2, 3].filter(node => node !== slow)
  const leaders = options.who === 'leader' ? [slow, others[0]!] : others
  const topics = await Promise.all(
    topologies.map(async topology => {
      const topic = `gray-${topology}-${round}`
      // In a chain it is the last one, and the one in the middle.
      const assignments = Array.from({ length: partitions }, (_, p) => {
        const leader = leaders[p % leaders.length]!
        const rest = [1, 2, 3].filter(node => node !== leader)
        return [leader, ...(p < partitions / 2 ? rest : rest.toReversed())]
      })
      const configs = {
        'min.insync.replicas': '2',
        ...(topology === 'star' ? {} : { 'replication.topology': topology }),
      }
      await status.admin(admin => admin.createTopics([{ name: topic, assignments, configs }]))
      return { topic, topology }
    }),
  )
  // With two copies of which both must have everything it has to stay, however slow it is.
  const pair = `gray-pair-${round}`
  const needed = { name: pair, assignments: [[others[0]!, slow]], configs: { 'min.insync.replicas': '2' } }
  await status.admin(admin => admin.createTopics([needed]))
  await status.whole([...topics.map(({ topic }) => topic), pair], 30_000)

  // Each with connections of its own: answers on one connection wait for those before them.
  const clients = [...topics, pair].map(() => clientOf(cluster.bootstrap))
  const writers = topics.map(({ topic }, i) => new SteadyWriter(clients[i]!, topic, partitions, Number(options.rate)))
  const pairWriter = new SteadyWriter(clients.at(-1)!, pair, 1, 5)
  let bend: Bend | null = null
  const notes: string[] = []
  const problems: string[] = []
  try {
    await sleep(5 * second)
    const quietFrom = Date.now()
    await sleep(windowMs)
    const member = cluster.all.find(({ node }) => node === slow)!
    bend = new Bend(member.pid, 'fdatasync,fsync', `delay_exit=${Number(options.slower) * 1000}`, 'workers')
    const begun = Date.now()
    await bend.begun()
    const left = await Promise.all(
      topics.map(({ topic }) => isrSays(topic, isr => !isr.includes(slow), limitMs + windowMs)),
    )
    await sleep(Math.max(0, begun + limitMs + windowMs - Date.now()))
    const ended = Date.now()
    for (const [i, { topic, topology }] of topics.entries()) {
      const writer = writers[i]!
      const quiet = p99(writer, quietFrom, quietFrom + windowMs)
      const first = p99(writer, begun, begun + limitMs)
      const after = p99(writer, begun + limitMs, ended)
      figures.push({ topology, quiet, first, after })
      const out = left[i] === null ? 'stayed in sync' : `left the ISR after ${(left[i]! / second).toFixed(1)} s`
      notes.push(
        `${topology}: p99 ${quiet.toFixed(1)}, then ${first.toFixed(0)}, then ${after.toFixed(1)} ms; it ${out}`,
      )
      if (left[i] === null)
        problems.push(`${topic}: node ${slow} stays in sync: ${JSON.stringify(await isrsOf(topic))}`)
      if (after > Math.max(noiseMs, 2 * quiet))
        problems.push(`${topic}: p99 ${after.toFixed(1)} ms, ${quiet.toFixed(1)} ms before`)
      if ((await isrsOf(topic)).some(isr => isr.length < 2)) problems.push(`${topic}: fewer than two are in sync`)
    }
    if (!(await isrsOf(pair))[0]!.includes(slow))
      problems.push(`${pair}: node ${slow} left, and nothing can be written`)
    await bend.heal()
    const back = await Promise.all(
      topics.map(({ topic }) => isrSays(topic, isr => isr.length === 3, probationMs + 20_000)),
    )
    for (const [i, { topic }] of topics.entries())
      if (back[i] === null) problems.push(`${topic}: node ${slow} is well, and did not come back`)
    notes.push(`back after ${back.map(ms => ((ms ?? 0) / second).toFixed(1)).join(' and ')} s`)
  } finally {
    await bend?.heal()
    await Promise.all([...writers, pairWriter].map(writer => writer.stop()))
    for (const each of clients) each.close()
  }
  for (const [i, writer] of [...writers, pairWriter].entries()) {
    const topic = topics[i]?.topic ?? pair
    const count = topics[i] === undefined ? 1 : partitions
    if (writer.failure !== null) problems.push(`${topic}: ${writer.failure}`)
    const numbers = (await readNumbers(client, topic, count, writer.acknowledged)).flat().sort((a, b) => a - b)
    if (numbers.length !== writer.acknowledged || numbers.some((number, n) => number !== n))
      problems.push(`${topic}: ${writer.acknowledged} were acknowledged, ${numbers.length} are there`)
  }
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\n${notes.join('; ')}`)
  return `node ${slow}: ${notes.join('; ')}`
}

const going = await item('start', async () => {
  await cluster.start()
  for (const end = Date.now() + 60_000; (await status.voters()).length < 3; await sleep(200))
    if (Date.now() > end) throw new Error('there are no three voters after a minute')
  return undefined
})
let fine = going
for (let round = 1; going && round <= Number(options.rounds); round++)
  fine = (await item(`a slow disk, round ${round}`, () => trial(round))) && fine
for (const topology of topologies) {
  const own = figures.filter(each => each.topology === topology)
  const show = (of: (each: (typeof own)[number]) => number) => {
    const all = own.map(of)
    return `${percentile(all, 0.5).toFixed(1)} (max ${Math.max(...all).toFixed(1)})`
  }
  if (own.length > 0)
    console.log(
      `${topology}, p99 of produce in ms, median of ${own.length} rounds: before ${show(f => f.quiet)}, ` +
        `first ${limitMs / second} s ${show(f => f.first)}, after ${show(f => f.after)}`,
    )
}
client.close()
const clean = await item('clean stop', async () => {
  await cluster.stop()
  return undefined
})
if (fine && clean) rmSync(place, { recursive: true, force: true })
finish()
