import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import type { Partition } from '../replication/partition.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { Tail } from './commands.ts'
import { LeaderWatch, type Watchable } from './leader-watch.ts'
import type { Tails } from './tails.ts'

export interface ClusterTailsOptions {
  readonly nodeId: number
  readonly cluster: Pick<ClusterState, 'topics'>
  readonly replicas: Pick<Replicas, 'find'>
  readonly peers: Pick<Peers, 'send'>
  readonly clock: Clock
  readonly timers: Timers
}

/** ms between two looks at who leads what, while somebody waits. */
const lookMs = 500
/** ms for which the beginning of a log counts as known. */
const startMs = 10_000
const requestMs = 2000
const mostTopics = 10_000

interface Ends {
  start: number
  end: number
}

interface RemoteTopic {
  /** Another topic that takes the name has other ends. */
  readonly topicId: string
  readonly partitions: (Ends | undefined)[]
  /** Monotonic ms: when the beginnings were asked for. */
  startsAt: number
  asking: Promise<void> | null
}

/** Who waits for a topic. */
interface Watched {
  readonly rings: Set<() => void>
  /** Replicas of this node that tell us themselves, and what ends that. */
  readonly own: Map<Partition, () => void>
}

/**
 * Where logs end, from the replicas that this node leads, as they grow, and from other leaders: asked when somebody looks,
 * watched while somebody waits.
 */
export class ClusterTails implements Tails {
  readonly #options: ClusterTailsOptions
  readonly #remote = new Map<string, RemoteTopic>()
  readonly #watched = new Map<string, Watched>()
  readonly #leaders = new Map<number, LeaderWatch>()
  #timer: Timer | null = null
  #syncing = false

  constructor(options: ClusterTailsOptions) {
    this.#options = options
  }

  known(topic: string): readonly Tail[] {
    const { cluster, nodeId } = this.#options
    const tails: Tail[] = []
    const state = cluster.topics.get(topic)
    if (state === undefined) return tails
    const { id, partitions } = state
    const remote = this.#remoteOf(topic, id)
    for (let partition = 0; partition < partitions.length; partition++) {
      const tail =
        partitions[partition]!.leader === nodeId ? this.#own(topic, id, partition) : remote?.partitions[partition]
      if (tail !== undefined) tails.push({ partition, start: tail.start, end: tail.end })
    }
    return tails
  }

  #own(topic: string, topicId: string, partition: number): Ends | undefined {
    const replica = this.#options.replicas.find(topic, partition)
    if (replica === undefined || !replica.isLeader || replica.topicId !== topicId) return undefined
    return { start: replica.log.logStartOffset, end: replica.lastStableOffset }
  }

  #remoteOf(topic: string, topicId: string): RemoteTopic | undefined {
    const remote = this.#remote.get(topic)
    return remote?.topicId === topicId ? remote : undefined
  }

  async refresh(topic: string): Promise<void> {
    const state = this.#options.cluster.topics.get(topic)
    const led = this.#elsewhere(topic)
    if (state === undefined || led.size === 0) return
    let remote = this.#remoteOf(topic, state.id)
    if (remote === undefined) {
      if (this.#remote.size >= mostTopics) this.#remote.clear()
      remote = { topicId: state.id, partitions: [], startsAt: Number.NEGATIVE_INFINITY, asking: null }
      this.#remote.set(topic, remote)
    }
    const known = remote
    known.asking ??= this.#ask(topic, led, known).finally(() => {
      known.asking = null
      if (this.#watched.has(topic)) this.#syncSoon()
    })
    await known.asking
  }

  /** Partitions by the other node that leads them. */
  #elsewhere(topic: string): Map<number, number[]> {
    const leaders = new Map<number, number[]>()
    for (const [index, { leader }] of (this.#options.cluster.topics.get(topic)?.partitions ?? []).entries()) {
      if (leader < 0 || leader === this.#options.nodeId) continue
      const led = leaders.get(leader)
      if (led === undefined) leaders.set(leader, [index])
      else led.push(index)
    }
    return leaders
  }

  async #ask(topic: string, leaders: ReadonlyMap<number, readonly number[]>, remote: RemoteTopic): Promise<void> {
    const now = this.#options.clock.mono()
    const asked = [...leaders.values()].flat()
    const starts =
      now - remote.startsAt > startMs || asked.some(partition => remote.partitions[partition] === undefined)
    await Promise.all(
      [...leaders].map(async ([leader, partitions]) => {
        const [ends, begins] = await Promise.all([
          this.#offsets(leader, topic, partitions, latest),
          starts ? this.#offsets(leader, topic, partitions, earliest) : null,
        ])
        for (const [partition, end] of ends) {
          const start = begins?.get(partition) ?? remote.partitions[partition]?.start
          if (start !== undefined) remote.partitions[partition] = { start, end: Math.max(start, end) }
        }
      }),
    )
    if (starts) remote.startsAt = now
  }

  async #offsets(
    leader: number,
    topic: string,
    partitions: readonly number[],
    timestamp: number,
  ): Promise<Map<number, number>> {
    const found = new Map<number, number>()
    const topics = [{ name: topic, partitions: partitions.map(partitionIndex => ({ partitionIndex, timestamp })) }]
    const request = { replicaId: -1, isolationLevel: readCommitted, timeoutMs: requestMs, topics }
    try {
      // Not behind the questions that wait.
      const answer = await this.#options.peers.send(leader, ListOffsets, request, {
        lane: 'leases',
        timeoutMs: requestMs,
      })
      for (const { partitions } of answer.topics)
        for (const { partitionIndex, errorCode, offset } of partitions)
          if (errorCode === ErrorCode.NONE && offset >= 0) found.set(partitionIndex, offset)
    } catch {
      // Asked again as long as somebody waits.
    }
    return found
  }

  watch(topic: string, ring: () => void): () => void {
    let watched = this.#watched.get(topic)
    if (watched === undefined) {
      watched = { rings: new Set(), own: new Map() }
      this.#watched.set(topic, watched)
      this.#syncSoon()
    }
    const known = watched
    known.rings.add(ring)
    return () => {
      known.rings.delete(ring)
      if (known.rings.size > 0 || this.#watched.get(topic) !== known) return
      this.#watched.delete(topic)
      for (const unwatch of known.own.values()) unwatch()
      this.#syncSoon()
    }
  }

  /** Those who come and go in one turn are seen to together. */
  #syncSoon(): void {
    if (this.#syncing) return
    this.#syncing = true
    this.#options.timers.soon(() => {
      this.#syncing = false
      this.#sync(false)
    })
  }

  /** What is watched where, by who leads it now. With `ask` ends that are not known are asked for. */
  #sync(ask: boolean): void {
    const { cluster, nodeId, replicas } = this.#options
    const wanted = new Map<number, Watchable[]>()
    for (const [topic, { own }] of this.#watched) {
      const state = cluster.topics.get(topic)
      const remote = state && this.#remoteOf(topic, state.id)
      let unknown = false
      for (const [replica, unwatch] of own) {
        if (replicas.find(topic, replica.index) === replica) continue
        own.delete(replica)
        unwatch()
      }
      for (const [partition, { leader }] of (state?.partitions ?? []).entries()) {
        if (leader === nodeId) {
          const replica = replicas.find(topic, partition)
          if (replica !== undefined && !own.has(replica))
            own.set(
              replica,
              replica.watch(() => this.#ring(topic)),
            )
          continue
        }
        const end = remote?.partitions[partition]?.end
        if (leader >= 0 && end === undefined) unknown = true
        if (leader < 0 || end === undefined) continue
        const watchable = { topic, topicId: state!.id, partition, end }
        const others = wanted.get(leader)
        if (others === undefined) wanted.set(leader, [watchable])
        else others.push(watchable)
      }
      if (unknown && ask) void this.refresh(topic).then(() => this.#ring(topic))
    }
    for (const [leader, watch] of this.#leaders) {
      if (wanted.has(leader)) continue
      watch.stop()
      this.#leaders.delete(leader)
    }
    for (const [leader, watchables] of wanted) this.#leaderWatch(leader).watch(watchables)
    this.#timer?.cancel()
    this.#timer = this.#watched.size === 0 ? null : this.#options.timers.after(lookMs, () => this.#sync(true))
  }

  #leaderWatch(leader: number): LeaderWatch {
    let watch = this.#leaders.get(leader)
    if (watch === undefined) {
      const { peers, timers } = this.#options
      watch = new LeaderWatch({
        leader,
        peers,
        timers,
        seen: ({ topic, topicId, partition }, start, end) => {
          const remote = this.#remoteOf(topic, topicId)
          if (remote !== undefined) remote.partitions[partition] = { start: Math.max(0, start), end }
          this.#ring(topic)
        },
        lost: ({ topic, topicId, partition }) => {
          const remote = this.#remoteOf(topic, topicId)
          if (remote !== undefined) remote.partitions[partition] = undefined
        },
      })
      this.#leaders.set(leader, watch)
    }
    return watch
  }

  #ring(topic: string): void {
    for (const ring of [...(this.#watched.get(topic)?.rings ?? [])]) ring()
  }
}

const latest = -1
const earliest = -2
const readCommitted = 1
