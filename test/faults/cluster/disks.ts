import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { untilAllVote } from '../../machines/votes.ts'
import { noLoopDevices } from '../loop-disk.ts'
import { type Fault, shuffled } from './scene.ts'

const ownDisks: Fault['impossible'] = ({ disks }) =>
  disks === null ? (noLoopDevices() ?? 'the nodes share a disk') : null

/** Others lead what it led, and go on without it; nothing acknowledged is lost, and it comes back by itself. */
const full: Fault = {
  name: 'full-disk',
  goesOn: true,
  lasts: [2000, 9000],
  impossible: ownDisks,
  async inject(scene) {
    const member = shuffled(scene)[0]!
    const { mount } = scene.disks!.get(member.node)!
    const file = join(mount, 'fill')
    fillUp(mount, file)
    return {
      what: `the disk of node ${member.node} is full`,
      heal: async () => {
        rmSync(file)
        if (!member.running) throw new Error(`node ${member.node} ended because its disk was full`)
      },
    }
  },
}

function fillUp(folder: string, file: string): void {
  const { bavail, bsize } = statfsSync(folder)
  execFileSync('fallocate', ['-l', String(Math.max(bsize, bavail * bsize - (1 << 20))), file])
  try {
    for (;;) writeFileSync(file, Buffer.alloc(bsize), { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

/** What nobody had synced is gone, on all nodes at the same moment. */
const power: Fault = {
  name: 'power-cut',
  goesOn: false,
  lasts: [0, 500],
  impossible: ownDisks,
  async inject(scene) {
    const { all } = scene.members
    // All stop at once, then the images are taken: nobody may write meanwhile.
    for (const member of all) member.freeze()
    for (const disk of scene.disks!.values()) disk.photograph()
    await Promise.all(all.map(member => member.kill()))
    for (const disk of scene.disks!.values()) disk.comeBack()
    return {
      what: 'the power of all nodes was cut',
      heal: async () => void (await Promise.all(all.map(member => member.start()))),
    }
  },
}

/** One disk is lost for good: its node comes back with an empty one, is filled by the others, and gets its vote back. */
const wipe: Fault = {
  name: 'wipe',
  goesOn: true,
  lasts: [500, 3000],
  impossible: ({ members }) => (members.folderOf === undefined ? 'it is not known where the files are' : null),
  async inject(scene) {
    const { members, status } = scene
    const member = shuffled(scene)[0]!
    await member.kill()
    member.wipe?.()
    return {
      what: `kill -9 of node ${member.node}, and its disk is lost`,
      heal: async () => {
        await member.start()
        await untilAllVote(status, members, 90_000)
      },
    }
  },
}

export const diskFaults: readonly Fault[] = [full, power, wipe]
