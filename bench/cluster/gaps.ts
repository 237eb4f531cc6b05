import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Member } from '../../test/machines/members.ts'
import { adopt, kafkaScript, release } from '../place.ts'
import { log } from '../program.ts'
import type { Contestant, Found, Trial } from './results.ts'
import type { Running } from './start.ts'

interface Kind {
  readonly what: string
  readonly role: 'leader' | 'controller'
  readonly how: 'kill' | 'stop' | 'freeze'
}

export const kinds: readonly Kind[] = [
  { what: 'kill -9 of a partition leader', role: 'leader', how: 'kill' },
  { what: 'kill -9 of the active controller, which leads a partition', role: 'controller', how: 'kill' },
  { what: 'graceful stop of a partition leader', role: 'leader', how: 'stop' },
  { what: 'graceful stop of the active controller, which leads a partition', role: 'controller', how: 'stop' },
  { what: 'SIGSTOP of a partition leader', role: 'leader', how: 'freeze' },
]

/** ms between two records of a partition. */
const every = 10
/** ms: the shortest gap that is told. */
const least = 2 * every
const topic = 'gaps'

/** A running probe: an idempotent producer with acks=all to three partitions, each led by another node. */
class Probe {
  readonly gaps: { readonly begin: number; readonly end: number }[] = []
  readonly #child: ChildProcess
  readonly #producing: Promise<void>
  readonly #ended: Promise<void>
  #said = ''

  constructor(bootstrap: string) {
    const words = ['probe', 'gaps', bootstrap, topic, String(every), String(least)]
    this.#child = spawn(kafkaScript('tool'), words, { stdio: ['pipe', 'pipe', 'ignore'] })
    const { pid = 0 } = this.#child
    adopt(pid)
    const lines = createInterface({ input: this.#child.stdout! })
    this.#ended = new Promise(done =>
      this.#child.once('close', () => {
        release(pid)
        done()
      }),
    )
    this.#producing = new Promise((resolve, reject) => {
      this.#child.once('close', () => reject(new Error('the probe ended before it produced')))
      lines.on('line', line => {
        const [, begin, end] = /^gap partition=\d+ begin=(\d+) end=(\d+)$/.exec(line) ?? []
        if (line === 'producing') resolve()
        else if (begin !== undefined) this.gaps.push({ begin: Number(begin), end: Number(end) })
        else this.#said = line
      })
    })
  }

  producing(): Promise<void> {
    return this.#producing
  }

  /** ms: the longest gap that overlaps the time since `from`. */
  longest(from: number): number {
    return Math.max(every, ...this.gaps.filter(({ end }) => end >= from).map(({ begin, end }) => end - begin))
  }

  /** Ends producing, reads everything. */
  async finish(contestant: Contestant): Promise<Found> {
    this.#child.stdin!.end()
    await Promise.race([this.#ended, sleep(180_000, undefined, { ref: false })])
    const field = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(this.#said)?.[1] ?? Number.NaN)
    const found = {
      contestant,
      acked: field('acked'),
      failed: field('failed'),
      lost: field('acked_lost'),
      duplicates: field('duplicates'),
      orderBreaks: field('order_breaks'),
    }
    if (Number.isNaN(found.lost)) throw new Error(`the probe did not finish: ${this.#said}`)
    return found
  }
}

export async function measureGaps(
  running: Running,
  count: number,
  only: RegExp,
): Promise<{ trials: Trial[]; found: Found[] }> {
  const { contestant, cluster, status } = running
  const chosen = kinds.filter(({ what }) => only.test(what))
  if (chosen.length === 0 || count === 0) return { trials: [], found: [] }
  await status.create(topic, 3)
  await status.whole([topic], 60_000)
  const probe = new Probe(cluster.bootstrap)
  await probe.producing()
  await sleep(3000)
  const trials: Trial[] = []
  for (let i = 1; i <= count; i++) {
    for (const kind of chosen) {
      const trial = await once(running, kind, probe)
      trials.push(trial)
      const { what, gapMs, returnGapMs, createMs } = trial
      log(
        `${i}/${count} ${contestant}, ${what}: ${gapMs} ms, coming back ${returnGapMs} ms, topic after ${createMs} ms`,
      )
    }
  }
  const found = await probe.finish(contestant)
  log(JSON.stringify(found))
  return { trials, found: [found] }
}

async function once({ contestant, cluster, status }: Running, kind: Kind, probe: Probe): Promise<Trial> {
  const active = await status.controller()
  const others = cluster.all.filter(({ node }) => node !== active)
  const victim = kind.role === 'controller' ? memberOf(cluster.all, active) : others[probe.gaps.length % 2]!
  const ends = await endsOf(status)
  const begun = Date.now()
  if (kind.how === 'kill') await victim.kill()
  else if (kind.how === 'stop') await victim.stop()
  else victim.freeze()
  const createMs = kind.role === 'controller' ? await untilCreated(status, begun) : null
  for (const limit = begun + 120_000; Date.now() < limit; await sleep(100)) {
    const now = await status.ends(topic).catch(() => null)
    // A second's worth of records more: whoever answered is the new leader, and what was waiting is through.
    if (now?.every((end, i) => end > ends[i]! + 1000 / every)) break
  }
  await sleep(500)
  const gapMs = probe.longest(begun)
  const back = Date.now()
  if (kind.how === 'freeze') victim.thaw()
  else await victim.start()
  await status.whole([topic], 120_000)
  await status.preferred(topic)
  await sleep(1000)
  return { what: kind.what, contestant, gapMs, returnGapMs: probe.longest(back), createMs }
}

/** A leader may be on its way still. */
async function endsOf(status: Running['status']): Promise<number[]> {
  for (const limit = Date.now() + 30_000; Date.now() < limit; await sleep(100)) {
    const ends = await status.ends(topic).catch(() => null)
    if (ends !== null) return ends
  }
  throw new Error(`a partition of ${topic} has no leader`)
}

const memberOf = (members: readonly Member[], id: number) => {
  const found = members.find(({ node }) => node === id)
  if (found === undefined) throw new Error(`no node is the active controller (${id})`)
  return found
}

let created = 0

/** ms since `begun` until a topic could be made: the next controller decides. */
async function untilCreated(status: Running['status'], begun: number): Promise<number> {
  const name = `made-${created++}`
  for (const limit = begun + 60_000; Date.now() < limit; await sleep(10)) {
    const made = await status
      .admin(admin => admin.createTopics([{ name, partitions: 1, replicationFactor: 2 }]))
      .then(
        () => true,
        // It may be there from an attempt whose answer was lost.
        error => /already exists|TOPIC_ALREADY_EXISTS/.test(String(error)),
      )
    if (made) return Date.now() - begun
  }
  throw new Error('nobody could create a topic for a minute')
}
