import assert from 'node:assert/strict'
import { crc, leaderEpoch, readHeader, sizeInBytes } from '../../src/protocol/batches/header.ts'
import type { Partition } from '../../src/replication/partition.ts'
import { type ModelController, topic } from './controller.ts'
import type { CrashDisk } from './disk.ts'
import type { ReplicaNode } from './node.ts'

interface Entry {
  readonly end: number
  /** Leader epoch and CRC: what makes a batch itself. */
  readonly is: string
}

/** What was seen of a node last. */
interface Seen {
  readonly node: ReplicaNode
  end: number
  highWatermark: number
  leaderEpoch: number
  /** Its log. */
  entries: (readonly [base: number, entry: Entry])[]
}

/** What must hold after every step, whatever has happened. */
export class Invariants {
  readonly #controller: ModelController
  readonly #disks: ReadonlyMap<number, CrashDisk>
  /** What is committed, by base offset; and where it ends. */
  readonly #committed = new Map<number, Entry>()
  committedEnd = 0
  readonly #seen = new Map<number, Seen>()
  /** Leader epochs, and who led in them. */
  readonly #leaders = new Map<number, number>()

  constructor(controller: ModelController, disks: ReadonlyMap<number, CrashDisk>) {
    this.#controller = controller
    this.#disks = disks
  }

  check(nodes: Iterable<ReplicaNode>): void {
    this.#allInSync()
    for (const node of nodes) {
      const { partition } = node
      if (!node.alive || partition === undefined) continue
      this.#oneLeader(node, partition)
      let seen = this.#seen.get(node.id)
      if (seen?.node !== node) {
        seen = { node, end: 0, highWatermark: 0, leaderEpoch: -1, entries: [] }
        this.#seen.set(node.id, seen)
      }
      this.#look(seen, partition)
    }
  }

  /** Who is in sync has all that is committed, on the platter. */
  #allInSync(): void {
    const { partition } = this.#controller
    if (partition === undefined || this.committedEnd === 0) return
    for (const id of partition.isr) {
      const durable = this.#disks.get(id)?.durable({ topic, partition: 0 }) ?? 0
      if (durable < this.committedEnd)
        assert.fail(`in-sync replica ${id} has ${durable} on disk, committed: ${this.committedEnd}`)
    }
  }

  #look(seen: Seen, partition: Partition): void {
    const { highWatermark, leaderEpoch } = partition
    const end = partition.log.logEndOffset
    if (seen.end === end && seen.highWatermark === highWatermark && seen.leaderEpoch === leaderEpoch) return
    const { id } = seen.node
    if (highWatermark > end) assert.fail(`HW ${highWatermark} of node ${id} lies above its end ${end}`)
    if (highWatermark < seen.highWatermark)
      assert.fail(`HW of node ${id} went back from ${seen.highWatermark} to ${highWatermark}`)
    if (end < seen.end) seen.entries = seen.entries.filter(([, entry]) => entry.end <= end)
    const known = seen.entries.at(-1)?.[1].end ?? partition.log.logStartOffset
    for (const entry of entriesOf(partition, known)) seen.entries.push(entry)
    const leads = partition.isLeader && leaderEpoch === this.#controller.partition.leaderEpoch
    this.#matches(seen, partition, leads, leaderEpoch === seen.leaderEpoch ? Math.min(known, seen.highWatermark) : 0)
    Object.assign(seen, { end, highWatermark, leaderEpoch })
    if (highWatermark <= this.committedEnd) return
    if (!partition.isLeader) assert.fail(`node ${id} takes ${highWatermark} for committed, it is ${this.committedEnd}`)
    this.#commit(seen, partition, leads)
  }

  #oneLeader(node: ReplicaNode, partition: Partition): void {
    if (!partition.isLeader) return
    const { leaderEpoch: epoch } = partition
    const known = this.#leaders.get(epoch)
    if (known === undefined) this.#leaders.set(epoch, node.id)
    else assert.equal(known, node.id, `two leaders in epoch ${epoch}`)
  }

  /** What is committed is in the log of who leads, and below every high watermark. Only what is above `from` is looked at. */
  #matches({ node, entries }: Seen, { log, highWatermark }: Partition, leads: boolean, from: number): void {
    for (let index = entries.length - 1; index >= 0; index--) {
      const [base, entry] = entries[index]!
      if (entry.end <= from) break
      if (base >= this.committedEnd || !(leads || entry.end <= highWatermark)) continue
      const committed = this.#committed.get(base)
      if (entry.is !== committed?.is) assert.fail(`node ${node.id} has something else at committed offset ${base}`)
    }
    if (leads && log.logEndOffset < this.committedEnd)
      assert.fail(`leader ${node.id} ends at ${log.logEndOffset}, before what is committed: ${this.committedEnd}`)
  }

  /** The leader says that more is committed: all in-sync replicas must have it on the platter, and be enough. */
  #commit({ entries }: Seen, partition: Partition, leads: boolean): void {
    const { highWatermark } = partition
    const { isr } = this.#controller.partition
    const at = { topic: partition.topic, partition: 0 }
    if (leads) {
      const { minInsyncReplicas } = partition.log.config
      if (partition.role.isr.length < minInsyncReplicas)
        assert.fail(`committed with ${partition.role.isr.length} in sync`)
      for (const id of isr) {
        const durable = this.#disks.get(id)?.durable(at) ?? 0
        if (durable < highWatermark)
          assert.fail(`in-sync replica ${id} has ${durable} on disk, committed: ${highWatermark}`)
      }
    }
    for (const [base, entry] of entries)
      if (entry.end <= highWatermark && base >= this.committedEnd) this.#committed.set(base, entry)
    this.committedEnd = highWatermark
  }

  /** Every acknowledged batch is there, as it was acknowledged. */
  acknowledged(baseOffset: number, crcOfIt: number): void {
    const entry = this.#committed.get(baseOffset)
    assert.ok(entry?.is.endsWith(`:${crcOfIt}`), `acknowledged at ${baseOffset}, but not committed`)
  }
}

export function* entriesOf(partition: Partition, from = partition.log.logStartOffset): Iterable<[number, Entry]> {
  const { log } = partition
  if (log.logEndOffset <= from) return
  for (const bytes of log.read(from, 100_000_000) as Uint8Array[])
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) {
      const { baseOffset, lastOffset } = readHeader(bytes, at)
      yield [baseOffset, { end: lastOffset + 1, is: `${leaderEpoch(bytes, at)}:${crc(bytes, at)}` }]
    }
}
