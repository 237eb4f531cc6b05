import assert from 'node:assert/strict'
import { crc, leaderEpoch, readHeader, sizeInBytes } from '../../src/protocol/batches/header.ts'
import type { Partition } from '../../src/replication/partition.ts'
import type { ModelController } from './controller.ts'
import type { CrashDisk } from './disk.ts'
import type { ReplicaNode } from './node.ts'

interface Entry {
  readonly end: number
  /** Leader epoch and CRC: what makes a batch itself. */
  readonly is: string
}

interface Seen {
  readonly node: ReplicaNode
  readonly end: number
  readonly highWatermark: number
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
    for (const node of nodes) {
      const { partition } = node
      if (!node.alive || partition === undefined) continue
      this.#oneLeader(node, partition)
      const end = partition.log.logEndOffset
      const { highWatermark } = partition
      const before = this.#seen.get(node.id)
      if (before?.node === node && before.end === end && before.highWatermark === highWatermark) continue
      this.#seen.set(node.id, { node, end, highWatermark })
      assert.ok(highWatermark <= end, `HW ${highWatermark} of node ${node.id} lies above its end ${end}`)
      if (before?.node === node)
        assert.ok(highWatermark >= before.highWatermark, `HW of node ${node.id} went back from ${before.highWatermark}`)
      this.#matches(node, partition)
      if (partition.isLeader && highWatermark > this.committedEnd) this.#commit(partition)
      if (!partition.isLeader)
        assert.ok(highWatermark <= this.committedEnd, `node ${node.id} takes for committed what is not`)
    }
  }

  #oneLeader(node: ReplicaNode, partition: Partition): void {
    if (!partition.isLeader) return
    const { leaderEpoch: epoch } = partition
    const known = this.#leaders.get(epoch)
    if (known === undefined) this.#leaders.set(epoch, node.id)
    else assert.equal(known, node.id, `two leaders in epoch ${epoch}`)
  }

  /** What is committed is in every log that reaches so far, unless that log parts below its own high watermark. */
  #matches(node: ReplicaNode, partition: Partition): void {
    const { log, highWatermark } = partition
    const leads = partition.isLeader && partition.leaderEpoch === this.#controller.partition.leaderEpoch
    for (const [base, entry] of entriesOf(partition)) {
      const committed = this.#committed.get(base)
      if (entry.end <= highWatermark || leads)
        if (base < this.committedEnd)
          assert.equal(entry.is, committed?.is, `node ${node.id} has something else at committed offset ${base}`)
    }
    if (leads)
      assert.ok(
        log.logEndOffset >= this.committedEnd,
        `leader ${node.id} ends at ${log.logEndOffset}, before what is committed`,
      )
  }

  /** The leader says that more is committed: all in-sync replicas must have it on the platter. */
  #commit(partition: Partition): void {
    const { highWatermark } = partition
    const { isr } = this.#controller.partition
    const current = partition.leaderEpoch === this.#controller.partition.leaderEpoch
    const at = { topic: partition.topic, partition: 0 }
    if (current) {
      for (const id of isr) {
        const durable = this.#disks.get(id)?.durable(at) ?? 0
        assert.ok(
          durable >= highWatermark,
          `in-sync replica ${id} has ${durable} on disk, committed is ${highWatermark}`,
        )
      }
    }
    for (const [base, entry] of entriesOf(partition))
      if (entry.end <= highWatermark && base >= this.committedEnd) this.#committed.set(base, entry)
    this.committedEnd = highWatermark
  }

  /** Every acknowledged batch is there, as it was acknowledged. */
  acknowledged(baseOffset: number, crcOfIt: number): void {
    const entry = this.#committed.get(baseOffset)
    assert.ok(entry?.is.endsWith(`:${crcOfIt}`), `acknowledged at ${baseOffset}, but not committed`)
  }
}

export function* entriesOf(partition: Partition): Iterable<[number, Entry]> {
  const { log } = partition
  if (log.logEndOffset === log.logStartOffset) return
  for (const bytes of log.read(log.logStartOffset, 100_000_000) as Uint8Array[])
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) {
      const { baseOffset, lastOffset } = readHeader(bytes, at)
      yield [baseOffset, { end: lastOffset + 1, is: `${leaderEpoch(bytes, at)}:${crc(bytes, at)}` }]
    }
}
