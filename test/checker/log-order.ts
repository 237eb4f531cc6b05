import type { Finding, Operation } from './history.ts'

export interface Sent {
  readonly value: number
  readonly key: string
  readonly by: Operation
  /** Its position in the process's own sends. */
  readonly turn: number
  /** Where the broker said it is, or where it was read; undefined: nobody saw it. */
  offset: number | undefined
  read: boolean
}

/** What one partition must have looked like, pieced together from what clients were told and shown. */
export interface Partition {
  readonly values: Map<number, number>
  /** Offset → its place among the offsets that hold a record: control records and compacted ones leave gaps. */
  readonly index: Map<number, number>
  highestRead: number
  /** Values that a final reader saw. */
  readonly seenAtEnd: Set<number>
}

export interface Order {
  readonly sends: Map<number, Sent>
  readonly partitions: Map<string, Partition>
  readonly findings: Finding[]
}

/** Pieces the partitions together: inconsistent-offset, duplicate, garbage, aborted-read. */
export function orderOf(history: readonly Operation[]): Order {
  const order: Order = { sends: new Map(), partitions: new Map(), findings: [] }
  collectSends(order, history)
  for (const operation of history) {
    for (const op of operation.ops ?? []) {
      if (op.f === 'send') {
        if (operation.type === 'ok' && op.offset !== undefined) place(order, op.key, op.offset, op.value)
        continue
      }
      for (const [key, reads] of Object.entries(op.reads)) {
        for (const [offset, value] of reads) readAt(order, key, offset, value, operation)
      }
    }
  }
  for (const partition of order.partitions.values()) {
    const offsets = [...partition.values.keys()].sort((a, b) => a - b)
    for (const [i, offset] of offsets.entries()) partition.index.set(offset, i)
  }
  return order
}

function collectSends(order: Order, history: readonly Operation[]): void {
  const turns = new Map<string, number>()
  for (const by of history) {
    for (const op of by.ops ?? []) {
      if (op.f !== 'send') continue
      const turn = (turns.get(by.process) ?? 0) + 1
      turns.set(by.process, turn)
      const offset = by.type === 'ok' ? op.offset : undefined
      if (order.sends.has(op.value)) throw new Error(`the history sends ${op.value} twice: values must be unique`)
      order.sends.set(op.value, { value: op.value, key: op.key, by, turn, offset, read: false })
    }
  }
}

function partitionOf(order: Order, key: string): Partition {
  let partition = order.partitions.get(key)
  if (!partition) {
    partition = { values: new Map(), index: new Map(), highestRead: -1, seenAtEnd: new Set() }
    order.partitions.set(key, partition)
  }
  return partition
}

function readAt(order: Order, key: string, offset: number, value: number, by: Operation): void {
  const partition = partitionOf(order, key)
  partition.highestRead = Math.max(partition.highestRead, offset)
  if (by.final) partition.seenAtEnd.add(value)
  const sent = order.sends.get(value)
  if (!sent || sent.key !== key) {
    order.findings.push({ kind: 'garbage', key, text: `offset ${offset} holds ${value}, which was never sent there` })
  } else {
    if (sent.by.type === 'fail' && !sent.read) {
      order.findings.push({ kind: 'aborted-read', key, text: `offset ${offset} holds ${value}, whose send had failed` })
    }
    sent.read = true
  }
  place(order, key, offset, value)
}

function place(order: Order, key: string, offset: number, value: number): void {
  const { values } = partitionOf(order, key)
  const before = values.get(offset)
  if (before === undefined) values.set(offset, value)
  else if (before !== value) {
    order.findings.push({ kind: 'inconsistent-offset', key, text: `offset ${offset} holds ${before} and ${value}` })
    return
  }
  const sent = order.sends.get(value)
  if (!sent || sent.key !== key) return
  if (sent.offset === undefined) sent.offset = offset
  else if (sent.offset !== offset && !sent.by.loose) {
    order.findings.push({ kind: 'duplicate', key, text: `${value} is at offset ${sent.offset} and at ${offset}` })
  }
}
