import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Member } from '../../machines/members.ts'
import { type Fault, type Scene, shuffled } from './scene.ts'

/** Bytes that a segment must have: what was written last may not be below the recovery point yet, and rot there is a torn end. */
const least = 200_000

/**
 * Damages the copy of a node that is down, in the first half of up to three logs: a bit is flipped, some bytes are zeros, or
 * the file is cut short. Returns what was done.
 */
function damage({ members, topics, roll }: Scene, { node }: Member): string {
  const folder = members.folderOf?.(node) ?? ''
  const logs = topics
    .flatMap(topic => readdirSync(folder).filter(name => name.startsWith(`${topic}-`)))
    .flatMap(name => readdirSync(join(folder, name)).map(file => join(name, file)))
    .filter(file => file.endsWith('.log') && statSync(join(folder, file)).size >= least)
  const done: string[] = []
  for (let count = 1 + roll(3); count > 0 && logs.length > 0; count--) {
    const [name] = logs.splice(roll(logs.length), 1) as [string]
    const file = join(folder, name)
    const at = roll(statSync(file).size >> 1)
    done.push(`${name} ${bend(file, at, roll)} at ${at}`)
  }
  return done.length === 0 ? 'no log is long enough to be damaged' : done.join(', ')
}

function bend(file: string, at: number, roll: Scene['roll']): string {
  const how = roll(3)
  if (how === 0) {
    truncateSync(file, at)
    return 'cut off'
  }
  const bytes = readFileSync(file)
  if (how === 1) bytes[at]! ^= 1 << roll(8)
  else bytes.fill(0, at, at + 512)
  writeFileSync(file, bytes)
  return how === 1 ? 'flipped' : 'zeros'
}

const ownFiles: Fault['impossible'] = ({ members }) =>
  members.folderOf === undefined ? 'it is not known where the files are' : null

/** One copy of three is damaged while its node is down. It is never served, never copied, and made anew from the others. */
const rot: Fault = {
  name: 'rot',
  goesOn: true,
  lasts: [200, 1500],
  impossible: ownFiles,
  async inject(scene) {
    const member = shuffled(scene)[0]!
    await member.kill()
    const what = damage(scene, member)
    return { what: `kill -9 of node ${member.node}, and ${what}`, heal: () => member.start() }
  },
}

/** As `rot`, while all are down: the damaged one may be the first to lead again. */
const rotOfAll: Fault = {
  name: 'rot-all-down',
  goesOn: false,
  lasts: [0, 500],
  impossible: ownFiles,
  async inject(scene) {
    const { all } = scene.members
    const member = shuffled(scene)[0]!
    await Promise.all(all.map(each => each.kill()))
    const what = damage(scene, member)
    return {
      what: `kill -9 of all nodes, and of node ${member.node} ${what}`,
      heal: async () => {
        // It comes first.
        const starting = member.start()
        await Promise.all([starting, ...all.filter(each => each !== member).map(each => each.start())])
      },
    }
  },
}

export const rotFaults: readonly Fault[] = [rot, rotOfAll]
