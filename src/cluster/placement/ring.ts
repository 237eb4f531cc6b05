import type { Load, Placement, PlacementBroker, PlacementRequest } from './placement.ts'

/** Points of each broker on the ring: enough for shares that differ by a few percent. */
const pointsPerBroker = 128
/** How much more than the average of all a broker may hold before it is passed over. */
const slack = 1.1

/**
 * Consistent hashing with bounded loads (Karger et al. 1997; Mirrokni, Thorup, Zadimoghaddam 2018): a partition lives on
 * the first brokers clockwise of its point, passing over those that hold their share already, of the topic or of all; and
 * over those in racks that have a copy, as long as there are others. Who comes or goes changes what its neighbours on the
 * ring had, and nothing else.
 */
export const ring: Placement = {
  ordered: true,
  distance: (topicId, partition, broker) => distance(pointOf(topicId, partition), broker),
  place(request) {
    const { brokers, partitions } = request
    if (brokers.length === 1) return Array.from({ length: partitions }, () => [brokers[0]!.id])
    const placing = new Placing(request)
    const replicas = Array.from({ length: request.partitions }, (_, index) => [placing.leader(index)])
    for (let copy = 1; copy < request.replicationFactor; copy++) {
      for (const [index, chosen] of replicas.entries()) chosen.push(placing.follower(index, chosen))
    }
    return replicas.map((chosen, index) => placing.inOrder(index, chosen))
  },
}

/** The state of one request. */
class Placing {
  readonly #request: PlacementRequest
  readonly #racks: ReadonlyMap<number, string | null>
  readonly #rackCount: number
  readonly #walks: (readonly number[])[] = []
  readonly #more = { replicas: new Map<number, number>(), leaders: new Map<number, number>() }
  /** Of the topic, and of all, for each broker. */
  readonly #most: { topicLeaders: number; topicReplicas: number; leaders: number; replicas: number }

  constructor(request: PlacementRequest) {
    const { brokers, firstPartition, partitions, replicationFactor, all } = request
    this.#request = request
    this.#racks = new Map(brokers.map(({ id, rack }) => [id, rack]))
    this.#rackCount = new Set(this.#racks.values()).size
    const share = (count: number) => Math.ceil(count / brokers.length)
    const sum = (of: keyof Load) => brokers.reduce((total, { id }) => total + all[of](id), 0)
    const copies = partitions * replicationFactor
    this.#most = {
      topicLeaders: share(firstPartition + partitions),
      topicReplicas: share((firstPartition + partitions) * replicationFactor),
      leaders: share((sum('leaders') + partitions) * slack),
      replicas: share((sum('replicas') + copies) * slack),
    }
  }

  leader(index: number): number {
    const walk = this.#walk(index)
    const most = this.#most
    const topic = (id: number) => this.#of('topic', 'leaders', id) < most.topicLeaders
    const all = (id: number) =>
      this.#of('all', 'leaders', id) < most.leaders && this.#of('all', 'replicas', id) < most.replicas
    const chosen = walk.find(id => topic(id) && all(id)) ?? walk.find(topic) ?? this.#least(walk)
    this.#count('leaders', chosen)
    this.#count('replicas', chosen)
    return chosen
  }

  follower(index: number, chosen: readonly number[]): number {
    const free = this.#walk(index).filter(id => !chosen.includes(id))
    const elsewhere = free.filter(id => !chosen.some(other => this.#racks.get(other) === this.#racks.get(id)))
    // Where racks are fewer than copies, some racks get a second one.
    const walk = this.#rackCount > 1 && elsewhere.length > 0 ? elsewhere : free
    const most = this.#most
    const topic = (id: number) => this.#of('topic', 'replicas', id) < most.topicReplicas
    const all = (id: number) => this.#of('all', 'replicas', id) < most.replicas
    const follower = walk.find(id => topic(id) && all(id)) ?? this.#least(walk)
    this.#count('replicas', follower)
    return follower
  }

  /** The preferred leader stays first; the others follow as they lie on the ring behind it. */
  inOrder(index: number, [leader, ...followers]: readonly number[]): number[] {
    const walk = this.#walk(index)
    const from = walk.indexOf(leader!)
    const behind = (id: number) => (walk.indexOf(id) - from + walk.length) % walk.length
    return [leader!, ...followers.sort((a, b) => behind(a) - behind(b))]
  }

  #walk(index: number): readonly number[] {
    const { topicId, firstPartition, brokers } = this.#request
    const known = this.#walks[index] ?? walk(pointOf(topicId, firstPartition + index), brokers)
    this.#walks[index] = known
    return known
  }

  /** Who holds least of the topic, then of all; the first on the way among equals. */
  #least(walk: readonly number[]): number {
    const loads = walk.map(id => [this.#of('topic', 'replicas', id), this.#of('all', 'replicas', id)] as const)
    let best = 0
    for (const [at, [topic, all]] of loads.entries()) {
      const [leastTopic, leastAll] = loads[best]!
      if (topic < leastTopic || (topic === leastTopic && all < leastAll)) best = at
    }
    return walk[best]!
  }

  #of(whose: 'topic' | 'all', what: keyof Load, id: number): number {
    return this.#request[whose][what](id) + (this.#more[what].get(id) ?? 0)
  }

  #count(what: keyof Load, id: number): void {
    this.#more[what].set(id, (this.#more[what].get(id) ?? 0) + 1)
  }
}

/** All brokers, in the order in which they come clockwise of a point. */
function walk(point: number, brokers: readonly PlacementBroker[]): number[] {
  return brokers
    .map(({ id }) => ({ id, away: distance(point, id) }))
    .sort((a, b) => a.away - b.away || a.id - b.id)
    .map(({ id }) => id)
}

/** How far clockwise of a point a broker's next one lies. */
function distance(point: number, broker: number): number {
  const points = pointsOf(broker)
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle]! < point) low = middle + 1
    else high = middle
  }
  return low < points.length ? points[low]! - point : points[0]! + 2 ** 32 - point
}

/** By broker, sorted. A pure function of its id, kept because it is asked for often. */
const knownPoints = new Map<number, Uint32Array>()
const mostKnown = 1000

function pointsOf(broker: number): Uint32Array {
  const known = knownPoints.get(broker)
  if (known !== undefined) return known
  const seed = mix(broker + 1)
  const points = Uint32Array.from({ length: pointsPerBroker }, (_, index) =>
    mix(seed ^ Math.imul(index + 1, 0x9e3779b1)),
  )
  points.sort()
  if (knownPoints.size >= mostKnown) knownPoints.clear()
  knownPoints.set(broker, points)
  return points
}

/** The topic that was asked for last, as a rule again: partitions are gone through topic by topic. */
let lastTopic = { id: '', hash: 0 }

/** Neighbours in number are strangers on the ring. */
function pointOf(topicId: string, partition: number): number {
  if (lastTopic.id !== topicId) lastTopic = { id: topicId, hash: hashOf(topicId) }
  return mix(lastTopic.hash ^ Math.imul(partition + 1, 0x85ebca77))
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix(hash)
}

/** Every bit of the result depends on every bit of the argument (the finalizer of MurmurHash 3). */
function mix(value: number): number {
  let bits = value >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
