import { Counts, type Placement } from '../placement/placement.ts'

/** A broker as the plan sees it. */
export interface PlanBroker {
  readonly id: number
  readonly rack: string | null
  /** May get replicas: it lives and nobody wants it empty. */
  readonly holds: boolean
  /** Everything shall leave it. */
  readonly leaving: boolean
  /** It shall get its share. */
  readonly joining: boolean
}

/** A partition as the plan sees it. */
export interface PlanPartition {
  readonly topicId: string
  readonly topic: string
  readonly partition: number
  /** Where it is, or will be when what is under way is done. */
  readonly goal: readonly number[]
  readonly moving: boolean
  /** Replicas that are on their way in, of those that live; and who sends to them. Empty when it does not move. */
  readonly busy: readonly number[]
  readonly leader: number
  /** The order of its replicas says who sends to whom. */
  readonly chain: boolean
  /** Copies that it shall have; less than it has means nothing. */
  readonly factor: number
}

export interface PlanInput {
  readonly brokers: readonly PlanBroker[]
  readonly partitions: readonly PlanPartition[]
  readonly placement: Placement
  /** Moves that one broker takes part in at once. */
  readonly movesPerBroker: number
}

export interface Plan {
  /** Partitions that begin to move now, with all of their future replicas. */
  readonly moves: readonly Move[]
  /** Brokers that have their share now, or as much of it as can be. */
  readonly settled: readonly number[]
  /** Copies that still have to be made besides those of `moves` and those under way. */
  readonly left: number
  /** Partitions that have to leave a broker, or lack a copy, and for which there is no place. */
  readonly blocked: readonly PlanPartition[]
}

export interface Move {
  readonly topicId: string
  readonly partition: number
  readonly goal: readonly number[]
  /** Only the order changes: nothing is copied, the leader may change at once. */
  readonly reorder: boolean
}

/**
 * What has to move where, of what is under way and what brokers are meant for. Nothing else is remembered, so whoever
 * decides next goes on with it. As few copies as can be: what leaves a broker, what is missing, and the share of who
 * joins, which comes from those that have most. Leaders last, one at a time, and as a rule without a copy.
 */
export function plan(input: PlanInput): Plan {
  return new Planner(input).plan()
}

class Planner {
  readonly #input: PlanInput
  readonly #brokers: ReadonlyMap<number, PlanBroker>
  readonly #holders: readonly PlanBroker[]
  readonly #racks: number
  /** Copies that there will be when all is done. */
  readonly #total: number
  readonly #load = new Counts()
  readonly #byTopic = new Map<string, Counts>()
  readonly #busy = new Map<number, number>()
  readonly #moves: Move[] = []
  readonly #touched = new Set<PlanPartition>()
  readonly #blocked: PlanPartition[] = []
  #left = 0

  constructor(input: PlanInput) {
    this.#input = input
    this.#brokers = new Map(input.brokers.map(broker => [broker.id, broker]))
    this.#holders = input.brokers.filter(({ holds }) => holds)
    this.#racks = new Set(this.#holders.map(({ rack }) => rack)).size
    this.#total = input.partitions.reduce((sum, { goal, factor }) => sum + Math.max(goal.length, factor), 0)
    for (const { topicId, goal, busy } of input.partitions) {
      this.#load.add(goal)
      this.#topicLoad(topicId).add(goal)
      for (const id of busy) this.#takePart(id)
    }
  }

  plan(): Plan {
    for (const partition of this.#input.partitions) this.#repair(partition)
    const settled: number[] = []
    for (const { id, joining, holds } of this.#input.brokers) {
      // Copies that are missing, or on the run, come first: they may make the share, too.
      if (joining && holds && this.#left === 0 && this.#fill(id)) settled.push(id)
    }
    return { moves: this.#moves, settled, left: this.#left, blocked: this.#blocked }
  }

  /** Copies on brokers that shall be empty, or are none any more, and copies that are missing. */
  #repair(partition: PlanPartition): void {
    const { goal, factor } = partition
    const stay = goal.filter(id => this.#stays(id))
    const wanted = Math.max(goal.length, factor)
    if (stay.length === wanted) return
    // Nobody has it now: there is nothing to copy.
    if (partition.leader === -1) {
      this.#blocked.push(partition)
      return
    }
    const next = [...goal]
    for (let missing = wanted - stay.length; missing > 0; missing--) {
      const to = this.#place(partition, next)
      if (to === undefined) {
        this.#blocked.push(partition)
        break
      }
      const from = next.findIndex(id => !this.#stays(id) && goal.includes(id))
      if (from === -1) next.push(to)
      else next[from] = to
    }
    if (next.some((id, index) => id !== goal[index])) this.#begin(partition, this.#withLeader(partition, next))
  }

  /** Where the preferred leader goes, the one of the others leads that leads least. */
  #withLeader({ goal, chain }: PlanPartition, next: readonly number[]): readonly number[] {
    if (chain || next[0] === goal[0]) return next
    let leader = next[0]!
    for (const id of next) if (this.#load.leaders(id) < this.#load.leaders(leader)) leader = id
    return next.map(id => (id === leader ? next[0]! : id === next[0] ? leader : id))
  }

  #stays(id: number): boolean {
    const broker = this.#brokers.get(id)
    return broker !== undefined && !broker.leaving
  }

  /** Who takes a copy besides `others`: in another rack if there is one, the nearest that has not its share yet. */
  #place({ topicId, partition }: PlanPartition, others: readonly number[]): number | undefined {
    const free = this.#holders.filter(({ id }) => !others.includes(id))
    const used = new Set(others.filter(id => this.#stays(id)).map(id => this.#brokers.get(id)!.rack))
    const elsewhere = this.#racks > 1 ? free.filter(({ rack }) => !used.has(rack)) : []
    const candidates = elsewhere.length > 0 ? elsewhere : free
    const most = Math.ceil(this.#total / this.#holders.length)
    const inTopic = this.#topicLoad(topicId)
    let best: { id: number; score: readonly number[] } | undefined
    for (const { id } of candidates) {
      const full = this.#load.replicas(id) >= most ? 1 : 0
      const away = this.#input.placement.distance(topicId, partition, id)
      const score = [full, full * this.#load.replicas(id), inTopic.replicas(id), away, this.#load.replicas(id), id]
      if (best === undefined || less(score, best.score)) best = { id, score }
    }
    return best?.id
  }

  /** True when nothing is left to be done for it, or nothing can be. */
  #fill(joiner: number): boolean {
    const share = Math.floor(this.#total / this.#holders.length)
    let lacking = share - this.#load.replicas(joiner)
    while (lacking > 0) {
      // To look for a copy that cannot be made now would be in vain.
      if (!this.#isFree(joiner)) {
        this.#left += lacking
        return false
      }
      const found = this.#copyFor(joiner)
      if (found === undefined) break
      lacking--
      if (!this.#begin(found.partition, found.goal)) {
        this.#left += lacking
        return false
      }
    }
    if (this.#input.partitions.some(({ moving, goal }) => moving && goal.includes(joiner)) || this.#moves.length > 0) {
      return false
    }
    return !this.#leadMore(joiner)
  }

  /** The copy that a joiner takes over: from who has most, of the topic that is spread most unevenly, the nearest. */
  #copyFor(joiner: number): { partition: PlanPartition; goal: number[] } | undefined {
    const needsLeaders = this.#load.leaders(joiner) < Math.floor(this.#input.partitions.length / this.#holders.length)
    const donors = this.#holders
      .filter(({ id }) => this.#load.replicas(id) > this.#load.replicas(joiner) + 1)
      .sort((a, b) => this.#load.replicas(b.id) - this.#load.replicas(a.id) || a.id - b.id)
    for (const donor of donors) {
      let best: { partition: PlanPartition; score: readonly number[] } | undefined
      for (const partition of this.#input.partitions) {
        const { topicId, goal, moving, leader } = partition
        if (
          moving ||
          leader === -1 ||
          this.#touched.has(partition) ||
          goal.includes(joiner) ||
          !goal.includes(donor.id)
        )
          continue
        if (this.#worsensRacks(goal, donor.id, joiner)) continue
        const inTopic = this.#topicLoad(topicId)
        const uneven = inTopic.replicas(donor.id) - inTopic.replicas(joiner)
        const leads = goal[0] === donor.id
        const away = this.#input.placement.distance(topicId, partition.partition, joiner)
        const waits = this.#isFree(leader) ? 0 : 1
        const score = [waits, leads === needsLeaders ? 0 : 1, -uneven, away, partition.partition]
        if (best === undefined || less(score, best.score)) best = { partition, score }
      }
      if (best !== undefined) {
        const { partition } = best
        return { partition, goal: partition.goal.map(id => (id === donor.id ? joiner : id)) }
      }
    }
    return undefined
  }

  #worsensRacks(goal: readonly number[], from: number, to: number): boolean {
    const racks = (ids: readonly number[]) => new Set(ids.map(id => this.#brokers.get(id)?.rack)).size
    return racks(goal.map(id => (id === from ? to : id))) < racks(goal)
  }

  /** A joiner that leads less than its share becomes the preferred leader where it has a copy. True: of one more. */
  #leadMore(joiner: number): boolean {
    const share = Math.floor(this.#input.partitions.length / this.#holders.length)
    if (this.#load.leaders(joiner) >= share) return false
    let best: { partition: PlanPartition; score: readonly number[] } | undefined
    for (const partition of this.#input.partitions) {
      const { goal, moving, chain, topicId } = partition
      const at = goal.indexOf(joiner)
      if (moving || chain || at <= 0) continue
      const ahead = this.#load.leaders(goal[0]!) - this.#load.leaders(joiner)
      if (ahead <= 1) continue
      const score = [-ahead, this.#input.placement.distance(topicId, partition.partition, joiner), partition.partition]
      if (best === undefined || less(score, best.score)) best = { partition, score }
    }
    if (best === undefined) return false
    const { topicId, partition, goal } = best.partition
    const swapped = goal.map(id => (id === joiner ? goal[0]! : id === goal[0] ? joiner : id))
    this.#moves.push({ topicId, partition, goal: swapped, reorder: true })
    return true
  }

  /** Plans a move, now when nobody has too many under way. False: later. */
  #begin(partition: PlanPartition, goal: readonly number[]): boolean {
    const coming = goal.filter(id => !partition.goal.includes(id))
    this.#load.add(partition.goal, -1)
    this.#load.add(goal)
    const inTopic = this.#topicLoad(partition.topicId)
    inTopic.add(partition.goal, -1)
    inTopic.add(goal)
    this.#touched.add(partition)
    // A move that has lost its goal gets another one at once: it takes part already.
    const parts = partition.leader === -1 ? coming : [...coming, partition.leader]
    const free = parts.every(id => this.#isFree(id))
    if (!free && !partition.moving) {
      this.#left += coming.length
      return false
    }
    for (const id of parts) this.#takePart(id)
    const { topicId } = partition
    this.#moves.push({ topicId, partition: partition.partition, goal: this.#inOrder(partition, goal), reorder: false })
    return true
  }

  /** The copies of a chain are an arc of the ring, where the placement has one. */
  #inOrder({ topicId, partition, chain }: PlanPartition, goal: readonly number[]): readonly number[] {
    const { placement } = this.#input
    if (!chain || !placement.ordered) return goal
    const away = (id: number) => placement.distance(topicId, partition, id)
    const from = away(goal[0]!)
    const behind = (id: number) => (away(id) >= from ? away(id) - from : away(id) - from + 2 ** 32)
    return [goal[0]!, ...goal.slice(1).sort((a, b) => behind(a) - behind(b) || a - b)]
  }

  #isFree(id: number): boolean {
    return (this.#busy.get(id) ?? 0) < this.#input.movesPerBroker
  }

  #takePart(id: number): void {
    this.#busy.set(id, (this.#busy.get(id) ?? 0) + 1)
  }

  #topicLoad(topicId: string): Counts {
    let counts = this.#byTopic.get(topicId)
    if (counts === undefined) {
      counts = new Counts()
      this.#byTopic.set(topicId, counts)
    }
    return counts
  }
}

function less(a: readonly number[], b: readonly number[]): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index]!
    if (value !== other) return value < other
  }
  return false
}
