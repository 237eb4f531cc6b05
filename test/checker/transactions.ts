import type { Finding, Operation } from './history.ts'
import type { Order } from './log-order.ts'

/** precommitted-read: a transaction reads what it sent itself. G1c: transactions that each read what the other wrote. */
export function transactionFindings(history: readonly Operation[], order: Order): Finding[] {
  const findings: Finding[] = []
  const transactions = history.filter(operation => operation.f === 'txn' && operation.type !== 'fail')
  const node = new Map(transactions.map((operation, i) => [operation, i]))
  const edges = transactions.map(() => new Set<number>()) // writer → its readers
  for (const [i, reader] of transactions.entries()) {
    for (const op of reader.ops ?? []) {
      if (op.f !== 'poll') continue
      for (const [key, reads] of Object.entries(op.reads)) {
        for (const [offset, value] of reads) {
          const writer = order.sends.get(value)?.by
          const from = writer && node.get(writer)
          if (from === undefined) continue
          if (from !== i) edges[from]!.add(i)
          else
            findings.push({
              kind: 'precommitted-read',
              key,
              text: `${reader.process} read its own ${value} at ${offset}`,
            })
        }
      }
    }
  }
  for (const circle of circles(edges)) {
    const who = circle.map(i => `${transactions[i]!.process}@${transactions[i]!.t0}`).join(' → ')
    findings.push({ kind: 'G1c', key: '', text: `these transactions read each other's writes: ${who}` })
  }
  return findings
}

/** Groups of nodes that reach each other (Tarjan 1972), without recursion: histories are long. */
function* circles(edges: readonly ReadonlySet<number>[]): Iterable<number[]> {
  const found = new Int32Array(edges.length).fill(-1)
  const low = new Int32Array(edges.length)
  const open = new Uint8Array(edges.length)
  const stack: number[] = []
  let counter = 0
  for (const [root] of edges.entries()) {
    if (found[root] !== -1) continue
    const path: { at: number; rest: Iterator<number> }[] = []
    const enter = (at: number) => {
      found[at] = low[at] = counter++
      open[at] = 1
      stack.push(at)
      path.push({ at, rest: edges[at]!.values() })
    }
    enter(root)
    while (path.length) {
      const { at, rest } = path.at(-1)!
      const next = rest.next()
      if (!next.done) {
        if (found[next.value] === -1) enter(next.value)
        else if (open[next.value]) low[at] = Math.min(low[at]!, found[next.value]!)
        continue
      }
      path.pop()
      const parent = path.at(-1)
      if (parent) low[parent.at] = Math.min(low[parent.at]!, low[at]!)
      if (low[at] !== found[at]) continue
      const circle: number[] = []
      for (let popped = -1; popped !== at; ) {
        popped = stack.pop()!
        open[popped] = 0
        circle.push(popped)
      }
      if (circle.length > 1) yield circle
    }
  }
}
