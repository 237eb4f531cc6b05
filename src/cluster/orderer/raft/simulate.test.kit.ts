import type { Random } from '../../../world/world.ts'
import { Cluster, type Faults, Violation } from './cluster.test.kit.ts'
import type { Raft } from './raft.ts'

export interface Result {
  /** Simulated. */
  readonly ms: number
  readonly events: number
  readonly violation: string | null
  readonly story: readonly string[]
}

/** Each seed has its own mix: what is always on hides what it drowns. */
function drawFaults(random: Random): Faults {
  const half = () => random.int(2) === 0
  return {
    loss: half() ? random.int(200) : 0,
    duplicates: half() ? random.int(300) : 0,
    delay: 1 + random.int(half() ? 5 : 60),
    strays: half() ? 20 + random.int(100) : 0,
    slowDisks: half(),
    crashes: half(),
    partitions: half(),
    pauses: half(),
    changes: half(),
    snapshots: half(),
    fullDisks: random.int(4) === 0,
    departures: random.int(4) === 0,
  }
}

const safetyMs = 20_000
const livenessMs = 15_000
const mostEvents = 200_000

/** 20 s in which anything may happen and nothing may be lost, then 15 s without faults in which all must come back. */
export function simulate(raft: typeof Raft, random: Random): Result {
  const faults = drawFaults(random)
  const nodes = 3 + random.int(3)
  const cluster = new Cluster(raft, random, faults, nodes, [1, 3, nodes][random.int(3)]!)
  const result = (violation: string | null): Result => {
    return { ms: cluster.now, events: cluster.events, violation, story: [JSON.stringify(faults), ...cluster.story] }
  }
  try {
    cluster.stir()
    if (!cluster.run(safetyMs, mostEvents)) return result('too many events')
    cluster.heal()
    const settled = safetyMs + livenessMs
    if (!cluster.run(settled, mostEvents * 2)) return result('too many events')
    const before = cluster.committed.length
    cluster.produce()
    if (!cluster.run(settled + 1000, mostEvents * 2)) return result('too many events')
    return result(cluster.committed.length > before ? unequal(cluster) : 'nothing is committed although all is well')
  } catch (error) {
    if (error instanceof Violation) return result(error.message)
    return result(`${(error as Error).stack}`)
  }
}

/** Everybody has heard of everything. */
function unequal({ nodes }: Cluster): string | null {
  const marks = nodes.map(({ raft }) => raft.highWatermark)
  if (marks.some(mark => mark !== marks[0])) return `high watermarks differ at the end: ${marks.join()}`
  return null
}
