import type { Dice } from './dice.ts'
import type { DiskManners } from './machine.ts'
import type { NetworkManners } from './network.ts'

/** Everything that can go wrong on purpose. */
export const faultKinds = [
  'kill',
  'kill in mid-write',
  'power cut',
  'power cut of all',
  'stop',
  'pause',
  'slow disk',
  'partition',
  'one-way partition',
  'cut pairs',
  'slow network',
  'reset',
  'half-open',
  'clock jump',
  'disk full',
  'disk now full, now not',
  'no descriptors',
  'failing sync',
  'damaged file',
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** What a seed decides before anything happens. Each run has its own mix: half of the faults never happen in it. */
export interface Plan {
  readonly servers: number
  /** ms from the beginning of trouble until one more server joins; −1: none does. */
  readonly joinsAfter: number
  /** Who puts the metadata in order: the servers themselves, or a store outside. */
  readonly orderer: 'raft' | 'store'
  readonly network: NetworkManners
  readonly disk: DiskManners
  /** An iteration of a program's loop takes up to so many ms. */
  readonly loopMs: number
  /** Clocks of machines run so much faster or slower. */
  readonly drift: number
  /** ms between two faults of a kind, on average. */
  readonly faults: ReadonlyMap<FaultKind, number>
  /** Trouble begins when the quorum is complete; else while it grows. */
  readonly completeFirst: boolean
  /** ms in which anything may happen. */
  readonly unsafeMs: number
  /** When all is mended one server is killed, and comes back only when the others have got on without it. */
  readonly staysDead: boolean
  readonly topics: readonly NewTopic[]
  readonly producers: number
  readonly readers: number
  readonly members: number
  /** Topics come and go meanwhile. */
  readonly operator: boolean
  /** Servers are emptied meanwhile, and filled again. */
  readonly keeper: boolean
  /** `min.insync.replicas` changes meanwhile. */
  readonly tuner: boolean
  readonly producerPauseMs: number
  /** ms between two bursts, in which all send large and small records to one partition as fast as they can; 0: none. */
  readonly burstEveryMs: number
  /** Settings of all servers. */
  readonly settings: Readonly<Record<string, string>>
}

/** Drawn from dice of their own. */
const late: ReadonlySet<FaultKind> = new Set(['damaged file', 'disk now full, now not', 'no descriptors', 'cut pairs'])
const alone: ReadonlySet<FaultKind> = new Set(['partition', 'one-way partition'])

/** The cluster's secret; any will do. */
const token = 'simulated-'.repeat(4)

const snapshotBytes = 'metadata.log.max.record.bytes.between.snapshots'

/** What is left out the seed decides. */
export interface ClusterOptions {
  readonly servers?: number
  readonly orderer?: Plan['orderer']
  /** Disks are slow, and almost full most of the time, and everybody sends as much as he can; nothing else goes wrong. */
  readonly tight?: boolean
}

export function planOf(dice: Dice, options: ClusterOptions): Plan {
  const drawn = { servers: dice.pick([1, 3, 3, 3, 4, 5]), orderer: dice.chance(0.2) ? 'store' : 'raft' } as const
  const servers = options.servers ?? drawn.servers
  const orderer = options.orderer ?? (options.servers === undefined ? drawn.orderer : 'raft')
  // Forked: what is drawn from here moves nothing else.
  const more = dice.fork('more')
  const loop = dice.fork('loop')
  const faults = new Map<FaultKind, number>()
  for (const kind of faultKinds) {
    if (late.has(kind)) continue
    const dull = dice.chance(0.5)
    const every = dice.magnitude(800, 12_000)
    if (!dull && !(servers === 1 && alone.has(kind))) faults.set(kind, every)
  }
  if (servers > 2 && more.chance(0.3)) faults.set('damaged file', more.magnitude(2000, 12_000))
  const room = dice.fork('room')
  if (room.chance(0.3)) faults.set('disk now full, now not', room.magnitude(800, 12_000))
  if (room.chance(0.3)) faults.set('no descriptors', room.magnitude(800, 12_000))
  if (servers > 1 && room.chance(0.4)) faults.set('cut pairs', room.magnitude(800, 12_000))
  const burstEveryMs = options.tight === true ? 300 : room.chance(0.3) ? room.magnitude(1000, 5000) : 0
  if (options.tight === true) {
    faults.clear()
    faults.set('disk now full, now not', 300)
  }
  const segmentBytes = dice.chance(0.5) ? 1 << 20 : Math.round(dice.magnitude(1 << 10, 1 << 16))
  const topics = Array.from({ length: 1 + dice.int(2) }, (_, i) => ({
    name: `t${i}`,
    partitions: 1 + dice.int(2),
    configs: {
      'internal.segment.bytes': String(segmentBytes),
      'min.insync.replicas': String(servers > 1 && dice.chance(0.6) ? 2 : 1),
      'replication.topology': dice.chance(0.3) ? 'chain' : 'isr',
    },
  }))
  return {
    servers,
    joinsAfter: servers > 1 && dice.chance(0.3) ? dice.int(6000) : -1,
    orderer,
    network: {
      latency: dice.magnitude(0.05, 5),
      jitter: dice.magnitude(0.05, dice.chance(0.2) ? 50 : 2),
      loss: dice.chance(0.5) ? 0 : dice.magnitude(0.001, 0.05),
      split: dice.chance(0.5) ? 0 : dice.magnitude(0.01, 0.3),
      window: Math.round(dice.magnitude(4096, 1 << 20)),
    },
    disk:
      options.tight === true
        ? { least: 2, most: 15 }
        : { least: 0.05, most: dice.chance(0.2) ? dice.magnitude(2, 100) : dice.magnitude(0.2, 4) },
    loopMs: options.tight === true ? 4 : loop.chance(0.3) ? 0 : loop.magnitude(0.05, 2),
    drift: dice.chance(0.5) ? 0 : dice.magnitude(0.0001, 0.03),
    faults,
    completeFirst: dice.chance(0.8),
    unsafeMs: 7000 + dice.int(8000),
    staysDead: servers > 2 && dice.fork('dead').chance(0.4),
    topics,
    producers: options.tight === true ? 8 : Math.max(1 + dice.int(3), burstEveryMs > 0 ? 2 : 1),
    readers: dice.int(2),
    members: dice.int(3),
    operator: dice.chance(0.3),
    keeper: servers > 3 && more.chance(0.4),
    tuner: servers > 1 && dice.fork('tuner').chance(0.3),
    producerPauseMs: options.tight === true ? 25 : dice.magnitude(25, 400),
    burstEveryMs,
    settings: {
      token,
      ...(orderer === 'store' ? { orderer: 'redis' } : {}),
      'quorum.voter.probation.ms': String(Math.round(dice.magnitude(100, 3000))),
      'quorum.voters': servers > 3 && dice.chance(0.5) ? '5' : '3',
      'num.partitions': '1',
      'offsets.topic.num.partitions': '1',
      'group.initial.rebalance.delay.ms': '0',
      'log.flush.offset.checkpoint.interval.ms': String(Math.round(dice.magnitude(100, 5000))),
      'log.index.interval.bytes': '512',
      'replica.slow.after.ms': '2000',
      'replica.slow.probation.ms': '5000',
      'tail.cache.bytes': String(Math.round(dice.magnitude(1 << 12, 1 << 22))),
      ...(more.chance(0.3) ? { [snapshotBytes]: String(Math.round(more.magnitude(200, 5000))) } : {}),
      ...(more.chance(0.3)
        ? { 'controller.quorum.fetch.max.bytes': String(Math.round(more.magnitude(100, 5000))) }
        : {}),
      ...(more.chance(0.3) ? { 'quorum.voter.replace.after.ms': String(Math.round(more.magnitude(1000, 8000))) } : {}),
      ...(more.chance(0.3) ? { 'broker.replace.after.ms': String(Math.round(more.magnitude(1000, 8000))) } : {}),
    },
  }
}

export function describe(plan: Plan): string {
  const faults = [...plan.faults].map(([kind, every]) => `${kind} every ${Math.round(every)} ms`)
  const { latency, jitter, loss } = plan.network
  return [
    `${plan.servers} servers (${plan.orderer}), ${plan.producers} producers, ${plan.readers} readers, ${plan.members} members of a group${plan.operator ? ', an operator' : ''}${plan.keeper ? ', a keeper' : ''}${plan.tuner ? ', a tuner' : ''}`,
    `topics ${plan.topics.map(t => `${t.name} (${t.partitions}, ${t.configs['replication.topology']}, at least ${t.configs['min.insync.replicas']})`).join(', ')}`,
    `network ${latency.toFixed(2)} + ${jitter.toFixed(2)} ms, ${(loss * 100).toFixed(1)} % lost; disk up to ${plan.disk.most.toFixed(1)} ms; loops up to ${plan.loopMs.toFixed(2)} ms; clocks ± ${(plan.drift * 100).toFixed(2)} %`, // biome-ignore format: a line
    faults.length === 0 ? 'no faults' : faults.join(', '),
    plan.joinsAfter < 0 ? '' : `one more server after ${plan.joinsAfter} ms`,
    snapshotBytes in plan.settings ? `a snapshot of the metadata after ${plan.settings[snapshotBytes]} bytes` : '',
    ...['quorum.voter.replace.after.ms', 'broker.replace.after.ms']
      .filter(name => name in plan.settings)
      .map(name => `${name} ${plan.settings[name]}`),
    `for ${plan.unsafeMs} ms${plan.staysDead ? ', then without one server' : ''}`,
  ]
    .filter(part => part !== '')
    .join('; ')
}
