import type { Finding, Operation, Read } from './history.ts'
import type { Order } from './log-order.ts'

/** Where a process's next read of a key is expected. */
interface Position {
  offset: number
  /** Under a subscription another member may have read on: a jump between two operations is no fault. */
  fresh: boolean
}

/** What a reader is shown grows by exactly one record after the other: poll-skip, nonmonotonic-poll. */
export function pollFindings(history: readonly Operation[], order: Order): { findings: Finding[]; jumps: number } {
  const findings: Finding[] = []
  const positions = new Map<string, Map<string, Position>>()
  const subscribed = new Set<string>()
  let jumps = 0
  for (const operation of history) {
    const { process } = operation
    const mine = positions.get(process) ?? new Map<string, Position>()
    positions.set(process, mine)
    if (operation.f === 'assign' || operation.f === 'subscribe' || operation.f === 'crash') {
      mine.clear()
      if (operation.f === 'subscribe') subscribed.add(process)
      if (operation.f === 'assign') subscribed.delete(process)
      continue
    }
    for (const key of operation.rebalanced ?? []) mine.delete(key)
    for (const position of mine.values()) position.fresh = true
    for (const op of operation.ops ?? []) {
      if (op.f !== 'poll') continue
      for (const [key, reads] of Object.entries(op.reads)) {
        for (const read of reads) {
          const fault = step(order, mine, process, key, read)
          if (!fault) continue
          if (fault.between && subscribed.has(process)) jumps += 1
          else findings.push(fault.finding)
        }
      }
    }
  }
  return { findings, jumps }
}

function step(
  order: Order,
  mine: Map<string, Position>,
  process: string,
  key: string,
  [offset]: Read,
): { finding: Finding; between: boolean } | null {
  const before = mine.get(key)
  mine.set(key, { offset, fresh: false })
  if (!before) return null
  const { index } = order.partitions.get(key)!
  const grown = index.get(offset)! - index.get(before.offset)!
  if (grown === 1) return null
  const kind = grown > 1 ? 'poll-skip' : 'nonmonotonic-poll'
  const text = `${process} read offset ${offset} right after ${before.offset}`
  return { finding: { kind, key, text }, between: before.fresh }
}
