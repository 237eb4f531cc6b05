import type { Member } from '../../machines/members.ts'
import { Bend, noStrace } from '../strace.ts'
import { diskFaults } from './disks.ts'
import { networkFaults } from './network.ts'
import { rotFaults } from './rot.ts'
import { controller, type Fault, follower, leader, type Scene, shuffled } from './scene.ts'

type Pick = (scene: Scene) => Promise<Member>
const always = () => null

function kill(name: string, pick: Pick): Fault {
  return {
    name,
    goesOn: true,
    lasts: [500, 3000],
    impossible: always,
    async inject(scene) {
      const member = await pick(scene)
      await member.kill()
      return { what: `kill -9 of node ${member.node}`, heal: () => member.start() }
    },
  }
}

function killMany(name: string, count: (scene: Scene) => number): Fault {
  return {
    name,
    goesOn: false,
    lasts: [0, 2000],
    impossible: always,
    async inject(scene) {
      const victims = shuffled(scene).slice(0, count(scene))
      await Promise.all(victims.map(member => member.kill()))
      return {
        what: `kill -9 of nodes ${victims.map(({ node }) => node).join(', ')}`,
        heal: async () => void (await Promise.all(victims.map(member => member.start()))),
      }
    },
  }
}

function freeze(name: string, pick: Pick): Fault {
  return {
    name,
    goesOn: true,
    // A client that waits for an answer of the frozen node gives up after its own time-out, often 30 s.
    patience: 90_000,
    // They ask any node that they are connected to who leads, also the frozen one, again and again.
    misled: ['kafkajs', 'platformatic'],
    // Longer than a session: others must take over, and the frozen one must learn that it lost.
    lasts: [5000, 8000],
    impossible: always,
    async inject(scene) {
      const member = await pick(scene)
      member.freeze()
      return { what: `SIGSTOP of node ${member.node}`, heal: async () => member.thaw() }
    },
  }
}

/** Shorter than a session: nothing may be lost, whoever leads afterwards. */
const hiccup: Fault = {
  ...freeze('hiccup', leader),
  goesOn: false,
  lasts: [500, 2500],
}

/** Returns the ms that it took. */
async function terminate(member: Member): Promise<number> {
  const begun = Date.now()
  const code = await member.stop()
  if (code !== 0) throw new Error(`node ${member.node} ended with ${code} after SIGTERM`)
  return Date.now() - begun
}

function stop(name: string, pick: Pick): Fault {
  return {
    name,
    goesOn: true,
    lasts: [500, 2000],
    impossible: always,
    async inject(scene) {
      const member = await pick(scene)
      const ms = await terminate(member)
      return { what: `SIGTERM of node ${member.node}, which took ${ms} ms`, heal: () => member.start() }
    },
  }
}

/** One node after the other. Returns what was done, with the ms that each stop took. */
async function restartInTurn(scene: Scene, before: (member: Member) => void = () => {}): Promise<string> {
  const told: string[] = []
  for (const member of shuffled(scene)) {
    before(member)
    told.push(`${member.node} (${await terminate(member)} ms)`)
    await member.start()
    await scene.status.whole(scene.topics, 60_000)
  }
  return told.join(', ')
}

const rolling: Fault = {
  name: 'rolling',
  goesOn: true,
  lasts: [0, 0],
  impossible: always,
  async inject(scene) {
    return { what: `restart of nodes ${await restartInTurn(scene)}`, heal: async () => {} }
  },
}

/** The other version is installed under load: first the new one, the next time the old one again. */
const upgrade: Fault = {
  name: 'upgrade',
  goesOn: true,
  lasts: [0, 0],
  impossible: ({ versions }) => (versions.length < 2 ? 'it takes another version: --from DIR' : null),
  async inject(scene) {
    const { versions, members } = scene
    const next = versions[(versions.indexOf(members.all[0]?.root ?? '') + 1) % versions.length]!
    const turn = await restartInTurn(scene, member => {
      member.root = next
    })
    return { what: `restart of nodes ${turn} with ${next}`, heal: async () => {} }
  },
}

const slowDisk: Fault = {
  name: 'slow-disk',
  goesOn: true,
  lasts: [4000, 8000],
  impossible: noStrace,
  async inject(scene) {
    const member = shuffled(scene)[0]!
    const bend = new Bend(member.pid, 'fdatasync,fsync', 'delay_exit=200000', 'workers')
    await bend.begun()
    return { what: `every sync of node ${member.node} takes 200 ms longer`, heal: () => bend.heal() }
  },
}

/** A disk that fails to sync: the node must end itself, the others go on. */
const failingDisk: Fault = {
  name: 'failing-disk',
  goesOn: true,
  lasts: [500, 2000],
  impossible: noStrace,
  async inject(scene) {
    const member = await leader(scene)
    const bend = new Bend(member.pid, 'fdatasync,fsync', 'error=EIO')
    const code = await member.ended(5000)
    await bend.heal()
    if (code === null) throw new Error(`node ${member.node} goes on although its disk cannot sync`)
    return { what: `no sync of node ${member.node} works: it ended with ${code}`, heal: () => member.start() }
  },
}

export const faults: readonly Fault[] = [
  kill('kill-leader', leader),
  kill('kill-controller', controller),
  kill('kill-follower', follower),
  killMany('kill-majority', ({ members }) => (members.all.length >> 1) + 1),
  killMany('kill-all', ({ members }) => members.all.length),
  stop('stop-leader', leader),
  stop('stop-controller', controller),
  rolling,
  upgrade,
  freeze('freeze-leader', leader),
  freeze('freeze-controller', controller),
  hiccup,
  ...networkFaults,
  ...diskFaults,
  slowDisk,
  failingDisk,
  ...rotFaults,
]
