import type { Peers } from '../cluster/peers.ts'
import type { ClusterState } from '../cluster/state.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import type { Partition } from '../replication/partition.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { Tail } from './commands.ts'
import type { Tails } from './tails.ts'

export interface ClusterTailsOptions {
  readonly nodeId: number
  readonly cluster: Pick<ClusterState, 'topics'>
  readonly replicas: Pick<Replicas, 'find'>
  readonly peers: Pick<Peers, 'send'>
  readonly clock: Clock
  readonly timers: Timers
}

/** ms between two questions to other nodes while somebody waits for records that they may get. */
const askMs = 20
/** ms between two looks at who leads what, while somebody waits. */
const lookMs = 500
/** ms for which the beginning of a log counts as known. */
const startMs = 10_000
const requestMs = 2000
const mostTopics = 10_000

interface Remote {
  start: number
  end: number
}

interface RemoteTopic {
  readonly partitions: (Remote | undefined)[]
  /** Monotonic ms: when the beginnings were asked for. */
  startsAt: number
  asking: Promise<void> | null
}

/**
 * Where logs end, from the replicas that this node leads, as they grow, and from other leaders by asking them: only while
 * somebody waits.
 */
export class ClusterTails implements Tails {
  readonly #options: ClusterTailsOptions
  readonly #remote = new Map<string, RemoteTopic>()
  readonly #watched = new Map<string, Watched>()

  constructor(options: ClusterTailsOptions) {
    this.#options = options
  }

  known(topic: string): readonly Tail[] {
    const { cluster, nodeId } = this.#options
    const remote = this.#remote.get(topic)
    const tails: Tail[] = []
    const partitions = cluster.topics.get(topic)?.partitions ?? []
    for (let partition = 0; partition < partitions.length; partition++) {
      const tail =
        partitions[partition]!.leader === nodeId ? this.#own(topic, partition) : remote?.partitions[partition]
      if (tail !== undefined) tails.push({ partition, start: tail.start, end: tail.end })
    }
    return tails
  }

  #own(topic: string, partition: number): Remote | undefined {
    const replica = this.#options.replicas.find(topic, partition)
    if (replica === undefined || !replica.isLeader) return undefined
    return { start: replica.log.logStartOffset, end: replica.lastStableOffset }
  }

  async refresh(topic: string): Promise<void> {
    const leaders = this.#leaders(topic)
    if (leaders.size === 0) return
    let remote = this.#remote.get(topic)
    if (remote === undefined) {
      if (this.#remote.size >= mostTopics) this.#remote.clear()
      remote = { partitions: [], startsAt: Number.NEGATIVE_INFINITY, asking: null }
      this.#remote.set(topic, remote)
    }
    const known = remote
    known.asking ??= this.#ask(topic, leaders, known).finally(() => {
      known.asking = null
    })
    await known.asking
  }

  /** Partitions by the other node that leads them. */
  #leaders(topic: string): Map<number, number[]> {
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
    const starts = now - remote.startsAt > startMs || remote.partitions.includes(undefined)
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
      const answer = await this.#options.peers.send(leader, ListOffsets, request, {
        lane: 'tails',
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
      watched = new Watched(this.#options, topic, {
        isElsewhere: () => this.#leaders(topic).size > 0,
        refresh: () => this.refresh(topic),
        sum: () => this.known(topic).reduce((sum, { end }) => sum + end, 0),
      })
      this.#watched.set(topic, watched)
    }
    const known = watched
    known.rings.add(ring)
    return () => {
      known.rings.delete(ring)
      if (known.rings.size > 0) return
      known.stop()
      if (this.#watched.get(topic) === known) this.#watched.delete(topic)
    }
  }
}

const latest = -1
const earliest = -2
const readCommitted = 1

interface Looks {
  isElsewhere(): boolean
  refresh(): Promise<void>
  /** Of all ends: grows when one of them does. */
  sum(): number
}

/** One topic while somebody waits for its records. */
class Watched {
  readonly rings = new Set<() => void>()
  readonly #options: ClusterTailsOptions
  readonly #topic: string
  readonly #looks: Looks
  /** Replicas that tell us themselves. */
  readonly #own = new Map<Partition, () => void>()
  #timer: Timer | null = null
  #sum: number
  #stopped = false

  constructor(options: ClusterTailsOptions, topic: string, looks: Looks) {
    this.#options = options
    this.#topic = topic
    this.#looks = looks
    this.#sum = looks.sum()
    this.#look()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const unwatch of this.#own.values()) unwatch()
  }

  #look(): void {
    if (this.#stopped) return
    const { cluster, replicas, nodeId, timers } = this.#options
    for (const [index, { leader }] of (cluster.topics.get(this.#topic)?.partitions ?? []).entries()) {
      const replica = leader === nodeId ? replicas.find(this.#topic, index) : undefined
      if (replica !== undefined && !this.#own.has(replica))
        this.#own.set(
          replica,
          replica.watch(() => this.#ring()),
        )
    }
    const afterMs = this.#looks.isElsewhere() ? askMs : lookMs
    this.#timer = timers.after(afterMs, () => void this.#ask())
  }

  async #ask(): Promise<void> {
    await this.#looks.refresh()
    if (this.#stopped) return
    const sum = this.#looks.sum()
    if (sum !== this.#sum) this.#ring()
    this.#sum = sum
    this.#look()
  }

  #ring(): void {
    for (const ring of [...this.rings]) ring()
  }
}
