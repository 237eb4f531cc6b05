import { randomFillSync, randomInt } from 'node:crypto'
import { nodeDisk } from './node-disk.ts'
import { nodeNet } from './node-net.ts'
import type { Clock, Random, Timers, World } from './world.ts'

const clock: Clock = {
  now: () => Date.now(),
  mono: () => performance.now(),
}

const timers: Timers = {
  after(ms, run, keeper = false) {
    // Node treats more than 2^31−1 ms as 1 ms.
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), 0x7fffffff))
    if (!keeper) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  soon(run) {
    setImmediate(run)
  },
}

const random: Random = {
  int: below => randomInt(below),
  bytes: count => randomFillSync(new Uint8Array(count)),
}

/** The real world. */
export const nodeWorld: World = { clock, timers, random, disk: nodeDisk, net: nodeNet }
