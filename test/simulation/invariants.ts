import type { Partition } from '../../src/replication/partition.ts'
import type { TopicPartition } from '../../src/store/store.ts'
import { type Cursor, readLog, type StoredBatch, type View } from './disk-log.ts'
import type { Server } from './server.ts'

/** A promise of the house was broken: the reason why a run failed. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Everything was mended, and yet it does not go on. */
export class Liveness extends Error {
  override readonly name = 'Liveness'
}

/** What the whole cluster has promised about one partition. */
interface Committed {
  /** By base offset: what was below a high watermark once. */
  readonly batches: Map<number, StoredBatch>
  end: number
  /** Up to where leaders of an epoch have committed. A leader that was deposed before it knew of its lead knows nothing of later ones. */
  readonly ends: Map<number, number>
  /** Which process led in which epoch of the topic of which id: what was not on the disk is not known to its next life. */
  readonly leaders: Map<string, string>
}

/** One replica in one life of its server. */
interface Watched {
  readonly server: Server
  highWatermark: number
  /** The epoch in which it leads; −1: it does not. */
  leads: number
  /** Of the decision that it knows. */
  partitionEpoch: number
  /** What it was each time its high watermark moved since the last look: its role may be another one since then. */
  readonly seen: Look[]
}

interface Look extends TopicPartition {
  /** A topic that was deleted may be made anew, with other leaders. */
  readonly topicId: string
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly logStartOffset: number
  /** Above it the files have what was there before, if anything: what a start has cut off stays until it is written over. */
  readonly writtenOffset: number
  /** The epoch in which it leads; −1: it does not. */
  readonly leads: number
  /** Whose disks must have what is committed: all of them, or a majority. */
  readonly holders: readonly number[]
  readonly quorum: 'all' | 'majority'
  /** As far as the leader knows, and how many of them there must be. */
  readonly inSync: readonly number[]
  readonly minimum: number
  readonly onPlatter: boolean
}

const metadataLog = { topic: '__cluster_metadata', topicId: '', partition: 0 }
const metadataName = `${metadataLog.topic}-${metadataLog.partition}`

interface Decision {
  readonly isr: readonly number[]
  readonly partitionEpoch: number
}

/**
 * What must hold at every moment, whatever happens (I1 to I5: one leader in an epoch; logs agree; a leader has all that is
 * committed; high watermarks never go back and stand on enough platters). Causes are checked, not only outcomes: an
 * acknowledgement without a sync is found at once, not with the first power cut that happens to matter.
 */
export class Invariants {
  readonly #servers: readonly Server[]
  readonly #committed = new Map<string, Committed>()
  readonly #watched = new WeakMap<object, Watched>()
  readonly #cursors = new Map<string, Cursor>()
  /** What servers that are dead knew to be decided, by topic id and partition: perhaps nobody else has heard of it yet. */
  readonly #decided = new Map<string, Decision>()
  /** By partition, epoch and base offset: two batches of one epoch at one offset are one batch. */
  readonly #written = new Map<string, number>()
  /** How often a high watermark moved. */
  moves = 0

  constructor(servers: readonly Server[]) {
    this.#servers = servers
  }

  /** Something happened to this server. Most of the time nothing moved. */
  check(server: Server): void {
    const { inside } = server
    if (inside === null) return
    for (const partition of inside.replicas.all()) {
      const watched = this.#watchPartition(server, partition)
      this.#lookBack(server, watched)
      const { highWatermark, isLeader, role } = partition
      const leads = isLeader ? partition.leaderEpoch : -1
      const decided = role.partitionEpoch !== watched.partitionEpoch
      if (highWatermark === watched.highWatermark && leads === watched.leads && !decided) continue
      // What it knew when the high watermark moved is not known where the role has changed since the last look.
      const look = { ...lookAt(partition, this.#holdersOf(partition)), ...(decided ? { minimum: 0 } : {}) }
      this.#look(server, watched, look)
      if (leads >= 0 && decided) this.#mustAllHave(server, look)
      watched.partitionEpoch = role.partitionEpoch
    }
    if (!server.metadataMoved || !server.ownsMetadata) return
    server.metadataMoved = false
    const quorum = inside.orderer.describe()
    this.#look(server, this.#watchedOf(server, inside.orderer), {
      ...metadataLog,
      highWatermark: Math.max(0, quorum.highWatermark),
      logEndOffset: Math.max(0, quorum.logEndOffset),
      logStartOffset: 0,
      writtenOffset: Number.POSITIVE_INFINITY,
      leads: quorum.leaderId === inside.nodeId ? quorum.leaderEpoch : -1,
      holders: quorum.voters.map(({ id }) => id),
      quorum: 'majority',
      inSync: [],
      minimum: 0,
      onPlatter: true,
    })
  }

  /** This server dies now, perhaps in the midst of an event: what it did in it until here counts, and clients may hear of it. */
  dies(server: Server): void {
    const { inside } = server
    if (inside === null) return
    for (const partition of inside.replicas.all()) {
      const watched = this.#watched.get(partition)
      if (watched !== undefined) this.#lookBack(server, watched)
    }
    for (const { id, partitions } of inside.metadata.state.topics.values()) {
      for (const [index, decision] of partitions.entries()) {
        const known = this.#decided.get(`${id}-${index}`)
        if (known === undefined || known.partitionEpoch < decision.partitionEpoch)
          this.#decided.set(`${id}-${index}`, decision)
      }
    }
  }

  /** A client was shown an offset, or told that its record has it: it must be committed. */
  shown(key: string, offset: number): void {
    const { end } = this.#of(key)
    if (offset >= end)
      throw new Violation(`a client heard of offset ${offset} of ${key}: no more than ${end} is committed`)
  }

  /** A new life has new replicas, of which nothing is known. */
  #watchedOf(server: Server, replica: object): Watched {
    let watched = this.#watched.get(replica)
    if (watched === undefined) {
      watched = { server, highWatermark: 0, leads: -1, partitionEpoch: -1, seen: [] }
      this.#watched.set(replica, watched)
    }
    return watched
  }

  /** Within one event a leader may commit, acknowledge, and lead no more. */
  #watchPartition(server: Server, partition: Partition): Watched {
    const known = this.#watched.get(partition)
    if (known !== undefined) return known
    const watched = this.#watchedOf(server, partition)
    let told = partition.highWatermark
    partition.watch(() => {
      if (partition.highWatermark === told) return
      told = partition.highWatermark
      watched.seen.push(lookAt(partition, this.#holdersOf(partition)))
    })
    return watched
  }

  /**
   * Who is in sync as the cluster has decided, also in a newer epoch: the leader itself may not know it yet, and must have
   * counted on it.
   */
  #holdersOf({ topicId, index, role }: Partition): readonly number[] {
    let newest: Decision = role
    const decisions = this.#servers.map(
      ({ inside }) => inside?.metadata.state.topicsById.get(topicId)?.partitions[index],
    )
    for (const decided of [...decisions, this.#decided.get(`${topicId}-${index}`)])
      if (decided !== undefined && decided.partitionEpoch > newest.partitionEpoch) newest = decided
    return newest.isr
  }

  /** Whoever is in sync may be the next leader: it has all that is committed. */
  #mustAllHave(server: Server, { topic, partition, holders, onPlatter }: Look): void {
    const name = `${topic}-${partition}`
    const committed = this.#of(name)
    const from = Math.max(0, committed.end - 1)
    const lacking = holders.filter(id => {
      const holder = this.#serverOf(id)
      return holder !== undefined && !this.#has(holder, name, from, committed.end, onPlatter, committed)
    })
    if (lacking.length > 0) {
      throw new Violation(
        `${server.process?.name} ${name}: [${lacking}] of the in-sync replicas [${holders}] lack what is committed, up to ${committed.end}`,
      )
    }
  }

  #serverOf(id: number): Server | undefined {
    return this.#servers.find(({ inside, lastNodeId }) => (inside?.nodeId ?? lastNodeId) === id)
  }

  /** At the end: what was committed is the same on all disks that are there. Returns how many batches that are. */
  final(): number {
    let batches = 0
    for (const [name, { batches: committed }] of this.#committed) {
      batches += committed.size
      for (const server of this.#servers) {
        if (server.inside === null) continue
        this.#compare(server, name, readLog(server.machine.disk, `/data/${name}`, 'memory'))
        this.#finalCopy(server, name)
      }
    }
    return batches
  }

  /** All that was committed and not deleted since lies on the platter of each replica. */
  #finalCopy({ inside, machine }: Server, name: string): void {
    const [, topic, index] = /^(.+)-(\d+)$/.exec(name) ?? []
    const replica = topic === undefined ? undefined : inside?.replicas.find(topic, Number(index))
    if (replica === undefined || name === metadataName || replica.log.config.flush !== 'ack') return
    const batches = readLog(machine.disk, `/data/${name}`, 'platter')
    this.#mustBeThere(machine.name, name, batches, replica.log.logStartOffset, this.#of(name).end)
  }

  /** Each committed batch from `from` up to `upTo` is among these, and there is no hole. */
  #mustBeThere(who: string, name: string, batches: readonly StoredBatch[], from: number, upTo: number): void {
    const gap = hole(batches)
    if (gap !== null) throw new Violation(`${who} ${name}: there is a hole at offset ${gap}`)
    const there = new Map(batches.map(batch => [batch.baseOffset, batch]))
    for (const [offset, wanted] of this.#of(name).batches) {
      if (offset < from || wanted.lastOffset >= upTo) continue
      const found = there.get(offset)
      if (found === undefined || !same(found, wanted))
        throw new Violation(
          `${who} ${name}: offset ${offset} holds ${found === undefined ? 'nothing' : show(found)}, committed is ${show(wanted)}`,
        )
    }
  }

  #lookBack(server: Server, watched: Watched): void {
    for (const look of watched.seen.splice(0)) this.#look(server, watched, look)
  }

  #look(server: Server, before: Watched, look: Look): void {
    const name = `${look.topic}-${look.partition}`
    const { highWatermark, leads } = look
    if (leads >= 0 && leads !== before.leads) this.#leads(server, name, look)
    before.leads = leads
    if (highWatermark === before.highWatermark) return
    const who = `${server.process?.name} ${name}`
    if (highWatermark < before.highWatermark) {
      throw new Violation(`${who}: the high watermark went back from ${before.highWatermark} to ${highWatermark}`)
    }
    if (highWatermark > look.logEndOffset) {
      throw new Violation(`${who}: the high watermark ${highWatermark} is above the log's end ${look.logEndOffset}`)
    }
    this.#moved(server, name, who, Math.max(before.highWatermark, look.logStartOffset), look)
    before.highWatermark = highWatermark
  }

  #moved(server: Server, name: string, who: string, from: number, look: Look): void {
    this.moves++
    const { highWatermark, holders, inSync, onPlatter, minimum, leads, quorum } = look
    const committed = this.#of(name)
    const own = this.#read(server, name, onPlatter && leads >= 0 && quorum === 'all' ? 'platter' : 'memory', from)
    for (const batch of own) {
      if (batch.lastOffset >= Math.min(highWatermark, look.writtenOffset)) break
      this.#mustBe(committed, batch, who)
    }
    if (leads < 0 || highWatermark <= committed.end) return
    if (inSync.length < minimum) {
      throw new Violation(`${who}: ${highWatermark} is committed with the in-sync replicas ${inSync.join()} only`)
    }
    const having = holders.filter(id => {
      const holder = this.#serverOf(id)
      return holder !== undefined && this.#has(holder, name, from, highWatermark, onPlatter, committed)
    })
    const enough = quorum === 'all' ? holders.length : Math.floor(holders.length / 2) + 1
    if (having.length < enough) {
      const where = onPlatter ? 'on the platters' : 'in the logs'
      throw new Violation(`${who}: ${highWatermark} is committed, but only ${where} of [${having}] of [${holders}]`)
    }
    committed.end = highWatermark
    committed.ends.set(leads, highWatermark)
  }

  #has(holder: Server, name: string, from: number, upTo: number, onPlatter: boolean, committed: Committed): boolean {
    const batches = this.#read(holder, name, onPlatter ? 'platter' : 'memory', from)
    if (endOf(batches) < upTo || hole(batches) !== null) return false
    // A log of the metadata may begin at a snapshot.
    const first = batches[0]
    if (first !== undefined && first.baseOffset > from && upTo > from && name !== metadataName) return false
    return batches.every(batch => batch.lastOffset >= upTo || same(committed.batches.get(batch.baseOffset), batch))
  }

  #leads(server: Server, name: string, look: Look): void {
    const { topicId, leads: leaderEpoch, logEndOffset, logStartOffset } = look
    const committed = this.#of(name)
    const who = `${server.process?.name} ${name}`
    const term = `${topicId} ${leaderEpoch}`
    const other = committed.leaders.get(term)
    const life = server.process?.name ?? ''
    if (other !== undefined && other !== life)
      throw new Violation(`${who}: ${life} and ${other} both lead in epoch ${leaderEpoch}`)
    committed.leaders.set(term, life)
    let end = 0
    for (const [epoch, upTo] of committed.ends) if (epoch <= leaderEpoch) end = Math.max(end, upTo)
    if (logEndOffset < end) {
      throw new Violation(
        `${who}: leads in epoch ${leaderEpoch} with a log that ends at ${logEndOffset}, ${end} is committed`,
      )
    }
    const batches = readLog(server.machine.disk, `/data/${name}`, 'memory')
    this.#compare(server, name, batches, end)
    if (name !== metadataName) this.#mustBeThere(server.process?.name ?? '', name, batches, logStartOffset, end)
  }

  /** Nothing that is committed may look different here. */
  #compare(server: Server, name: string, batches: readonly StoredBatch[], upTo = Number.MAX_SAFE_INTEGER): void {
    const committed = this.#of(name)
    const who = `${server.machine.name} ${name}`
    for (const batch of batches) {
      const wanted = committed.batches.get(batch.baseOffset)
      if (wanted !== undefined && batch.lastOffset < upTo && !same(wanted, batch)) {
        throw new Violation(`${who}: offset ${batch.baseOffset} holds ${show(batch)}, committed is ${show(wanted)}`)
      }
    }
  }

  #mustBe(committed: Committed, batch: StoredBatch, who: string): void {
    if (!batch.whole) throw new Violation(`${who}: offset ${batch.baseOffset} is committed, and its bytes are damaged`)
    const before = committed.batches.get(batch.baseOffset)
    if (before === undefined) committed.batches.set(batch.baseOffset, batch)
    else if (!same(before, batch)) {
      throw new Violation(
        `${who}: offset ${batch.baseOffset} was committed as ${show(before)}, and now as ${show(batch)}`,
      )
    }
    const key = `${who.split(' ').at(-1)} ${batch.leaderEpoch} ${batch.baseOffset}`
    const written = this.#written.get(key)
    if (written !== undefined && written !== batch.crc) throw new Violation(`${who}: two batches at ${key}`)
    this.#written.set(key, batch.crc)
  }

  #read(server: Server, name: string, view: View, from: number): StoredBatch[] {
    const key = `${server.machine.name} ${view} ${name}`
    let cursor = this.#cursors.get(key)
    if (cursor === undefined) {
      cursor = { base: -1, at: 0, offset: 0, last: 0, crc: 0 }
      this.#cursors.set(key, cursor)
    }
    return readLog(server.machine.disk, `/data/${name}`, view, from, cursor)
  }

  #of(name: string): Committed {
    let committed = this.#committed.get(name)
    if (committed === undefined) {
      committed = { batches: new Map(), end: 0, ends: new Map(), leaders: new Map() }
      this.#committed.set(name, committed)
    }
    return committed
  }
}

function lookAt(partition: Partition, holders: readonly number[]): Look {
  const { role, log } = partition
  return {
    topic: partition.topic,
    topicId: partition.topicId,
    partition: partition.index,
    highWatermark: partition.highWatermark,
    logEndOffset: log.logEndOffset,
    logStartOffset: log.logStartOffset,
    writtenOffset: log.writtenOffset,
    leads: partition.isLeader ? partition.leaderEpoch : -1,
    holders,
    inSync: role.isr,
    quorum: 'all',
    minimum: Math.min(log.config.minInsyncReplicas, role.replicas.length),
    onPlatter: log.config.flush === 'ack',
  }
}

/** The first offset that is missing between two batches; null: none is. */
function hole(batches: readonly StoredBatch[]): number | null {
  for (let i = 1; i < batches.length; i++) {
    const expected = (batches[i - 1] as StoredBatch).lastOffset + 1
    if ((batches[i] as StoredBatch).baseOffset !== expected) return expected
  }
  return null
}

const endOf = (batches: readonly StoredBatch[]): number => (batches.at(-1)?.lastOffset ?? -1) + 1

function same(one: StoredBatch | undefined, other: StoredBatch): boolean {
  return (
    one !== undefined &&
    one.crc === other.crc &&
    one.leaderEpoch === other.leaderEpoch &&
    one.lastOffset === other.lastOffset
  )
}

const show = ({ leaderEpoch, crc, lastOffset }: StoredBatch): string =>
  `epoch ${leaderEpoch}, crc ${crc.toString(16)}, up to ${lastOffset}`
